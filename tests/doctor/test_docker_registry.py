"""Debian's docker-registry: what the doctor says of it, who it says it to, and that nothing stays."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from registry_fp import Client, Keychain, Settings, anonymous, connect, static_credentials
from registry_fp.transport.account import BasicCredentials
from tests.doctor.ward import census, examined, found, seen, stocked
from tests.real.docker_registry import CREDENTIALS, HTPASSWD, RealRegistry, docker_registry
from tests.tokens.jwt import Signer
from tests.tokens.server import LOGIN, TokenServer, token_server
from tests.tokens.test_tokens import known_as

SETTINGS = Settings(cache=False, retries=0)
WITHOUT = {"referrers", "delete tag"}
"""What this registry cannot do."""


def _links(registry: RealRegistry) -> set[str]:
    """What its repositories consist of: whatever is named here can be had, and what is under way is here, too."""
    repositories = registry.storage / "docker" / "registry" / "v2" / "repositories"
    there = {str(path.relative_to(registry.storage)) for path in repositories.rglob("*") if path.is_file()}
    # Of an upload that is taken back it writes down how far the hash was, after it has deleted it.
    return {path for path in there if "/hashstates/" not in path}


async def test_all_that_it_does_is_found_and_nothing_stays(client: Client, tmp_path: Path) -> None:
    """The census before and after is equal: as it tells it, and as its folder has it."""
    async with docker_registry(tmp_path / "registry") as registry:
        place = stocked(registry.host)
        before = census(registry.host), _links(registry)
        diagnosis = await examined(client, place)
        assert (census(registry.host), _links(registry)) == before
    assert {topic for topic, verdict in seen(diagnosis).items() if verdict != "yes"} == WITHOUT
    assert "registry/2.0" in found(diagnosis, "registry").told


async def test_one_that_is_read_only_says_so(client: Client, tmp_path: Path) -> None:
    """Whoever wants to push has to know whom to ask; that is no illness of the registry."""
    async with docker_registry(tmp_path / "registry") as registry:
        stocked(registry.host)
    read_only = {"storage": {"maintenance": {"readonly": {"enabled": True}}}}
    async with docker_registry(tmp_path / "registry", settings=read_only) as registry:
        diagnosis = await examined(client, f"{registry.host}/team/app")
    assert {topic for topic, verdict in seen(diagnosis).items() if verdict == "no"} >= {"push", "delete"}
    assert (found(diagnosis, "pull").verdict, diagnosis.ills) == ("yes", ())
    assert "read-only" in (found(diagnosis, "push").hint or "")


async def test_one_that_deletes_nothing_gets_nothing_stored(client: Client, tmp_path: Path) -> None:
    """What cannot be deleted is not stored."""
    async with docker_registry(tmp_path / "registry", settings={"storage": {"delete": {"enabled": False}}}) as registry:
        place = stocked(registry.host)
        before = census(registry.host), _links(registry)
        diagnosis = await examined(client, place)
        assert (census(registry.host), _links(registry)) == before
    assert (found(diagnosis, "delete").verdict, found(diagnosis, "push").verdict) == ("no", "yes")
    assert "REGISTRY_STORAGE_DELETE_ENABLED" in (found(diagnosis, "delete").hint or "")
    assert "nothing was stored" in found(diagnosis, "traces").told


@pytest.mark.parametrize(
    ("password", "verdicts"),
    [
        (None, {"credentials": "no", "access": "no", "pull": "no", "push": "no"}),
        ("wrong", {"credentials": "yes", "access": "no", "pull": "no", "push": "no"}),
        (CREDENTIALS[1], {"credentials": "yes", "access": "yes", "pull": "yes"}),
    ],
)
async def test_one_with_passwords_lets_in_whom_it_knows(
    password: str | None, verdicts: dict[str, str], tmp_path: Path
) -> None:
    """Nobody, somebody with another password, and somebody it knows: each is told what is the matter."""
    async with docker_registry(tmp_path / "registry", htpasswd=HTPASSWD) as registry:
        keychain: Keychain = anonymous
        if password is not None:
            keychain = static_credentials(registry.host, CREDENTIALS[0], password)
        async with connect(SETTINGS, keychain=keychain) as client:
            diagnosis = await examined(client, f"{registry.host}/team/app")
        pair = base64.b64encode(":".join(CREDENTIALS).encode()).decode()
        assert census(registry.host, {"Authorization": f"Basic {pair}"}) == {"repositories": []}
    assert {topic: verdict for topic, verdict in seen(diagnosis).items() if topic in verdicts} == verdicts
    assert "(Basic)" in found(diagnosis, "realm").told
    ills = {None: ["credentials"], "wrong": ["access"]}
    assert [each.topic for each in diagnosis.ills] == ills.get(password, [])


async def test_one_with_tokens_lets_in_whom_its_token_server_knows(tmp_path: Path) -> None:
    """Scopes are found one by one: who may pull alone is told so, and who may do everything finds everything."""
    signer = Signer(tmp_path)
    async with (
        token_server(TokenServer(sign=signer, nobody=frozenset({"pull"}))) as server,
        docker_registry(tmp_path / "registry", settings=signer.settings(server.realm)) as registry,
    ):
        place = f"{registry.host}/team/app"
        mine = known_as(BasicCredentials(LOGIN[0], SecretStr(LOGIN[1])))
        async with connect(SETTINGS, keychain=mine) as client:
            diagnosis = await examined(client, place)
        async with connect(SETTINGS, keychain=anonymous) as client:
            public = await examined(client, place)
    assert {topic for topic, verdict in seen(diagnosis).items() if verdict == "no"} == set()
    assert "tokens are given by" in found(diagnosis, "realm").told
    assert (found(public, "pull").verdict, found(public, "push").verdict, public.ills) == ("yes", "no", ())
    assert "registry-fp login" in (found(public, "push").hint or "")
