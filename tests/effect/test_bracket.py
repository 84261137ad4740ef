"""Resources: released exactly once after they were acquired, whatever happens, and only then."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from returns.result import Failure, Result

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.bracket import Died, bracket, finish
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from tests.effect.laws import DENIED, Waiting, bad, good, others, outcomes, run, settled

Ended = Ok[int] | Err[RegistryError] | Died


class _Resource:
    """Something that is opened once and must be closed once."""

    def __init__(self) -> None:
        self.released: list[Ended] = []

    def acquire(self) -> Op[str]:
        """Open it."""
        return good("file")

    async def release(self, name: str, ended: Ended) -> None:
        """Close it, with a suspension in the middle."""
        assert name == "file"
        await asyncio.sleep(0)
        self.released.append(ended)


@given(out=outcomes)
def test_release_sees_the_outcome_and_the_outcome_is_passed_on(out: Ok[int] | Err[RegistryError]) -> None:
    """On both tracks: closed exactly once, and nothing changed."""
    resource = _Resource()
    assert run(settle(bracket(resource.acquire, lambda _: settled(out), resource.release))) == out
    assert resource.released == [out]


async def test_what_was_not_acquired_is_neither_used_nor_released() -> None:
    """An archive that cannot be opened has nothing to close."""
    resource = _Resource()

    def used(_: int) -> Op[int]:
        raise AssertionError

    async def released(_: int, ended: Ended) -> None:
        resource.released.append(ended)

    assert await settle(bracket(bad, used, released)) == Err(DENIED)
    assert resource.released == []


@pytest.mark.parametrize("synchronous", [True, False])
async def test_a_bug_in_the_use_escapes_after_the_release(synchronous: bool) -> None:
    """A bug in a user's callback must not leak a descriptor, and must not be hidden."""
    resource = _Resource()

    @operation
    async def buggy(_: str) -> Result[int, RegistryError]:
        raise ZeroDivisionError

    def use(name: str) -> Op[int]:
        if synchronous:
            raise ZeroDivisionError
        return buggy(name)

    with pytest.raises(ZeroDivisionError) as caught:
        await settle(bracket(resource.acquire, use, resource.release))
    assert resource.released == [Died(caught.value)]


async def test_a_cancelled_use_is_released_before_the_cancellation_goes_on() -> None:
    """A shutdown closes what is open, and stays a shutdown."""
    resource, work = _Resource(), Waiting()
    out: Ok[int] | Err[RegistryError] = Ok(1)
    job = asyncio.create_task(settle(bracket(resource.acquire, lambda _: work.op(out), resource.release)))
    await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    [ended] = resource.released
    assert isinstance(ended, Died)
    assert isinstance(ended.cause, asyncio.CancelledError)
    assert others() == set()


async def test_cancelling_the_acquisition_releases_nothing() -> None:
    """There is nothing yet."""
    resource, work = _Resource(), Waiting()
    out: Ok[str] | Err[RegistryError] = Ok("file")
    job = asyncio.create_task(settle(bracket(lambda: work.op(out), lambda _: good(1), resource.release)))
    await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert resource.released == []


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_release_that_is_cancelled_still_ends_and_then_the_cancellation_goes_on(times: int) -> None:
    """An impatient user presses Ctrl-C again and again; the upload session is still given up."""
    releasing, go, released = asyncio.Event(), asyncio.Event(), list[str]()

    async def release(name: str, _: Ended) -> None:
        releasing.set()
        await go.wait()
        released.append(name)

    job = asyncio.create_task(settle(bracket(_Resource().acquire, lambda _: good(1), release)))
    await releasing.wait()
    for _ in range(times):
        job.cancel()
        await asyncio.sleep(0)
    assert not job.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert released == ["file"]
    assert others() == set()


async def test_cancelled_in_use_and_again_in_release_is_still_released_once() -> None:
    """The worst hour of a resource."""
    releasing, go, released = asyncio.Event(), asyncio.Event(), list[str]()
    work = Waiting()
    out: Ok[int] | Err[RegistryError] = Ok(1)

    async def release(name: str, _: Ended) -> None:
        releasing.set()
        await go.wait()
        released.append(name)

    job = asyncio.create_task(settle(bracket(_Resource().acquire, lambda _: work.op(out), release)))
    await work.begun.wait()
    job.cancel()
    await releasing.wait()
    job.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert released == ["file"]


@pytest.mark.parametrize("used", [good(1), bad()])
async def test_a_bug_in_the_release_escapes(used: Op[int]) -> None:
    """Content that could not be closed may not have been written: a success must not cover that."""

    async def release(_name: str, _ended: Ended) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settle(bracket(_Resource().acquire, lambda _: used, release))


async def test_a_bug_in_the_release_after_a_bug_in_the_use_tells_both() -> None:
    """The first bug is the interesting one, and stands in the context of the second."""

    @operation
    async def buggy(_: str) -> Result[int, RegistryError]:
        raise KeyError

    async def release(_name: str, _ended: Ended) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await settle(bracket(_Resource().acquire, buggy, release))
    assert isinstance(caught.value.__context__, KeyError)


async def test_a_bug_in_a_release_that_was_cancelled_surfaces() -> None:
    """Of a cancellation and a bug the bug is the one that nobody knows of yet."""
    releasing, go = asyncio.Event(), asyncio.Event()

    async def release(_name: str, _ended: Ended) -> None:
        releasing.set()
        await go.wait()
        raise ZeroDivisionError

    job = asyncio.create_task(settle(bracket(_Resource().acquire, lambda _: good(1), release)))
    await releasing.wait()
    job.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(ZeroDivisionError):
        await job


async def test_brackets_are_released_from_the_inside_out() -> None:
    """A layer is closed before its archive."""
    order: list[str] = []

    def held(name: str, inner: Op[int]) -> Op[int]:
        async def release(_name: str, _ended: Ended) -> None:
            order.append(name)

        return bracket(lambda: good(name), lambda _: inner, release)

    assert await settle(held("archive", held("layer", bad()))) == Err(DENIED)
    assert order == ["layer", "archive"]


async def test_finish_gives_back_control_when_the_clean_up_is_done() -> None:
    """Nothing goes on in the background."""
    done: list[int] = []

    async def clean_up() -> None:
        await asyncio.sleep(0)
        done.append(1)

    await finish(clean_up())
    assert done == [1]
    assert others() == set()


async def test_a_clean_up_that_cancels_itself_is_not_waited_for_again() -> None:
    """A cancelled clean-up will never be done: waiting on would be for ever."""

    async def clean_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await finish(clean_up())


async def test_a_bracket_that_is_never_awaited_acquires_nothing() -> None:
    """A plan holds no descriptor."""

    def never() -> Op[str]:
        raise AssertionError

    planned = bracket(never, lambda _: good(1), _Resource().release)
    del planned


async def test_a_failure_in_use_is_passed_on_with_its_error() -> None:
    """Typed failures go through release untouched."""

    @operation
    async def use(_: str) -> Result[int, RegistryError]:
        return Failure(DENIED)

    resource = _Resource()
    assert await settle(bracket(resource.acquire, use, resource.release)) == Err(DENIED)
    assert resource.released == [Err(DENIED)]
