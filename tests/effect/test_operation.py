"""The operation: lazy, remembered, and honest about bugs."""

from __future__ import annotations

import asyncio
import gc
import warnings
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from tests.effect.laws import DENIED, MISSING, Waiting, bad, good, outcomes, run, settled


async def test_nothing_happens_until_an_operation_is_awaited() -> None:
    """Building a railway must send nothing: a pipeline is a plan."""
    calls: list[int] = []

    @operation
    async def note(number: int) -> Result[int, RegistryError]:
        calls.append(number)
        return Success(number)

    planned = note(1)
    assert calls == []
    assert await settle(planned) == Ok(1)
    assert calls == [1]


async def test_an_operation_awaited_twice_gives_its_first_outcome_again() -> None:
    """A value that somebody holds must not push a second time because it is looked at twice."""
    calls: list[int] = []

    @operation
    async def note() -> Result[int, RegistryError]:
        calls.append(len(calls))
        return Success(len(calls))

    planned = note()
    assert [await settle(planned), await settle(planned)] == [Ok(1), Ok(1)]
    assert len(calls) == 1


def test_a_dropped_operation_warns_of_nothing() -> None:
    """An operation that is not needed after all is no mistake, and `python -W error` must not say so."""

    @operation
    async def never() -> Result[int, RegistryError]:
        raise AssertionError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dropped = never()
        del dropped
        gc.collect()


async def test_a_short_circuited_step_is_never_made() -> None:
    """After a failure the later stations of a railway must not even be planned."""
    planned: list[int] = []

    def later(value: int) -> Op[int]:
        planned.append(value)
        return good(value)

    assert await settle(bad().bind(later).bind(later)) == Err(DENIED)
    assert planned == []


async def test_a_bug_stays_an_exception_through_every_combinator() -> None:
    """A typed failure is a fact about the world; a bug must reach the traceback, not the error track."""

    @operation
    async def buggy() -> Result[int, RegistryError]:
        raise ZeroDivisionError

    rescued = buggy().bind(good).map(abs).alt(lambda _: MISSING).lash(lambda _: good(1))
    with pytest.raises(ZeroDivisionError):
        await settle(rescued)


async def test_cancellation_passes_through_every_combinator() -> None:
    """`lash` repairs failures; it must not keep a service from shutting down."""
    work = Waiting()
    out: Ok[int] | Err[RegistryError] = Ok(1)
    job = asyncio.create_task(settle(work.op(out).bind(good).lash(lambda _: good(2))))
    await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert work.ended == "cancelled"


@dataclass(frozen=True)
class _Adder:
    step: int

    @operation
    async def add(self, number: int, *, twice: bool = False) -> Result[int, RegistryError]:
        """Add the step."""
        return Success(number + self.step * (2 if twice else 1))


async def test_methods_and_keywords_are_lifted_with_their_names_and_docstrings() -> None:
    """What a user reads in an editor is the function that was written."""
    assert await settle(_Adder(2).add(1, twice=True)) == Ok(5)
    assert (_Adder.add.__name__, _Adder.add.__doc__) == ("add", "Add the step.")


async def test_an_operation_refuses_wrong_arguments_no_later_than_when_it_runs() -> None:
    """A wrong call is a bug, and surfaces as the TypeError that it is."""
    with pytest.raises(TypeError):
        await settle(_Adder(2).add())  # type: ignore[call-arg]


def _halved(number: int) -> Op[int]:
    return good(number // 2) if number % 2 == 0 else bad()


@given(number=st.integers())
def test_joining_a_value_to_a_step_is_the_step(number: int) -> None:
    """Left identity: a railway that starts with a known value is nothing but its first station."""
    start: Op[int] = FutureResult.from_value(number)

    async def both() -> tuple[object, object]:
        return await settle(start.bind(_halved)), await settle(_halved(number))

    one, other = run(both())
    assert one == other


@given(out=outcomes)
def test_how_a_railway_is_bracketed_does_not_matter(out: Ok[int] | Err[RegistryError]) -> None:
    """Associativity: stations can be grouped into a function of their own without changing what they do."""

    async def both() -> tuple[object, object]:
        flat = await settle(settled(out).bind(_halved).bind(_halved))
        nested = await settle(settled(out).bind(lambda number: _halved(number).bind(_halved)))
        return flat, nested

    one, other = run(both())
    assert one == other


async def test_only_what_is_returned_as_a_failure_is_typed() -> None:
    """The two tracks of a step are its two kinds of return, and nothing else."""

    @operation
    async def step(number: int) -> Result[int, RegistryError]:
        return Success(number) if number > 0 else Failure(DENIED)

    assert [await settle(step(1)), await settle(step(0))] == [Ok(1), Err(DENIED)]
