"""Debian's docker-registry with token authentication: challenges that we did not write, and tokens that it checks."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from registry_fp import (
    Settings,
    connect,
    copy,
    docker_save,
    list_repositories,
    list_tags,
    mount_blob,
    oci_layout,
    ping,
    pull,
    push,
    put_blob,
)
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.transport.account import IdentityToken
from registry_fp.transport.credential import anonymous
from tests.faults.image import write_mixed
from tests.real.docker_registry import docker_registry
from tests.tokens.jwt import Signer
from tests.tokens.server import REFRESH, TokenServer, token_server
from tests.tokens.test_tokens import TESTER, known_as

SETTINGS = Settings(cache=False, small_blob=16 * 1024)


async def test_everything_works_with_tokens(tmp_path: Path) -> None:
    """Push, pull, copy, mount, lists: each with the scopes that the registry itself named."""
    archive = write_mixed(tmp_path / "app.tar").path
    signer = Signer(tmp_path)
    async with token_server(TokenServer(sign=signer)) as server:
        (tmp_path / "registry").mkdir()
        async with docker_registry(tmp_path / "registry", settings=signer.settings(server.realm)) as registry:
            host = registry.host
            async with connect(SETTINGS, keychain=known_as(TESTER)) as client:
                await unwrap(ping(client, host))
                await unwrap(push(client, docker_save(archive), f"{host}/team/app:1.0"))
                await unwrap(pull(client, f"{host}/team/app:1.0", oci_layout(tmp_path / "layout")))
                await unwrap(copy(client, f"{host}/team/app:1.0", f"{host}/other/app:2.0"))
                blob = await unwrap(put_blob(client, f"{host}/base", b"abc"))
                assert await settle(mount_blob(client, f"{host}/new", blob.digest, source=f"{host}/base")) == Ok(True)
                assert await unwrap(list_tags(client, f"{host}/other/app")) == ("2.0",)
                assert "team/app" in await unwrap(list_repositories(client, host))
                assert len(server.asked) <= 12
            async with connect(SETTINGS, keychain=known_as(IdentityToken(SecretStr(REFRESH)))) as client:
                assert await unwrap(list_tags(client, f"{host}/team/app")) == ("1.0",)
            async with connect(SETTINGS, keychain=anonymous) as client:
                out = await settle(list_tags(client, f"{host}/team/app"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.Unauthenticated)
    assert {each.service for each in server.asked} == {"tests"}
