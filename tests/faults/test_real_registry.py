"""The same promises against Debian's docker-registry, over connections that break."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from pathlib import Path

import pytest

from registry_fp import connect, docker_save, push
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok, settle
from tests.acceptance.reader import Reader
from tests.faults.image import Archive, settings, write_mixed
from tests.faults.outcome import until
from tests.faults.proxy import Cut, cutting
from tests.real.docker_registry import RealRegistry
from tests.transport.clocks import InstantClock


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The image; read only."""
    return write_mixed(tmp_path_factory.mktemp("real") / "app.tar")


@pytest.mark.parametrize(
    "cuts",
    [
        [Cut(up=100)],
        [Cut(up=20_000)],
        [Cut(up=20_000), Cut(up=60_000), Cut(up=90_000)],
        [Cut(up=60_000, reset=False)],
        [Cut(up=150_000)],
        [Cut(down=50)],
        [Cut(down=700), Cut(down=700), Cut(down=700)],
        [Cut(down=1500, reset=False)],
        [Cut(up=0)],
    ],
    ids=str,
)
async def test_a_connection_that_breaks_costs_a_push_nothing_but_time(
    archive: Archive, real_registry: RealRegistry, cuts: list[Cut]
) -> None:
    """In the middle of a layer, of a commit, of an answer: a real registry ends with the whole image."""
    path = f"faults/{uuid.uuid4().hex}"
    async with cutting(real_registry.host, *cuts) as proxy:
        async with connect(settings(), clock=InstantClock().clock) as client:
            out = await settle(push(client, docker_save(archive.path), f"{proxy.host}/{path}:1.0"))
        assert proxy.connections > len(cuts)
    assert isinstance(out, Ok), out
    stored = await asyncio.to_thread(Reader(real_registry.host).prove, path, "1.0", archive.saved)
    assert stored.digest == str(out.value.digest)


@pytest.mark.parametrize("cut", [Cut(up=20_000), Cut(down=100), Cut(up=1, reset=False)], ids=str)
async def test_a_line_that_always_breaks_ends_a_push_in_bounds(
    archive: Archive, real_registry: RealRegistry, cut: Cut
) -> None:
    """With a reason that says so, and without a tag."""
    path = f"faults/{uuid.uuid4().hex}"
    time = InstantClock()
    async with cutting(real_registry.host, always=cut) as proxy, connect(settings(), clock=time.clock) as client:
        out = await settle(push(client, docker_save(archive.path), f"{proxy.host}/{path}:1.0"))
        assert proxy.connections <= 40
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.ConnectionLost)
    assert time.passed <= 60.0
    assert await asyncio.to_thread(Reader(real_registry.host).tags, path) == set()


async def test_a_push_that_is_cancelled_leaves_no_upload_in_a_real_registry(
    archive: Archive, real_registry: RealRegistry
) -> None:
    """Its purge of dead uploads comes after a week."""
    for begun in range(1, 4):
        path = f"faults/{uuid.uuid4().hex}"
        async with connect(settings(), clock=InstantClock().clock) as client:
            job = asyncio.ensure_future(
                settle(push(client, docker_save(archive.path), f"{real_registry.host}/{path}:1.0"))
            )
            await until(job, partial(_holds, real_registry, path, begun))
            job.cancel()
            await asyncio.wait({job})
        assert _uploads(real_registry, path) == []


def _holds(registry: RealRegistry, path: str, sessions: int) -> bool:
    return len(_uploads(registry, path)) >= sessions


def _uploads(registry: RealRegistry, path: str) -> list[Path]:
    """The sessions that hold bytes on the registry's disk; of one that is given up, 2.8.2 keeps the empty folders."""
    folder = registry.storage / "docker/registry/v2/repositories" / path / "_uploads"
    return list(folder.glob("*/data"))
