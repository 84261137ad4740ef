"""Accounts that are kept: what a keychain said about a place, asked once by many, and again when it was wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, final

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.transport.account import Credentials, Keychain

__all__ = ["NOBODY_SECONDS", "PLACES_LIMIT", "AccountMemory", "KnownAccount"]

NOBODY_SECONDS: Final = 60.0
"""How long it is believed that a keychain knows nobody, or does not work: a login may come while a service runs."""

PLACES_LIMIT: Final = 4096
"""How many places are remembered; the oldest is forgotten first."""


@final
@dataclass(frozen=True, slots=True)
class KnownAccount:
    """The credentials for a place, or none; and why there are none, if the keychain failed.

    `until` when that is believed, in seconds of the client's clock.
    """

    credentials: Credentials | None = None
    failure: RegistryError | None = None
    until: float = inf


@final
class AccountMemory:
    """What a keychain said, by place (`HOST[:PORT][/PATH]`). It belongs to one event loop.

    A keychain that fails is one that knows nobody: whether it matters is seen when the registry insists.
    """

    __slots__ = ("_flights", "_keychain", "_known", "_now")

    def __init__(self, keychain: Keychain, now: Callable[[], float]) -> None:
        self._keychain = keychain
        self._now = now
        self._known: dict[str, KnownAccount] = {}
        self._flights: SingleFlight[KnownAccount] = SingleFlight()

    def seen(self, place: str) -> KnownAccount | None:
        """What is known about a place without asking."""
        return self._known.get(place)

    async def account(self, place: str, *, wrong: KnownAccount | None = None) -> KnownAccount:
        """Who we are there; the keychain is asked if that is not known, or known and `wrong`."""
        while True:
            known = self._known.get(place)
            if known is not None and known is not wrong and self._now() < known.until:
                return known
            flying = self._flights.take_off(place)
            if flying is None:
                return await self._led(place)
            outcome = await flying
            if outcome is not None:
                return outcome

    async def _led(self, place: str) -> KnownAccount:
        led: KnownAccount | None = None
        try:
            out = await settle(self._keychain(place))
            until = self._now() + NOBODY_SECONDS
            if isinstance(out, Err):
                known = KnownAccount(failure=out.error, until=until)
            else:
                known = KnownAccount(out.value, until=until if out.value is None else inf)
            self._known.pop(place, None)
            if len(self._known) >= PLACES_LIMIT:
                self._known.pop(next(iter(self._known)))
            self._known[place] = led = known
        finally:
            self._flights.land(place, led)
        return known
