"""Login: the right password opens, a wrong one is named, and neither is ever shown."""

import uuid
from pathlib import Path

import pytest

from registry_fp import (
    Err,
    Keychain,
    Settings,
    Unauthenticated,
    anonymous,
    connect,
    docker_save,
    explain,
    list_tags,
    ping,
    push,
    push_all,
    settle,
    static_credentials,
    unwrap,
)
from tests.acceptance.images import SHAPES
from tests.acceptance.reader import Reader, read_archive
from tests.real.docker_registry import CREDENTIALS, RealRegistry


async def test_a_push_with_the_right_password_is_a_push(real_registry_with_login: RealRegistry, tmp_path: Path) -> None:
    """Basic authentication, as most private registries ask for it: also for streams, mounts and a second push."""
    host, path = real_registry_with_login.host, f"team-{uuid.uuid4().hex[:12]}"
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)
    async with connect(Settings(small_blob=64 * 1024), keychain=static_credentials(host, *CREDENTIALS)) as client:
        await unwrap(ping(client, host))
        await unwrap(push(client, docker_save(archive), f"{host}/{path}/app:1.0"))
        again = await unwrap(push(client, docker_save(archive), f"{host}/{path}/app:1.1"))
        everywhere = await unwrap(push_all(client, docker_save(archive), f"{host}/{path}"))
        assert (again.sent, sum(each.sent for each in everywhere)) == (0, 0)
        assert set(await unwrap(list_tags(client, f"{host}/{path}/app"))) == {"1.0", "1.1"}
    Reader(host, CREDENTIALS).prove(f"{path}/app", "1.1", read_archive(archive)[0])


@pytest.mark.parametrize("known", ["nobody", "a wrong password", "another host"])
async def test_without_the_right_password_nothing_is_sent(
    known: str, real_registry_with_login: RealRegistry, tmp_path: Path
) -> None:
    """The reason says what to give, and does not repeat what was given."""
    host, path = real_registry_with_login.host, f"team-{uuid.uuid4().hex[:12]}"
    keychains: dict[str, Keychain] = {
        "nobody": anonymous,
        "a wrong password": static_credentials(host, CREDENTIALS[0], "hunter2"),
        "another host": static_credentials("ghcr.io", *CREDENTIALS),
    }
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)
    async with connect(keychain=keychains[known]) as client:
        out = await settle(push(client, docker_save(archive), f"{host}/{path}/app:1.0"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unauthenticated)
    assert (out.error.attempts, "credentials" in explain(out.error)) == (1, True)
    assert "hunter2" not in explain(out.error) + repr(out.error)
    assert Reader(host, CREDENTIALS).get(f"{path}/app/tags/list").status == 404
