"""Together: what several pushes, services and long lives do to each other."""

import asyncio
from pathlib import Path

import pytest

from registry_fp import (
    Credentials,
    Err,
    InvalidImage,
    Misconfigured,
    Op,
    Settings,
    connect,
    docker_save,
    ping,
    push,
    push_all,
    put_blob,
    read_settings,
    settle,
    static_credentials,
    unwrap,
    validate,
)
from registry_fp.testing import EmbeddedRegistry, Fault, Stall, running_registry, write_docker_save
from tests.acceptance.images import image
from tests.archive.tars import Save


def _damaged(path: Path) -> None:
    """Three layers, the last of which is not what its diff_id names."""
    good = Save(tuple(dict.fromkeys(image("app:1.0").layers)))
    last = good.layers[-1]
    path.write_bytes(
        bytes(good.but(layers=(*good.layers[:-1], bytes([last[0] ^ 1]) + last[1:]), config_raw=good.raw_config))
    )


async def test_a_damaged_image_pushed_twice_at_once_commits_nothing(
    embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """Who waits for a blob that another push sends must not commit the rest of an image that was never sound."""
    _damaged(tmp_path / "bad.tar")
    async with connect(Settings(small_blob=64 * 1024)) as client:
        pushes = [
            push(client, docker_save(tmp_path / "bad.tar"), f"{embedded_registry.host}/app:{n}") for n in range(3)
        ]
        outs = await asyncio.gather(*(settle(each) for each in pushes))
    assert all(isinstance(out, Err) and isinstance(out.error.reason, InvalidImage) for out in outs)
    assert not [seen for seen in embedded_registry.requests if seen.method == "PUT"]
    assert embedded_registry.counts().uploads_open == 0


async def test_a_blob_that_is_cancelled_leaves_no_upload(embedded_registry: EmbeddedRegistry) -> None:
    """A registry keeps what it got of an upload for a week."""
    embedded_registry.set_faults(Fault(Stall(), endpoint="end-6"))
    async with connect() as client:
        job = asyncio.create_task(put_blob(client, f"{embedded_registry.host}/app", b"x" * 1000).awaitable())
        while not embedded_registry.counts().by_endpoint.get("end-6"):
            await asyncio.wait({job}, timeout=0.01)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert embedded_registry.counts().uploads_open == 0


async def test_newer_credentials_are_asked_for_when_the_old_ones_end() -> None:
    """A client lives as long as its service; a password does not."""
    passwords = ["first"]

    def keychain(host: str) -> Op[Credentials | None]:
        return static_credentials(host, "tester", passwords[-1])(host)

    async with connect(Settings(retries=0), keychain=keychain) as client:
        with running_registry(basic_auth=("tester", "first")) as before:
            await unwrap(ping(client, before.host))
        port = int(before.host.rpartition(":")[2])
        with running_registry(port=port, basic_auth=("tester", "second")) as after:
            assert isinstance(await settle(ping(client, after.host)), Err)
            passwords.append("second")
            await unwrap(ping(client, after.host))


async def test_a_choice_of_an_image_is_kept_or_refused(tmp_path: Path) -> None:
    """A choice that is silently forgotten proves, or pushes, something else than was meant."""
    archive = tmp_path / "app.tar"
    write_docker_save(archive, image("app:1.0"))
    async with connect() as client:
        out = await settle(push_all(client, docker_save(archive, image="app:1.0"), "localhost:1"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    out_of = await settle(validate(docker_save(archive, image="nonsense:1")))
    assert isinstance(out_of, Err)
    assert isinstance(out_of.error.reason, InvalidImage)
    assert len(await unwrap(validate(docker_save(archive, image="app:1.0")))) == 1


async def test_each_copy_of_a_layer_is_proven(tmp_path: Path) -> None:
    """Two members that claim one diff_id are two claims."""
    good = Save((one := image("app:1.0").layers[0], one))
    archive = tmp_path / "app.tar"
    archive.write_bytes(bytes(good.but(layers=(one, bytes([one[0] ^ 1]) + one[1:]), config_raw=good.raw_config)))
    out = await settle(validate(docker_save(archive)))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)


def test_a_variable_that_should_be_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the environment is not a bug of the library."""
    monkeypatch.setenv("REGISTRY_FP_HOSTS", "x")
    error = read_settings().failure()
    assert isinstance(error.reason, Misconfigured)
    assert error.reason.setting == "hosts"
