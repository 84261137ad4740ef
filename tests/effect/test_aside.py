"""Work aside: in order, little ahead, and no thread left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from registry_fp.effect.aside import Aside, aside

Work = Callable[[bytes], Result[None, str]]


@given(parts=st.lists(st.binary(min_size=1, max_size=20), max_size=30), ahead=st.integers(1, 60))
def test_everything_is_worked_on_in_order(parts: list[bytes], ahead: int) -> None:
    """Before the end says so; and never more is waiting than was agreed when somebody goes on."""
    seen: list[bytes] = []

    async def main() -> None:
        async with aside(_kept(seen), ahead=ahead) as worker:
            for number, part in enumerate(parts):
                assert await worker.give(part) == Success(None)
                assert sum(map(len, parts[: number + 1])) - sum(map(len, seen)) <= ahead
            assert await worker.end() == Success(None)

    asyncio.run(main())
    assert seen == parts
    assert not _threads()


async def test_nothing_is_worked_on_after_a_failure() -> None:
    """What comes next would be written behind a gap."""
    seen: list[bytes] = []

    def work(part: bytes) -> Result[None, str]:
        seen.append(part)
        return Failure("full")

    async with aside(work, ahead=1) as worker:
        assert await worker.give(b"first") == Failure("full")
        assert await worker.give(b"second") == Failure("full")
        assert await worker.end() == Failure("full")
    assert seen == [b"first"]


@pytest.mark.parametrize("at_the_end", [True, False])
async def test_a_bug_leaves_as_it_is(*, at_the_end: bool) -> None:
    """It is no failure of the work, and it is not lost in the thread."""

    def work(_part: bytes) -> Result[None, str]:
        raise ZeroDivisionError

    async def use(worker: Aside[str]) -> None:
        await worker.give(b"x")
        await worker.end()

    with pytest.raises(ZeroDivisionError):
        async with aside(work, ahead=100 if at_the_end else 0) as worker:
            await use(worker)
    assert not _threads()


async def test_what_is_not_begun_is_dropped() -> None:
    """Whoever leaves early waits for the piece under way, and for no other."""
    seen: list[bytes] = []
    go_on, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(part: bytes) -> Result[None, str]:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        seen.append(part)
        return Success(None)

    async def use() -> None:
        async with aside(work, ahead=4) as worker:
            for _ in range(10):
                await worker.give(b"xx")

    job = asyncio.create_task(use())
    await begun.wait()
    for _ in range(3):  # also who is cancelled again while the piece is under way
        job.cancel()
        await asyncio.sleep(0)
    assert not job.done()
    go_on.set()
    await asyncio.wait((job,))
    assert job.cancelled()
    assert seen == [b"xx"]
    assert not _threads()


async def test_a_cancelled_end_still_leaves_no_thread() -> None:
    """The cancellation is passed on when the thread is gone."""
    seen: list[bytes] = []
    go_on = threading.Event()

    def work(part: bytes) -> Result[None, str]:
        go_on.wait()
        seen.append(part)
        return Success(None)

    async def use() -> None:
        async with aside(work, ahead=100) as worker:
            await worker.give(b"x")
            await worker.end()

    job = asyncio.create_task(use())
    for _ in range(3):
        await asyncio.sleep(0)
    job.cancel()
    await asyncio.sleep(0)
    assert not job.done()
    go_on.set()
    await asyncio.wait((job,))
    assert job.cancelled()
    assert seen == [b"x"]


async def test_nothing_given_begins_no_thread() -> None:
    """An empty stream has an end like any other."""
    async with aside(_kept([]), ahead=1) as worker:
        assert not worker.is_begun
        assert await worker.end() == Success(None)


def _kept(seen: list[bytes]) -> Work:
    def work(part: bytes) -> Result[None, str]:
        seen.append(part)
        return Success(None)

    return work


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "registry-fp aside"]
