"""The same promises by Debian's docker-registry, over lines that break."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import uuid

import pytest

from registry_fp import Client, Descriptor, connect, put_blob, unwrap
from tests.download.conftest import SETTINGS
from tests.download.taking import Taken, take
from tests.faults.proxy import Cut, cutting
from tests.real.docker_registry import RealRegistry
from tests.transport.clocks import InstantClock

SIZE = 20_000_000
HEAD = 500  # the head of an answer, in bytes, and a few


async def _stored(client: Client, host: str) -> tuple[str, bytes, Descriptor]:
    content = os.urandom(SIZE)
    path = f"download/{uuid.uuid4().hex}"
    return path, content, await unwrap(put_blob(client, f"{host}/{path}", content))


@pytest.mark.parametrize("reset", [True, False])
async def test_a_blob_that_is_cut_a_hundred_times_comes_whole(real_registry: RealRegistry, *, reset: bool) -> None:
    """By a reset or by an end, at random: at most a tenth of its bytes goes over the line twice."""
    chance = random.Random(5)  # noqa: S311  the same cuts each time
    cuts = [Cut(down=HEAD + chance.randrange(2 * SIZE // 110), reset=reset) for _ in range(100)]
    async with connect(SETTINGS, clock=InstantClock().clock) as client:
        path, content, wanted = await _stored(client, real_registry.host)
        async with cutting(real_registry.host, *cuts) as proxy:
            assert await take(client, f"{proxy.host}/{path}", wanted) == Taken(content, None)
            assert proxy.connections > 90
            assert proxy.down <= 1.1 * SIZE


async def test_a_blob_that_is_cut_is_the_one_that_others_read(real_registry: RealRegistry) -> None:
    """Proven by somebody who shares no code with us: the file in the registry's own storage."""
    async with connect(SETTINGS, clock=InstantClock().clock) as client:
        path, _, wanted = await _stored(client, real_registry.host)
        async with cutting(real_registry.host, Cut(down=SIZE // 3), Cut(down=SIZE // 3)) as proxy:
            taken = await take(client, f"{proxy.host}/{path}", wanted)
    value = wanted.digest.hex
    blobs = real_registry.storage / "docker/registry/v2/blobs/sha256"
    on_disk = await asyncio.to_thread((blobs / value[:2] / value / "data").read_bytes)
    assert taken == Taken(on_disk, None)
    assert hashlib.sha256(taken.content).hexdigest() == value


async def test_a_rest_is_a_range_to_a_real_registry_too(real_registry: RealRegistry) -> None:
    """It answers 206 to a start in the middle, and 416 to one at the end."""
    async with connect(SETTINGS, clock=InstantClock().clock) as client:
        path, content, wanted = await _stored(client, real_registry.host)
        for start in (1, SIZE // 2, SIZE - 1, SIZE):
            seen = hashlib.sha256(content[:start])
            taken = await take(client, f"{real_registry.host}/{path}", wanted.digest, start=start, seen=seen)
            assert taken == Taken(content[start:], None)
