"""Memory: a download holds a few pieces, whatever the size of the blob and the haste of its user."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from contextlib import aclosing

import pytest

from registry_fp import Client, Descriptor, Digest, parse_repository
from registry_fp.operations.download import AHEAD, blob_chunks
from tests.transport.chaos import Visit, chaos

PIECE = bytes(256 * 1024)
PIECES = 160  # 40 MiB
WANTED = Descriptor(
    media_type="application/octet-stream",
    digest=Digest("sha256", hashlib.sha256(PIECE * PIECES).hexdigest()),
    size=len(PIECE) * PIECES,
)


async def _serve(visit: Visit) -> None:
    await visit.hear()
    await visit.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % WANTED.size)
    for _ in range(PIECES):
        await visit.say(PIECE)


@pytest.mark.parametrize("busy", [0, 50])
async def test_a_download_holds_a_few_pieces(client: Client, busy: int) -> None:
    """Of 40 MiB, less than 6 at any moment, also for a user who is busy between two pieces."""
    taken = 0
    async with chaos(_serve) as server:
        name = parse_repository(f"{server.host}/app").unwrap()
        tracemalloc.start()
        try:
            async with aclosing(blob_chunks(client, name, WANTED)) as chunks:
                async for chunk in chunks:
                    taken += len(chunk.unwrap())
                    for _ in range(busy):
                        await asyncio.sleep(0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert taken == WANTED.size
    assert peak < 6 * AHEAD
