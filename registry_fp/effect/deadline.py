"""No longer than: a bound on the whole of an operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from returns.future import FutureResult
from returns.result import Failure, Result

from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import deferred

__all__ = ["deadline"]

A = TypeVar("A")
E1 = TypeVar("E1")
E2 = TypeVar("E2")


def deadline(op: FutureResult[A, E1], seconds: float, late: Callable[[], E2]) -> FutureResult[A, E1 | E2]:
    """Cancel `op` after `seconds`, and fail with what `late` gives; clean-up inside `op` still runs."""

    async def body() -> Result[A, E1 | E2]:
        out: Ok[A] | Err[E1] | None = None
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                out = await settle(op)
        except TimeoutError:
            if not scope.expired():  # a TimeoutError raised inside is a bug, not our deadline
                raise
        return Failure(late()) if out is None else result_of(out)

    return deferred(body)
