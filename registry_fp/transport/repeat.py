"""Trying again: the one layer that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from returns.result import Failure, Result

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.transient import is_transient
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.effect.retry import RetryPolicy, exponential, retry
from registry_fp.protocol.message import Incoming, Request
from registry_fp.transport.clock import Clock
from registry_fp.transport.limit import LONGEST_PAUSE, asked_pause
from registry_fp.transport.port import Exchange, Receive

__all__ = ["attempted", "patience", "with_retry"]

T = TypeVar("T")


def patience(retries: int, chance: Callable[[], float]) -> RetryPolicy[RegistryError]:
    """The policy of this library: wait half a second, then twice as long each time, at most 20 s.

    Each delay is shortened by `chance` (from 0 to 1), so that many clients do not come back together; a Retry-After
    can lengthen it, up to `LONGEST_PAUSE`.

    >>> patience(3, lambda: 1.0).delays
    (0.5, 1.0, 2.0)
    """
    delays = tuple(delay * chance() for delay in exponential(0.5, times=retries, cap=20.0))
    return RetryPolicy(delays, _worth_it, asked_pause)


def attempted(make: Callable[[int], Op[T]], policy: RetryPolicy[RegistryError], clock: Clock) -> Op[T]:
    """`retry` with the number of the attempt handed in, and the number and time of all of them on the error.

    What has been tried several times inside is not tried again out here: one layer repeats, whatever it is made of.
    """

    async def body() -> Result[T, RegistryError]:
        begun = clock.now()
        attempts = 0

        def once() -> Op[T]:
            nonlocal attempts
            attempts += 1
            return make(attempts)

        def again(error: RegistryError) -> bool:
            return error.attempts == 1 and policy.should_retry(error)

        bounded = RetryPolicy(policy.delays, again, policy.delay_hint)
        out = await settle(retry(once, bounded, sleep=clock.sleep))
        if isinstance(out, Err):
            inner = out.error.attempts - 1  # what failed last may have been tried several times itself
            return Failure(replace(out.error, attempts=attempts + inner, elapsed=clock.now() - begun))
        return result_of(out)

    return deferred(body)


def with_retry(inner: Exchange, *, policy: Callable[[], RetryPolicy[RegistryError]], clock: Clock) -> Exchange:
    """Send a request again after a transient failure, as far as the request allows it, and count the attempts."""

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        consumed = False

        def once(attempt: int) -> Op[T]:
            async def counted(incoming: Incoming) -> Result[T, RegistryError]:
                nonlocal consumed
                consumed = True
                return (await receive(replace(incoming, attempts=attempt))).alt(_once)

            return inner(request, counted)

        def again(error: RegistryError) -> bool:
            allowed = request.repeat == "always" or (request.repeat == "until answered" and not consumed)
            return allowed and chosen.should_retry(error)

        chosen = policy()
        return attempted(once, RetryPolicy(chosen.delays, again, chosen.delay_hint), clock)

    return exchange


def _once(error: RegistryError) -> RegistryError:
    return replace(error, attempts=1)


def _worth_it(error: RegistryError) -> bool:
    return is_transient(error) and (asked_pause(error) or 0.0) <= LONGEST_PAUSE
