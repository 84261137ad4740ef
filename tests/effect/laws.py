"""What the tests of effects share: errors, operations, and work that waits to be let go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from returns.future import FutureResult
from returns.result import Result

from registry_fp.domain.errors import Denied, NotFound, RateLimited, RegistryError
from registry_fp.effect.exits import Err, Ok, result_of
from registry_fp.effect.operation import Op, deferred

A = TypeVar("A")
E = TypeVar("E")
T = TypeVar("T")

DENIED = RegistryError("put_blob", "ghcr.io/team/app", Denied())
MISSING = RegistryError("get_blob", "ghcr.io/team/app", NotFound("blob"))
BUSY = RegistryError("ping", "ghcr.io", RateLimited(2.0))

errors = st.sampled_from([DENIED, MISSING, BUSY])
outcomes: st.SearchStrategy[Ok[int] | Err[RegistryError]] = st.one_of(
    st.builds(Ok[int], st.integers()), st.builds(Err[RegistryError], errors)
)


def settled(out: Ok[A] | Err[E]) -> FutureResult[A, E]:
    """An operation that ends in this outcome."""

    async def body() -> Result[A, E]:
        return result_of(out)

    return deferred(body)


def good(value: A) -> Op[A]:
    """An operation that succeeds."""
    out: Ok[A] | Err[RegistryError] = Ok(value)
    return settled(out)


def bad(error: RegistryError = DENIED) -> Op[int]:
    """An operation that fails."""
    out: Ok[int] | Err[RegistryError] = Err(error)
    return settled(out)


def run(job: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end in a loop of its own."""
    return asyncio.run(job)


def others() -> set[asyncio.Task[Any]]:
    """The tasks that are alive besides the one that asks."""
    alive: set[asyncio.Task[Any]] = asyncio.all_tasks()
    current = asyncio.current_task()
    return {task for task in alive if task is not current}


class Waiting:
    """Work that waits until it is let go, and tells how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.ended: str | None = None

    def op(self, out: Ok[A] | Err[E]) -> FutureResult[A, E]:
        """Begin, wait to be let go, then end in this outcome."""

        async def body() -> Result[A, E]:
            self.begun.set()
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.ended = "cancelled"
                raise
            self.ended = "done"
            return result_of(out)

        return deferred(body)
