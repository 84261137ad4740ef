"""Connections that break: the exact bytes all the same, and hardly one of them twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from registry_fp import Client, Descriptor, connect, parse_repository, put_blob, unwrap
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.operations.download import blob_chunks
from registry_fp.testing import Answer, Corrupt, Drop, DropAfter, EmbeddedRegistry, Fault, Stall
from registry_fp.testing.faults import Action
from tests.download.conftest import HASTY, SETTINGS, Stored
from tests.download.taking import Taken, take
from tests.transport.clocks import InstantClock


def _cut_at(*offsets: int) -> list[Fault]:
    """The n-th request ends when the blob has come so far."""
    steps = itertools.pairwise((0, *offsets))
    return [Fault(DropAfter(end - begin), endpoint="end-2", nth=(n,)) for n, (begin, end) in enumerate(steps, 1)]


def _offsets(seed: int, stored: Stored) -> list[int]:
    """A hundred places in a blob, the same ones each time."""
    return sorted(random.Random(seed).sample(range(1, len(stored.content)), 100))  # noqa: S311  nobody is to be surprised


async def test_a_blob_that_is_cut_a_hundred_times_comes_whole(stored: Stored, client: Client) -> None:
    """Every byte once: what has come is not asked for again, whatever it was that broke."""
    offsets = _offsets(7, stored)
    stored.registry.set_faults(*_cut_at(*offsets))
    assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)
    assert stored.ranges() == [None, *(f"bytes={offset}-" for offset in offsets)]
    assert stored.registry.counts().blob_bytes_out == len(stored.content)


async def test_a_consumer_that_is_slow_does_not_make_cuts_dearer(stored: Stored, client: Client) -> None:
    """What came before a cut waits for its user, and is not lost with the connection."""
    offsets = _offsets(8, stored)
    stored.registry.set_faults(*_cut_at(*offsets))
    parts = []
    name = parse_repository(stored.repository).unwrap()
    async with aclosing(blob_chunks(client, name, stored.descriptor)) as chunks:
        async for chunk in chunks:
            parts.append(chunk.unwrap())
            for _ in range(20):
                await asyncio.sleep(0)
    assert b"".join(parts) == stored.content
    assert stored.registry.counts().blob_bytes_out <= 1.1 * len(stored.content)


@pytest.mark.parametrize(
    "action",
    [Answer(503), Answer(429, {"Retry-After": "7"}), Drop(), Drop(reset=False), Stall(), Stall(5000), DropAfter(1)],
    ids=str,
)
async def test_whatever_passes_is_waited_out_in_the_middle_of_a_blob(
    stored: Stored, time: InstantClock, action: Action
) -> None:
    """After half a blob, a registry that is restarted, that asks for a pause, or that falls silent."""
    half = len(stored.content) // 2
    stored.registry.set_faults(
        Fault(DropAfter(half), endpoint="end-2", nth=(1,)), Fault(action, endpoint="end-2", nth=(2, 3))
    )
    async with connect(HASTY, clock=time.clock) as client:
        assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)
    assert stored.registry.counts().requests == 4
    assert stored.registry.counts().blob_bytes_out <= len(stored.content) + 10_000
    if action == Answer(429, {"Retry-After": "7"}):
        assert [pause for pause in time.waits if pause >= 7.0]


async def test_only_failures_in_a_row_are_counted(stored: Stored, client: Client) -> None:
    """A cut and three refusals are borne again and again, as long as something comes in between."""
    cuts = tuple(range(1, 40, 4))
    stored.registry.set_faults(
        Fault(DropAfter(90_000), endpoint="end-2", nth=cuts),
        Fault(Answer(502), endpoint="end-2", nth=tuple(n for n in range(1, 41) if n not in cuts)),
    )
    assert await take(client, stored.repository, stored.descriptor) == Taken(stored.content, None)
    assert stored.registry.counts().requests == 41


async def test_a_line_that_brings_nothing_more_ends_in_a_failure(
    stored: Stored, client: Client, time: InstantClock
) -> None:
    """After five requests for nothing, of which each waited longer; with all that was tried and waited on the error."""
    stored.registry.set_faults(
        Fault(DropAfter(300_000), endpoint="end-2", nth=(1,)), Fault(Drop(), endpoint="end-2", nth=tuple(range(2, 99)))
    )
    taken = await take(client, stored.repository, stored.descriptor)
    assert taken.error is not None
    assert (taken.content, taken.error.doing) == (stored.content[:300_000], "get_blob")
    assert isinstance(taken.error.reason, why.ConnectionLost)
    assert (taken.error.attempts, stored.registry.counts().requests) == (5, 5)
    assert taken.error.elapsed == pytest.approx(sum(time.waits))
    assert len(time.waits) == 4


async def test_a_line_that_brings_a_byte_at_a_time_ends_too(stored: Stored, client: Client) -> None:
    """A blob is not worth a million requests: that little is no progress."""
    stored.registry.set_faults(Fault(DropAfter(1), endpoint="end-2"))
    taken = await take(client, stored.repository, stored.descriptor)
    assert taken.error is not None
    assert (taken.content, taken.error.attempts) == (stored.content[:5], 5)


async def test_a_blob_that_is_gone_when_it_is_asked_for_again_is_not_found(stored: Stored, client: Client) -> None:
    """Somebody deleted it; that does not pass."""
    stored.registry.set_faults(
        Fault(DropAfter(1000), endpoint="end-2", nth=(1,)), Fault(Answer(404), endpoint="end-2", nth=(2,))
    )
    taken = await take(client, stored.repository, stored.descriptor)
    assert taken.error is not None
    assert (taken.error.reason, taken.error.attempts) == (why.NotFound("blob"), 2)


async def test_a_wrong_bit_after_a_cut_is_found(stored: Stored, client: Client) -> None:
    """The proof is over the whole, whichever answers brought it."""
    stored.registry.set_faults(
        Fault(DropAfter(1000), endpoint="end-2", nth=(1,)), Fault(Corrupt(5), endpoint="end-2", nth=(2,))
    )
    taken = await take(client, stored.repository, stored.descriptor)
    assert taken.error is not None
    assert isinstance(taken.error.reason, why.DigestMismatch)
    assert taken.error.reason.expected == stored.descriptor.digest


async def test_a_blob_without_a_promised_size_goes_on_as_well(stored: Stored, client: Client) -> None:
    """Who knows only the digest learns the size from the first answer."""
    stored.registry.set_faults(*_cut_at(10, 500_000, 999_999))
    assert await take(client, stored.repository, stored.descriptor.digest) == Taken(stored.content, None)


@profile(max_examples=40)
@given(content=st.binary(max_size=3000), cuts=st.lists(st.integers(1, 3000), max_size=8), promised=st.booleans())
def test_any_pattern_of_cuts_gives_the_same_bytes(content: bytes, cuts: list[int], *, promised: bool) -> None:
    """And no byte is served twice (resume algebra)."""

    async def main() -> None:
        offsets = sorted({cut for cut in cuts if cut < len(content)})
        async with EmbeddedRegistry() as registry, connect(SETTINGS, clock=InstantClock().clock) as client:
            descriptor: Descriptor = await unwrap(put_blob(client, f"{registry.host}/app", content))
            registry.reset_counts()
            registry.set_faults(*_cut_at(*offsets))
            wanted = descriptor if promised else digest_of(content)
            assert await take(client, f"{registry.host}/app", wanted) == Taken(content, None)
            counts = registry.counts()
            assert (counts.requests, counts.blob_bytes_out) == (len(offsets) + 1, len(content))

    asyncio.run(main())
