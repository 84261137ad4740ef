"""Tokens that are kept: for what they were asked for, until shortly before they expire, and asked for once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, final

from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.protocol.token import IssuedToken

__all__ = ["TOKENS_LIMIT", "TokenCache", "usable_seconds"]

TOKENS_LIMIT: Final = 1000
"""How many tokens are kept; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: SecretStr
    until: float


def usable_seconds(life: float) -> float:
    """How much of a token's life is used: all but a tenth of it, which is at least 10 s and at most a minute.

    >>> [usable_seconds(life) for life in (60.0, 300.0, 3600.0)]
    [50.0, 270.0, 3540.0]
    """
    return life - min(max(life / 10, 10.0), 60.0)


@final
class TokenCache:
    """The tokens of one client, by what they are for. It belongs to one event loop."""

    __slots__ = ("_flights", "_kept", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[Hashable, _Kept] = {}
        self._flights: SingleFlight[Result[SecretStr, RegistryError]] = SingleFlight()

    async def token(
        self,
        key: Hashable,
        ask: Callable[[], Awaitable[Result[IssuedToken, RegistryError]]],
        *,
        refused: SecretStr | None = None,
    ) -> Result[SecretStr, RegistryError]:
        """The token for this, by `ask` if there is none; one that was `refused` is none.

        Who comes while it is asked for waits for the same answer; a failure is told to all of them, and not kept. Fails
        as `ask` does.
        """
        while True:
            kept = self._kept.get(key)
            if kept is not None and kept.value != refused and self._now() < kept.until:
                return Success(kept.value)
            flying = self._flights.take_off(key)
            if flying is None:
                return await self._led(key, ask)
            outcome = await flying
            if outcome is not None:
                return outcome

    async def _led(
        self, key: Hashable, ask: Callable[[], Awaitable[Result[IssuedToken, RegistryError]]]
    ) -> Result[SecretStr, RegistryError]:
        led: Result[SecretStr, RegistryError] | None = None
        try:
            asked = await ask()
            self._kept.pop(key, None)
            if is_successful(asked):
                issued = asked.unwrap()
                self._keep(key, _Kept(issued.value, self._now() + usable_seconds(issued.seconds)))
            outcome = led = asked.map(lambda issued: issued.value)
        finally:
            self._flights.land(key, led)
        return outcome

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        if len(self._kept) >= TOKENS_LIMIT:
            now = self._now()
            live = {name: each for name, each in self._kept.items() if each.until > now}
            self._kept = dict(list(live.items())[-(TOKENS_LIMIT - 1) :])
        self._kept[key] = kept
