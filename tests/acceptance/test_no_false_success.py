"""No false success: what looks as if it were done, and is not."""

import os
from pathlib import Path

import pytest

from registry_fp import (
    Err,
    InvalidImage,
    Ok,
    ProtocolViolation,
    Settings,
    UploadLost,
    connect,
    describe,
    digest_of,
    docker_save,
    has_blob,
    parse_reference,
    ping,
    push,
    settle,
    unwrap,
)
from registry_fp.testing import Answer, EmbeddedRegistry, Fault, NotStored, write_docker_save
from tests.acceptance.images import image
from tests.acceptance.reader import Reader, read_archive
from tests.archive.tars import Save


async def test_a_longer_layer_under_a_known_diff_id_is_read_before_it_counts(
    embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """Its blob is there, or can be mounted: and the archive still is not what it says."""
    good = Save((image("app:1.0").layers[0],))
    (tmp_path / "good.tar").write_bytes(bytes(good))
    longer = good.but(layers=(good.layers[0] + bytes(4096),), config_raw=good.raw_config)
    (tmp_path / "longer.tar").write_bytes(bytes(longer))
    async with connect(Settings(compression="none")) as client:
        await unwrap(push(client, docker_save(tmp_path / "good.tar"), f"{embedded_registry.host}/one:1"))
        for name in ("one", "two"):
            out = await settle(push(client, docker_save(tmp_path / "longer.tar"), f"{embedded_registry.host}/{name}:2"))
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, InvalidImage)


async def test_two_members_that_claim_one_diff_id_are_both_read(
    embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """The second is another layer, whatever it claims."""
    one = image("app:1.0").layers[0]
    good = Save((one, one))
    evil = good.but(layers=(one, bytes([one[0] ^ 1]) + one[1:]), config_raw=good.raw_config)
    (tmp_path / "evil.tar").write_bytes(bytes(evil))
    async with connect() as client:
        out = await settle(push(client, docker_save(tmp_path / "evil.tar"), f"{embedded_registry.host}/app:1"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)


async def test_a_blob_that_is_acknowledged_and_lost_is_sent_again(
    embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """201 is a word; what the registry can show is the fact."""
    write_docker_save(tmp_path / "app.tar", image("app:1.0"))
    embedded_registry.set_faults(Fault(NotStored(), endpoint="end-6", nth=(1, 2)))
    async with connect(Settings(small_blob=64 * 1024)) as client:
        await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{embedded_registry.host}/app:1"))
        Reader(embedded_registry.host).prove("app", "1", read_archive(tmp_path / "app.tar")[0])
        embedded_registry.set_faults(Fault(NotStored(), endpoint="end-6"))
        write_docker_save(tmp_path / "other.tar", image("app:1.0", seed=7))
        out = await settle(push(client, docker_save(tmp_path / "other.tar"), f"{embedded_registry.host}/app:2"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, UploadLost)


async def test_a_web_page_does_not_have_a_blob(embedded_registry: EmbeddedRegistry) -> None:
    """A captive portal says 200 to everything."""
    embedded_registry.set_faults(Fault(Answer(200, {"Content-Type": "text/html; charset=utf-8"})))
    async with connect() as client:
        for ask in (
            ping(client, embedded_registry.host),
            has_blob(client, f"{embedded_registry.host}/a", digest_of(b"")),
        ):
            out = await settle(ask)
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, ProtocolViolation)


@pytest.mark.parametrize("challenge", ['Bearer "' + '\\"' * 3500, "Basic " * 1200, 'x="' * 2500])
async def test_a_challenge_without_an_end_is_read_in_one_pass(
    challenge: str, embedded_registry: EmbeddedRegistry
) -> None:
    """A header that takes seconds to read stops everything else in the loop; this one would have taken minutes."""
    embedded_registry.set_faults(Fault(Answer(401, {"WWW-Authenticate": challenge})))
    async with connect(Settings(retries=0)) as client:
        for _ in range(20):
            assert isinstance(await settle(ping(client, embedded_registry.host)), Err)


async def test_a_cache_that_others_can_write_to_is_not_read(
    embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """Who can write there could name any blob for a layer."""
    folder = tmp_path / "shared"
    folder.mkdir()
    os.chmod(folder, 0o777)  # noqa: S103, PTH101  the danger that is tested
    write_docker_save(tmp_path / "app.tar", image("app:1.0"))
    async with connect(Settings(cache_dir=folder)) as client:
        out = await settle(push(client, docker_save(tmp_path / "app.tar"), f"{embedded_registry.host}/app:1"))
    assert isinstance(out, Ok)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "text", ["user:s3cret@HOST", "user:p/s3cret@host/app", "https:/user:s3cret@host", "user:se@s3cret@host/app"]
)
def test_a_password_before_a_host_is_not_repeated(text: str) -> None:
    """What is typed into the wrong place must not end up in a log."""
    assert "cret" not in describe(parse_reference(text).failure())
