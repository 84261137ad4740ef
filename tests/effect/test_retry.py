"""Trying again: exact waits, fresh work each time, and no patience with bugs."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Result

from registry_fp.domain.errors import RateLimited, RegistryError
from registry_fp.domain.transient import is_transient
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.retry import RetryPolicy, exponential, retry
from tests.effect.laws import BUSY, DENIED, Waiting, bad, good, outcomes, run, settled

PATIENT = RetryPolicy((1.0, 2.0, 4.0), should_retry=is_transient)


class _Clock:
    """A sleep that takes no time and keeps the books."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note the wait, and be done."""
        self.waits.append(seconds)


class _Script:
    """A thunk that ends in one outcome after another, the last for ever."""

    def __init__(self, *outs: Ok[int] | Err[RegistryError]) -> None:
        self.outs = list(outs)
        self.calls = 0

    def __call__(self) -> Op[int]:
        out = self.outs[min(self.calls, len(self.outs) - 1)]
        self.calls += 1
        return settled(out)


async def test_a_success_is_not_asked_for_again() -> None:
    """The ordinary case costs one call and no wait."""
    clock, script = _Clock(), _Script(Ok(1))
    assert await settle(retry(script, PATIENT, sleep=clock.sleep)) == Ok(1)
    assert (script.calls, clock.waits) == (1, [])


async def test_every_attempt_is_made_afresh_after_exactly_the_policys_wait() -> None:
    """An upload's thunk opens its source again; a value would read its old failure."""
    clock, script = _Clock(), _Script(Err(BUSY), Err(BUSY), Ok(3))
    assert await settle(retry(script, PATIENT, sleep=clock.sleep)) == Ok(3)
    assert (script.calls, clock.waits) == (3, [1.0, 2.0])


async def test_patience_ends_after_one_attempt_more_than_there_are_waits() -> None:
    """A registry that stays down is reported, with the last word that it had, and not waited for after it."""
    clock, script = _Clock(), _Script(Err(BUSY))
    assert await settle(retry(script, PATIENT, sleep=clock.sleep)) == Err(BUSY)
    assert (script.calls, clock.waits) == (4, [1.0, 2.0, 4.0])


async def test_a_failure_that_cannot_heal_is_told_at_once() -> None:
    """Nobody should wait seven seconds to hear that a password is wrong."""
    clock, script = _Clock(), _Script(Err(DENIED))
    assert await settle(retry(script, PATIENT, sleep=clock.sleep)) == Err(DENIED)
    assert (script.calls, clock.waits) == (1, [])


async def test_a_policy_without_waits_tries_once() -> None:
    """`retries=0` is a choice, and must not be an error."""
    clock, script = _Clock(), _Script(Err(BUSY))
    assert await settle(retry(script, RetryPolicy((), should_retry=is_transient), sleep=clock.sleep)) == Err(BUSY)
    assert (script.calls, clock.waits) == (1, [])


@pytest.mark.parametrize(("asked", "waited"), [(None, 2.0), (0.5, 2.0), (2.0, 2.0), (9.0, 9.0), (0.0, 2.0)])
async def test_what_the_server_asks_for_can_only_lengthen_a_wait(asked: float | None, waited: float) -> None:
    """`Retry-After: 0` must not turn a backoff into a hammer."""
    clock = _Clock()
    policy = RetryPolicy((2.0,), should_retry=is_transient, delay_hint=lambda _: asked)
    await settle(retry(_Script(Err(BUSY), Ok(1)), policy, sleep=clock.sleep))
    assert clock.waits == [waited]


async def test_the_hint_is_read_from_the_error_of_the_attempt_before() -> None:
    """Each answer brings its own Retry-After."""
    clock = _Clock()

    def asked(error: RegistryError) -> float | None:
        return error.reason.after if isinstance(error.reason, RateLimited) else None

    first, second = (RegistryError("ping", "ghcr.io", RateLimited(after)) for after in (7.0, 3.0))
    policy = RetryPolicy((1.0, 1.0), should_retry=is_transient, delay_hint=asked)
    await settle(retry(_Script(Err(first), Err(second), Ok(1)), policy, sleep=clock.sleep))
    assert clock.waits == [7.0, 3.0]


async def test_a_bug_is_not_tried_again() -> None:
    """The same line would fail the same way, later and with a longer traceback."""
    calls: list[int] = []

    @operation
    async def buggy() -> Result[int, RegistryError]:
        calls.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settle(retry(buggy, PATIENT, sleep=_Clock().sleep))
    assert calls == [1]


async def test_a_bug_in_the_policy_escapes() -> None:
    """A predicate that cannot decide must not decide for more load on the registry."""

    def undecided(_: RegistryError) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settle(retry(bad, RetryPolicy((1.0,), should_retry=undecided), sleep=_Clock().sleep))


async def test_cancelling_while_it_waits_ends_it_at_once() -> None:
    """A shutdown must not last until the next attempt is due."""
    asleep, script = asyncio.Event(), _Script(Err(BUSY))

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    job = asyncio.create_task(settle(retry(script, PATIENT, sleep=sleep)))
    await asleep.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert script.calls == 1


async def test_cancelling_an_attempt_is_no_reason_for_another() -> None:
    """`CancelledError` is not a failure of the registry."""
    work, calls = Waiting(), [0]
    out: Ok[int] | Err[RegistryError] = Ok(1)

    def thunk() -> Op[int]:
        calls[0] += 1
        return work.op(out)

    job = asyncio.create_task(settle(retry(thunk, PATIENT, sleep=_Clock().sleep)))
    await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (calls[0], work.ended) == (1, "cancelled")


async def test_a_held_operation_is_no_thunk() -> None:
    """What the docstring warns of: retrying a value reads the same failure again, and does no work."""
    clock, held = _Clock(), bad(BUSY)
    assert await settle(retry(lambda: held, PATIENT, sleep=clock.sleep)) == Err(BUSY)
    assert len(clock.waits) == 3


@given(outs=st.lists(outcomes, min_size=1, max_size=6), delays=st.lists(st.floats(0, 100), max_size=5))
def test_retry_is_the_loop_that_its_docstring_describes(
    outs: list[Ok[int] | Err[RegistryError]], delays: list[float]
) -> None:
    """The tool that turns the wheel must not add a policy of its own."""
    clock, script = _Clock(), _Script(*outs)
    got = run(settle(retry(script, RetryPolicy(tuple(delays), should_retry=is_transient), sleep=clock.sleep)))
    waits: list[float] = []
    out = outs[0]
    for attempt, delay in enumerate(delays, 1):
        if isinstance(out, Ok) or not is_transient(out.error):
            break
        waits.append(delay)
        out = outs[min(attempt, len(outs) - 1)]
    assert (got, clock.waits, script.calls) == (out, waits, len(waits) + 1)


@given(
    first=st.floats(0.001, 10),
    factor=st.floats(1, 4),
    times=st.integers(0, 12),
    cap=st.floats(0.001, 60),
)
def test_exponential_waits_grow_up_to_the_cap(first: float, factor: float, times: int, cap: float) -> None:
    """A policy is arithmetic, and is tested as arithmetic."""
    delays = exponential(first, factor=factor, times=times, cap=cap)
    assert len(delays) == times
    assert list(delays) == sorted(delays)
    assert all(0 < delay <= cap for delay in delays)
    assert delays[:1] == ((min(first, cap),) if times else ())


def test_a_policy_is_a_value() -> None:
    """It can be compared, printed, shared between tasks, and not changed behind their backs."""
    assert RetryPolicy((1.0, 2.0, 4.0), should_retry=is_transient) == PATIENT
    with pytest.raises(FrozenInstanceError):
        PATIENT.delays = ()  # type: ignore[misc]
    assert run(settle(retry(lambda: good(1), PATIENT))) == Ok(1)
