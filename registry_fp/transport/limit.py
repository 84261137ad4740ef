"""Limits on one host: how many exchanges at once, and a pause for all when the host asks for one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, TypeVar

from returns.result import Result

from registry_fp.domain.errors import RateLimited, RegistryError, ServerFault
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Request
from registry_fp.transport.clock import Clock
from registry_fp.transport.port import Exchange, Receive

__all__ = ["LONGEST_PAUSE", "asked_pause", "with_host_limit"]

T = TypeVar("T")

LONGEST_PAUSE: Final = 120.0
"""The longest Retry-After, in seconds, that is waited for; a longer one is a failure at once."""


@dataclass(slots=True)
class _Gate:
    slots: asyncio.Semaphore
    not_before: float = field(default=0.0)


def with_host_limit(inner: Exchange, *, per_host: int, clock: Clock) -> Exchange:
    """At most `per_host` exchanges at once with each origin, and none before the moment that it asked to wait for."""
    gates: dict[str, _Gate] = {}

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def body() -> Result[T, RegistryError]:
            gate = gates.setdefault(str(request.url.origin()).lower(), _Gate(asyncio.Semaphore(per_host)))
            async with gate.slots:
                while (pause := gate.not_before - clock.now()) > 0:
                    await clock.sleep(pause)
                out = await settle(inner(request, receive))
            asked = asked_pause(out.error) if isinstance(out, Err) else None
            if asked is not None and asked <= LONGEST_PAUSE:
                gate.not_before = max(gate.not_before, clock.now() + asked)
            return result_of(out)

        return deferred(body)

    return exchange


def asked_pause(error: RegistryError) -> float | None:
    """The pause in seconds that the registry itself asked for, if it did."""
    match error.reason:
        case RateLimited(after=after) | ServerFault(after=after):
            return after
        case _:
            return None
