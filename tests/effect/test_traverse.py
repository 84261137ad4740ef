"""Many at once: order, bound, first failure, cancellation, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse, traverse_all
from tests.effect.laws import BUSY, DENIED, MISSING, Waiting, bad, good, others, outcomes, run, settled

Many = Callable[..., FutureResult[tuple[int, ...], object]]

both = pytest.mark.parametrize("many", [traverse, traverse_all])


def _ok(value: int) -> Ok[int] | Err[RegistryError]:
    return Ok(value)


def _err(error: RegistryError) -> Ok[int] | Err[RegistryError]:
    return Err(error)


@both
async def test_the_values_keep_the_order_of_the_items_however_they_end(many: Many) -> None:
    """Layers end in the order of their sizes, and a manifest lists them in the order of the image."""
    ended: list[int] = []
    gates = [asyncio.Event() for _ in range(6)]
    gates[5].set()

    @operation
    async def each(index: int) -> Result[int, RegistryError]:
        await gates[index].wait()  # every one waits for the one after it: they end in reverse
        ended.append(index)
        if index:
            gates[index - 1].set()
        return Success(index * 10)

    assert await settle(many(range(6), each, limit=6)) == Ok((0, 10, 20, 30, 40, 50))
    assert ended == [5, 4, 3, 2, 1, 0]


@both
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_no_more_than_the_limit_run_at_once_and_no_fewer(many: Many, limit: int) -> None:
    """The limit is what bounds memory and connections; leaving room unused would waste the link."""
    live, most = 0, 0

    @operation
    async def each(_item: int) -> Result[int, RegistryError]:
        nonlocal live, most
        live += 1
        most = max(most, live)
        for _ in range(3):
            await asyncio.sleep(0)
        live -= 1
        return Success(0)

    await settle(many(range(20), each, limit=limit))
    assert most == min(limit, 20)


@both
async def test_a_hundred_thousand_items_are_no_depth_and_no_crowd(many: Many) -> None:
    """A registry's catalogue is long; recursion would end at a few hundred, a task for each would fill memory."""
    crowd = 0

    @operation
    async def each(item: int) -> Result[int, RegistryError]:
        nonlocal crowd
        if item % 20_000 == 0:
            crowd = max(crowd, len(asyncio.all_tasks()))
        return Success(item)

    assert await settle(many(range(100_000), each, limit=4)) == Ok(tuple(range(100_000)))
    assert crowd <= 6


@both
async def test_no_items_are_a_success_without_values(many: Many) -> None:
    """An image without layers is pushed like any other."""
    assert await settle(many([], bad, limit=3)) == Ok(())


@both
@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_a_bug_of_the_caller_at_the_call(many: Many, limit: int) -> None:
    """It would run nothing and call that a success."""
    with pytest.raises(ValueError, match="limit must be >= 1"):
        _ = many([1], good, limit=limit)


async def test_the_first_failure_cancels_what_runs_and_starts_nothing_more() -> None:
    """When one layer cannot be pushed, the time of the others is wasted."""
    waiting = [Waiting(), Waiting()]
    started: list[int] = []

    def each(item: int) -> Op[int]:
        started.append(item)
        return waiting[item].op(_ok(item)) if item < 2 else bad()

    assert await settle(traverse(range(10), each, limit=3)) == Err(DENIED)
    assert started == [0, 1, 2]
    assert [work.ended for work in waiting] == ["cancelled", "cancelled"]
    assert others() == set()


async def test_of_failures_in_the_same_tick_the_earliest_item_speaks() -> None:
    """The report of a run must not depend on the scheduler."""
    gate = asyncio.Event()

    @operation
    async def each(error: RegistryError) -> Result[int, RegistryError]:
        await gate.wait()
        return Failure(error)

    job = asyncio.create_task(settle(traverse([MISSING, DENIED, BUSY], each, limit=3)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gate.set()
    assert await job == Err(MISSING)


async def test_clean_up_of_a_cancelled_sibling_ends_before_the_failure_is_told() -> None:
    """Who sees the failure may delete the archive: nobody may still be reading it."""
    cleaned: list[str] = []
    begun = asyncio.Event()

    @operation
    async def each(item: int) -> Result[int, RegistryError]:
        if item:
            await begun.wait()
            return Failure(DENIED)
        try:
            begun.set()
            await asyncio.Event().wait()
            return Success(item)
        finally:
            await asyncio.sleep(0)
            cleaned.append("sibling")

    assert await settle(traverse([0, 1], each, limit=2)) == Err(DENIED)
    assert cleaned == ["sibling"]


@both
async def test_cancelling_the_whole_cancels_every_part(many: Many) -> None:
    """A service that is shut down must not go on sending."""
    waiting = [Waiting() for _ in range(3)]
    job = asyncio.create_task(settle(many(waiting, lambda work: work.op(_ok(1)), limit=3)))
    for work in waiting:
        await work.begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert [work.ended for work in waiting] == ["cancelled"] * 3
    assert others() == set()


@both
async def test_a_cancellation_wins_over_a_failure_of_the_same_tick(many: Many) -> None:
    """Who cancels must see `CancelledError`: a timeout around it would otherwise be lost."""
    waiting = [Waiting(), Waiting()]
    job = asyncio.create_task(settle(many(waiting, lambda work: work.op(_err(DENIED)), limit=2)))
    for work in waiting:
        await work.begun.wait()
    waiting[0].go.set()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert others() == set()


@both
async def test_a_second_cancellation_does_not_abandon_the_parts(many: Many) -> None:
    """An impatient shutdown cancels again; the parts' clean-up still ends, and nothing is left."""
    cleaned: list[int] = []
    cleaning, finished, waiting = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @operation
    async def each(item: int) -> Result[int, RegistryError]:
        try:
            waiting.set()
            await asyncio.Event().wait()
            return Success(item)
        finally:
            cleaning.set()
            await finished.wait()
            cleaned.append(item)

    job = asyncio.create_task(settle(many([1], each, limit=1)))
    await waiting.wait()
    job.cancel()
    await cleaning.wait()
    job.cancel()
    await asyncio.sleep(0)
    finished.set()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert cleaned == [1]
    assert others() == set()


async def test_a_timeout_around_a_failing_traverse_is_not_triggered_by_it() -> None:
    """On 3.11 an exception raised in a task group leaves the parent's cancellation count up; a failure must not."""
    async with asyncio.timeout(3600):
        assert await settle(traverse([1, 2], lambda _: bad(), limit=2)) == Err(DENIED)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)


@both
async def test_a_part_that_waits_for_something_cancelled_ends_the_whole_as_cancelled(many: Many) -> None:
    """Work shared with another task may be cancelled there: a lost part must never look like a success, or a bug."""
    shared: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    shared.cancel()

    @operation
    async def each(item: int) -> Result[int, RegistryError]:
        return Success(await shared if item == 1 else item)

    with pytest.raises(asyncio.CancelledError):
        await settle(many(range(4), each, limit=2))
    assert others() == set()


@both
@pytest.mark.parametrize("synchronous", [True, False])
async def test_a_bug_in_one_part_cancels_the_others_and_escapes(many: Many, synchronous: bool) -> None:
    """A bug must reach its traceback even in a crowd, and must not leave the crowd running."""
    work = Waiting()

    @operation
    async def buggy() -> Result[int, RegistryError]:
        await work.begun.wait()
        raise ZeroDivisionError

    def each(item: int) -> Op[int]:
        if item == 0:
            return work.op(_ok(0))
        if synchronous:
            raise ZeroDivisionError
        return buggy()

    with pytest.raises(ExceptionGroup) as caught:
        await settle(many([0, 1], each, limit=2))
    assert caught.group_contains(ZeroDivisionError)
    assert others() == set()


async def test_traverse_all_runs_everything_whatever_fails_and_names_every_failure_in_order() -> None:
    """Of ten tags that cannot be pushed, all ten are worth knowing."""
    results = [_ok(1), _err(MISSING), _ok(2), _err(DENIED), _err(BUSY)]
    seen: Counter[int] = Counter()

    def each(index: int) -> Op[int]:
        seen[index] += 1
        return settled(results[index])

    assert await settle(traverse_all(range(5), each, limit=2)) == Err((MISSING, DENIED, BUSY))
    assert seen == Counter(range(5))


@given(results=st.lists(outcomes, max_size=12), limit=st.integers(1, 5))
def test_traverse_all_partitions_the_outcomes(results: list[Ok[int] | Err[RegistryError]], limit: int) -> None:
    """Every error or every value: no outcome is lost, none is told twice."""
    got = run(settle(traverse_all(results, settled, limit=limit)))
    failures = tuple(out.error for out in results if isinstance(out, Err))
    assert got == (Err(failures) if failures else Ok(tuple(out.value for out in results if isinstance(out, Ok))))


@given(results=st.lists(outcomes, max_size=12))
def test_traverse_with_a_limit_of_one_is_a_loop(results: list[Ok[int] | Err[RegistryError]]) -> None:
    """The sequential case is what everybody expects of a loop: in order, up to the first failure."""
    seen: list[Ok[int] | Err[RegistryError]] = []

    def each(out: Ok[int] | Err[RegistryError]) -> Op[int]:
        seen.append(out)
        return settled(out)

    async def loop() -> Ok[tuple[int, ...]] | Err[RegistryError]:
        values: list[int] = []
        for out in results:
            if isinstance(out, Err):
                return out
            values.append(out.value)
        return Ok(tuple(values))

    assert run(settle(traverse(results, each, limit=1))) == run(loop())
    first = next((index for index, out in enumerate(results) if isinstance(out, Err)), len(results))
    assert seen == results[: first + 1]


@given(values=st.lists(st.integers(), max_size=20), limit=st.integers(1, 25))
def test_the_limit_changes_nothing_about_a_success(values: list[int], limit: int) -> None:
    """How many run at once is a matter of speed, never of the result."""
    assert run(settle(traverse(values, good, limit=limit))) == Ok(tuple(values))


async def test_a_traverse_is_an_operation_like_any_other() -> None:
    """It is lazy, remembers its outcome, and stands in a railway."""
    calls: list[int] = []

    def each(item: int) -> Op[int]:
        calls.append(item)
        return good(item)

    planned = traverse([1, 2], each, limit=2)
    assert calls == []
    assert [await settle(planned), await settle(planned.map(sum))] == [Ok((1, 2)), Ok(3)]
    assert calls == [1, 2]
