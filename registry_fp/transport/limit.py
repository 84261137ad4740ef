"""Limits on one host: how many exchanges at once, how fast, and a pause for all when the host asks for one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, TypeVar

from returns.result import Result
from yarl import URL

from registry_fp.domain.errors import RateLimited, RegistryError, ServerFault
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Request
from registry_fp.transport.clock import Clock
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.port import Exchange, Receive
from registry_fp.transport.rate import Pace, pace_of
from registry_fp.transport.settings import Settings

__all__ = ["LONGEST_PAUSE", "asked_pause", "connections_to", "fewest_connections", "with_host_limit"]

T = TypeVar("T")

LONGEST_PAUSE: Final = 120.0
"""The longest Retry-After, in seconds, that is waited for; a longer one is a failure at once."""

_GATES: Final = 1024
"""How many origins are known before those are forgotten that nobody talks to."""


@dataclass(slots=True)
class _Gate:
    slots: asyncio.Semaphore
    pace: Pace | None
    not_before: float = field(default=0.0)
    users: int = field(default=0)


def with_host_limit(inner: Exchange, settings: Settings, *, clock: Clock) -> Exchange:
    """As many exchanges at once with each origin as were chosen for it, as fast as was chosen, and none while it rests.

    It rests when it asks for that (Retry-After), whatever was asked of it, tokens included.
    """
    gates: dict[str, _Gate] = {}

    def gate_of(url: URL) -> _Gate:
        origin = str(url.origin()).lower()
        gate = gates.get(origin)
        if gate is None:
            chosen = settings.at(url)
            if len(gates) >= _GATES:  # redirects choose origins; a gate that nobody is at or waits for can be made anew
                idle = [name for name, each in gates.items() if not each.users and each.not_before <= clock.now()]
                for name in idle:
                    del gates[name]
            gate = gates[origin] = _Gate(asyncio.Semaphore(_connections(settings, chosen)), pace_of(chosen))
        return gate

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def body() -> Result[T, RegistryError]:
            gate = gate_of(request.url)
            gate.users += 1
            try:
                async with gate.slots:
                    await _opened(gate, clock)
                    pace = gate.pace
                    sent = inner(request, receive) if pace is None else pace.exchange(inner, request, receive)
                    out = await settle(sent)
            finally:
                gate.users -= 1
            asked = asked_pause(out.error) if isinstance(out, Err) else None
            if asked is not None and asked <= LONGEST_PAUSE:
                gate.not_before = max(gate.not_before, clock.now() + asked)
            return result_of(out)

        return deferred(body)

    return exchange


async def _opened(gate: _Gate, clock: Clock) -> None:
    while True:  # whoever has waited for the same moment as others waits for a turn again
        if gate.pace is not None:
            await gate.pace.turn()
        if (pause := gate.not_before - clock.now()) <= 0:
            return
        await clock.sleep(pause)


def connections_to(settings: Settings, host: str) -> int:
    """How many exchanges with one host, `HOST[:PORT]`, are under way at most."""
    return _connections(settings, settings.host(host))


def fewest_connections(settings: Settings) -> int:
    """How many exchanges with the host that may have the fewest are under way at most."""
    chosen = (each.connections for each in settings.hosts.values() if each.connections is not None)
    return min(settings.connections, settings.connections_per_host, *chosen)


def asked_pause(error: RegistryError) -> float | None:
    """The pause in seconds that the registry itself asked for, if it did."""
    match error.reason:
        case RateLimited(after=after) | ServerFault(after=after):
            return after
        case _:
            return None


def _connections(settings: Settings, chosen: HostSettings) -> int:
    return min(settings.connections, chosen.connections or settings.connections_per_host)
