"""No longer than: a bound, with the clean-up inside it and everybody else's cancellations left alone."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from returns.result import Result, Success

from registry_fp.domain.errors import DeadlineExceeded, RegistryError
from registry_fp.effect.deadline import deadline
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from tests.effect.laws import Waiting, good, others, outcomes, run, settled

LATE = RegistryError("push", "app.tar", DeadlineExceeded(0.0))


def _late() -> RegistryError:
    return LATE


def _waiting(work: Waiting) -> Op[int]:
    out: Ok[int] | Err[RegistryError] = Ok(1)
    return work.op(out)


@given(out=outcomes)
def test_what_is_done_in_time_is_not_changed(out: Ok[int] | Err[RegistryError]) -> None:
    """A bound that is not reached must be invisible."""
    assert run(settle(deadline(settled(out), 3600, _late))) == out


async def test_what_takes_too_long_is_cancelled_and_fails_as_the_caller_says() -> None:
    """The operation must have ended, not merely be forgotten, when its failure is told."""
    work = Waiting()
    assert await settle(deadline(_waiting(work), 0, _late)) == Err(LATE)
    assert work.ended == "cancelled"
    assert others() == set()


async def test_the_clean_up_inside_still_runs_to_its_end() -> None:
    """Giving up an upload takes a request, and is worth it."""
    cleaned: list[str] = []

    @operation
    async def slow() -> Result[int, RegistryError]:
        try:
            await asyncio.Event().wait()
            return Success(1)
        finally:
            await asyncio.sleep(0)
            cleaned.append("session")

    assert await settle(deadline(slow(), 0, _late)) == Err(LATE)
    assert cleaned == ["session"]


async def test_a_timeout_error_from_inside_is_a_bug_and_not_our_deadline() -> None:
    """Code that lets a TimeoutError out has not said which one; calling it ours would hide the bug."""

    @operation
    async def buggy() -> Result[int, RegistryError]:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await settle(deadline(buggy(), 3600, _late))


async def test_another_bug_escapes() -> None:
    """A bound is about time, and about nothing else."""

    @operation
    async def buggy() -> Result[int, RegistryError]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settle(deadline(buggy(), 3600, _late))


async def test_a_cancellation_from_outside_is_not_taken_for_lateness() -> None:
    """Who cancels must see `CancelledError`."""
    work = Waiting()
    job = asyncio.create_task(settle(deadline(_waiting(work), 3600, _late)))
    await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert work.ended == "cancelled"


async def test_a_cancellation_in_the_tick_of_the_deadline_wins() -> None:
    """Both want the operation ended; only one of them is waited for by somebody else."""
    work = Waiting()
    job = asyncio.create_task(settle(deadline(_waiting(work), 0, _late)))
    asyncio.get_running_loop().call_soon(job.cancel)
    with pytest.raises(asyncio.CancelledError):
        await job
    assert others() == set()


async def test_the_tighter_of_two_deadlines_speaks() -> None:
    """A bound on one blob inside a bound on the whole push."""
    inner = RegistryError("put_blob", "app", DeadlineExceeded(0.0))
    assert await settle(deadline(deadline(_waiting(Waiting()), 0, lambda: inner), 3600, _late)) == Err(inner)
    assert await settle(deadline(deadline(_waiting(Waiting()), 3600, lambda: inner), 0, _late)) == Err(LATE)


async def test_the_clock_starts_when_the_operation_does() -> None:
    """A plan may lie around; it is the work that is bounded."""
    planned = deadline(good(1), 3600, _late)
    await asyncio.sleep(0)
    assert await settle(planned) == Ok(1)
