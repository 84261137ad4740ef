"""Many at once: bounded, ordered, structured.

Nothing here signals a failure by raising inside a task group: on 3.11 that leaves the parent's cancellation count
raised (python/cpython#116720). A worker that fails records it and cancels its mates; a cancellation from outside
always wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sized
from typing import TypeVar

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import deferred

__all__ = ["traverse", "traverse_all"]

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")


def traverse(
    items: Iterable[A], each: Callable[[A], FutureResult[B, E]], *, limit: int
) -> FutureResult[tuple[B, ...], E]:
    """Run `each` on every item, at most `limit` at once; the first failure cancels the rest and is the result.

    The values keep the order of the items. A bug in `each` leaves as an `ExceptionGroup`.
    """
    workers = _at_least_one(limit)

    async def body() -> Result[tuple[B, ...], E]:
        todo = tuple(items)
        source = iter(enumerate(todo))  # shared: `limit` workers, not len(items) tasks
        done: dict[int, B] = {}
        failed: dict[int, E] = {}
        crew: list[asyncio.Task[None]] = []

        async def worker() -> None:
            for index, item in source:
                if failed:
                    return
                out = await settle(each(item))
                if isinstance(out, Err):
                    failed[index] = out.error
                    for mate in crew:  # a TaskGroup ignores children that end cancelled
                        if mate is not asyncio.current_task():
                            mate.cancel()
                    return
                done[index] = out.value

        async with asyncio.TaskGroup() as group:
            crew.extend(group.create_task(worker()) for _ in range(min(workers, len(todo))))
        if failed:
            return Failure(failed[min(failed)])
        _all_ended(done, todo)
        return Success(tuple(done[index] for index in range(len(todo))))

    return deferred(body)


def traverse_all(
    items: Iterable[A], each: Callable[[A], FutureResult[B, E]], *, limit: int
) -> FutureResult[tuple[B, ...], tuple[E, ...]]:
    """Run `each` on every item, at most `limit` at once, whatever fails; the failure holds every error, in order."""
    workers = _at_least_one(limit)

    async def body() -> Result[tuple[B, ...], tuple[E, ...]]:
        todo = tuple(items)
        source = iter(enumerate(todo))
        settled: dict[int, Ok[B] | Err[E]] = {}

        async def worker() -> None:
            for index, item in source:
                settled[index] = await settle(each(item))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers, len(todo))):
                group.create_task(worker())
        _all_ended(settled, todo)
        ordered = [settled[index] for index in range(len(todo))]
        errors = tuple(out.error for out in ordered if isinstance(out, Err))
        return Failure(errors) if errors else Success(tuple(out.value for out in ordered if isinstance(out, Ok)))

    return deferred(body)


def _at_least_one(limit: int) -> int:
    if limit < 1:
        raise ValueError("limit must be >= 1")
    return limit


def _all_ended(ended: Sized, todo: Sized) -> None:
    # A task group passes over a child that ends cancelled. Nobody here cancelled it, so what it waited for was
    # cancelled by somebody else: the whole ends as a plain `await` of that would.
    if len(ended) < len(todo):
        raise asyncio.CancelledError
