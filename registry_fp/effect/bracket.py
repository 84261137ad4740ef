"""Resources: what is acquired is released, whatever happens in between.

`returns.pipeline.managed` does not release on an exception or a cancellation; this does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar, final

from returns.future import FutureResult
from returns.result import Failure, Result

from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import deferred

__all__ = ["Died", "bracket", "finish"]

A = TypeVar("A")
R = TypeVar("R")
E1 = TypeVar("E1")
E2 = TypeVar("E2")


@final
@dataclass(frozen=True)
class Died:
    """The use of a resource was cancelled, or had a bug: there is no typed outcome."""

    cause: BaseException


def bracket(
    acquire: Callable[[], FutureResult[R, E1]],
    use: Callable[[R], FutureResult[A, E2]],
    release: Callable[[R, Ok[A] | Err[E2] | Died], Awaitable[None]],
    *,
    grace: float = 0.0,
) -> FutureResult[A, E1 | E2]:
    """`release` runs exactly once after `acquire` succeeded: on success, failure, exception and cancellation.

    A cancellation during `acquire` cancels it too; where somebody else may by then hold what was asked for (a server),
    `grace` is how many seconds the answer has left to come, so that it can be released.
    """

    async def body() -> Result[A, E1 | E2]:
        got = await (_acquired(acquire, release, grace) if grace else settle(acquire()))
        if isinstance(got, Err):
            return Failure(got.error)
        try:
            out = await settle(use(got.value))
        except BaseException as cause:
            await finish(release(got.value, Died(cause)))
            raise
        await finish(release(got.value, out))
        return result_of(out)

    return deferred(body)


async def _acquired(
    acquire: Callable[[], FutureResult[R, E1]],
    release: Callable[[R, Ok[A] | Err[E2] | Died], Awaitable[None]],
    grace: float,
) -> Ok[R] | Err[E1]:
    job = asyncio.ensure_future(settle(acquire()))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError as cause:
        await finish(_when_it_comes(job, release, grace, Died(cause)))
        raise


async def _when_it_comes(
    job: asyncio.Future[Ok[R] | Err[E1]],
    release: Callable[[R, Ok[A] | Err[E2] | Died], Awaitable[None]],
    grace: float,
    died: Died,
) -> None:
    done, _ = await asyncio.wait({job}, timeout=grace)
    if not done:
        job.cancel()
        await asyncio.wait({job})
    if not job.cancelled() and isinstance(out := job.result(), Ok):
        await release(out.value, died)


async def finish(cleanup: Awaitable[None]) -> None:
    """Let a clean-up end even if we are cancelled (again) during it; then pass that cancellation on."""
    job = asyncio.ensure_future(cleanup)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.shield(job)
        except asyncio.CancelledError as signal:
            if job.cancelled():
                raise
            cancelled = signal
        except BaseException:
            break
    job.result()  # a bug in the clean-up surfaces here
    if cancelled is not None:
        raise cancelled
