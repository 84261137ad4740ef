"""Trying again: a policy is a value, and a failure is what drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from returns.future import FutureResult
from returns.result import Result
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import deferred

__all__ = ["RetryPolicy", "exponential", "retry"]

A = TypeVar("A")
E = TypeVar("E")


def _no_hint(_error: object) -> float | None:
    return None


@final
@dataclass(frozen=True)  # no slots: see Ok
class RetryPolicy(Generic[E]):
    """When to try again: `delays` in seconds (one attempt more than there are delays), and which errors deserve it.

    `delay_hint` is what the error itself asks for (Retry-After), in seconds; it can only lengthen a delay.
    """

    delays: tuple[float, ...]
    should_retry: Callable[[E], bool]
    delay_hint: Callable[[E], float | None] = _no_hint


def exponential(first: float, *, factor: float = 2.0, times: int = 4, cap: float = 20.0) -> tuple[float, ...]:
    """Delays that grow by `factor`, none longer than `cap` seconds.

    >>> exponential(0.5, times=4)
    (0.5, 1.0, 2.0, 4.0)
    """
    return tuple(min(cap, first * factor**step) for step in range(times))


def retry(
    thunk: Callable[[], FutureResult[A, E]],
    policy: RetryPolicy[E],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> FutureResult[A, E]:
    """Ask again while the answer is a failure that deserves it; `thunk` makes a fresh operation each time.

    A thunk, because an operation remembers its first outcome: retrying a value would read the same failure again.
    """

    def last(state: RetryCallState) -> Ok[A] | Err[E]:
        assert state.outcome is not None  # noqa: S101  tenacity sets it before it asks
        out: Ok[A] | Err[E] = state.outcome.result()
        return out

    def again(out: Ok[A] | Err[E]) -> bool:
        return isinstance(out, Err) and policy.should_retry(out.error)

    def pause(state: RetryCallState) -> float:
        left = policy.delays[state.attempt_number - 1 :]  # empty after the last attempt: tenacity asks all the same
        out = last(state)
        asked = policy.delay_hint(out.error) if isinstance(out, Err) else None
        return max(left[0] if left else 0.0, asked or 0.0)

    async def once() -> Ok[A] | Err[E]:
        return await settle(thunk())

    async def body() -> Result[A, E]:
        out: Ok[A] | Err[E] = await AsyncRetrying(
            stop=stop_after_attempt(len(policy.delays) + 1),
            retry=retry_if_result(again),
            wait=pause,
            sleep=sleep,
            retry_error_callback=last,
        )(once)
        return result_of(out)

    return deferred(body)
