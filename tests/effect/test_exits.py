"""The exits: what an operation gave, as plain values."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from returns.io import IOResult

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.explain import describe
from registry_fp.effect.exits import Err, Ok, RegistryFailed, fold, outcome, result_of, settle, unwrap
from tests.effect.laws import DENIED, bad, errors, good, outcomes, run, settled


@given(out=outcomes)
def test_an_outcome_survives_the_way_into_an_operation_and_back(out: Ok[int] | Err[RegistryError]) -> None:
    """`settle` is the inverse of lifting: nothing is lost or wrapped on either track."""
    assert run(settle(settled(out))) == out


@given(out=outcomes)
def test_outcome_reads_what_was_already_awaited(out: Ok[int] | Err[RegistryError]) -> None:
    """A service that awaited `.awaitable()` holds an `IOResult`, and must get at the same value."""

    async def awaited() -> Ok[int] | Err[RegistryError]:
        return outcome(await settled(out).awaitable())

    assert run(awaited()) == out
    assert outcome(IOResult.from_result(result_of(out))) == out


@given(out=outcomes)
def test_fold_is_settle_and_then_one_function_of_two(out: Ok[int] | Err[RegistryError]) -> None:
    """Exactly one of the two functions sees exactly what there is to see."""
    folded = run(fold(settled(out), lambda value: ("ok", str(value)), lambda error: ("err", error.target)))
    match out:
        case Ok(value):
            assert folded == ("ok", str(value))
        case Err(error):
            assert folded == ("err", error.target)


async def test_unwrap_gives_the_value() -> None:
    """Scripts want the value and no ceremony."""
    assert await unwrap(good(7)) == 7


async def test_unwrap_raises_the_one_exception_of_the_library_and_it_carries_the_error() -> None:
    """Whoever prefers exceptions still gets every fact."""
    with pytest.raises(RegistryFailed) as caught:
        await unwrap(bad())
    assert caught.value.error == DENIED


@given(error=errors)
def test_the_exception_reads_like_the_error_and_crosses_processes(error: RegistryError) -> None:
    """A worker process that raises it must not break the one that catches it."""
    raised = RegistryFailed(error)
    copied = pickle.loads(pickle.dumps(raised))  # noqa: S301  our own bytes
    assert str(raised) == str(copied) == describe(error)
    assert copied.error == error


@given(out=outcomes)
def test_outcomes_are_values(out: Ok[int] | Err[RegistryError]) -> None:
    """They compare, hash and pickle, so that they can be kept in sets and sent to other machines."""
    copied = pickle.loads(pickle.dumps(out))  # noqa: S301  our own bytes
    assert copied == out
    assert len({copied, out}) == 1


def test_a_value_that_is_itself_falsy_is_still_a_success() -> None:
    """`None` and `0` are answers: the tracks are told apart by type, never by truth."""
    nothing: IOResult[None, RegistryError] = IOResult.from_value(None)
    zero: IOResult[int, RegistryError] = IOResult.from_value(0)
    assert (outcome(nothing), outcome(zero)) == (Ok(None), Ok(0))
