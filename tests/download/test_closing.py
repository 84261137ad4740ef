"""Downloads that nobody takes to their end: nothing is left of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from returns.result import Result, Success

from registry_fp import Client, Descriptor, connect, parse_repository, put_blob, unwrap
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.operations.download import AHEAD, blob_chunks
from registry_fp.testing import DropAfter, EmbeddedRegistry, Fault, Stall
from tests.download.conftest import SETTINGS, Stored
from tests.download.taking import Taken, take
from tests.transport.chaos import chaos, endless, say
from tests.transport.clocks import HeldClock


def _chunks(client: Client, stored: Stored) -> AsyncGenerator[Result[bytes, RegistryError], None]:
    return blob_chunks(client, parse_repository(stored.repository).unwrap(), stored.descriptor)


async def test_a_download_that_is_not_begun_asks_nothing(stored: Stored, client: Client) -> None:
    """A generator that was only made holds nothing, and warns of nothing."""
    chunks = _chunks(client, stored)
    await chunks.aclose()
    assert stored.registry.counts().requests == 0


async def test_a_download_that_is_closed_early_gives_its_connection_back(stored: Stored, client: Client) -> None:
    """More often than there are connections, and each time a new one can be had."""
    for _ in range(40):
        async with aclosing(_chunks(client, stored)) as chunks:
            assert isinstance(await anext(chunks), Success)
    assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_download_can_be_cancelled_at_any_step(stored: Stored, client: Client, steps: int) -> None:
    """Before the answer, in the middle of the bytes, between two attempts: the task ends, and all that it began."""
    stored.registry.set_faults(Fault(DropAfter(200_000), endpoint="end-2"))
    job = asyncio.create_task(take(client, stored.repository, stored.descriptor))
    for _ in range(steps):
        await asyncio.sleep(0)
    job.cancel()
    await asyncio.wait((job,))
    assert job.cancelled() or job.result() == Taken(stored.content, None)
    stored.registry.set_faults()
    assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)


async def test_a_download_can_be_cancelled_while_it_waits_to_ask_again(stored: Stored) -> None:
    """A pause between two attempts is no time that anybody has to wait for."""
    time = HeldClock()
    stored.registry.set_faults(Fault(DropAfter(1000), endpoint="end-2"))
    async with connect(SETTINGS, clock=time.clock) as client:
        job = asyncio.create_task(take(client, stored.repository, stored.descriptor))
        await time.asleep(1)
        job.cancel()
        await asyncio.wait((job,))
    assert job.cancelled()
    assert not time.sleepers


async def test_a_download_can_be_cancelled_while_the_registry_is_silent(stored: Stored, client: Client) -> None:
    """Whoever gives up does not wait for the other side."""
    stored.registry.set_faults(Fault(Stall(), endpoint="end-2"))
    job = asyncio.create_task(take(client, stored.repository, stored.descriptor))
    while not stored.registry.counts().in_flight:  # noqa: ASYNC110  the registry's counters are no event
        await asyncio.sleep(0)
    job.cancel()
    await asyncio.wait((job,))
    assert job.cancelled()


async def test_a_bug_in_the_consumer_leaves_as_it_is(stored: Stored, client: Client) -> None:
    """And closes the download on its way."""

    async def use() -> None:
        async with aclosing(_chunks(client, stored)) as chunks:
            async for chunk in chunks:
                assert chunk.unwrap()
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await use()
    assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)


async def test_a_consumer_that_is_slow_holds_the_registry_back(client: Client) -> None:
    """Of a blob that has no end only so much is read as is used, and a little ahead."""
    begin = say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", then=endless(bytes(64 * 1024)))
    wanted = Descriptor(media_type="a/b", digest=digest_of(b""), size=10**12)
    async with (
        chaos(begin) as server,
        aclosing(blob_chunks(client, parse_repository(f"{server.host}/app").unwrap(), wanted)) as chunks,
    ):
        used = len((await anext(chunks)).unwrap())
        quiet, before = 0, -1
        # Steps in which the registry, which is on this loop too, could send nothing more.
        while quiet < 1000:
            await asyncio.sleep(0)
            quiet = quiet + 1 if server.sent == before else 0
            before = server.sent
        assert server.sent <= used + AHEAD + 32 * 1024 * 1024  # the kernel's buffers on both sides
        assert AHEAD <= len((await anext(chunks)).unwrap()) <= AHEAD + 1024 * 1024


async def test_many_downloads_at_once_share_the_connections(client: Client) -> None:
    """One connection each, and no more than there are; all of them end."""
    content = os.urandom(300_000)
    async with EmbeddedRegistry() as registry, connect(SETTINGS) as many:
        stored = await unwrap(put_blob(many, f"{registry.host}/app", content))
        registry.reset_counts()
        taken = await asyncio.gather(*(take(many, f"{registry.host}/app", stored) for _ in range(50)))
        assert registry.counts().connections <= SETTINGS.connections_per_host
    assert taken == [Taken(content, None)] * 50
