"""The profile book: what a client knows of the registries that it talks to."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, final

from registry_fp.protocol.profile import RegistryProfile, find_profile, named_profile
from registry_fp.transport.clock import SYSTEM_CLOCK
from registry_fp.transport.settings import Settings

__all__ = ["LEARNED_SECONDS", "ProfileBook"]

LEARNED_SECONDS: Final = 3600.0
"""How long what a registry did counts, in seconds; it may have been a bad day, or somebody on the way."""

_HOSTS: Final = 1024


@final
class ProfileBook:
    """The profile of each host: the one that was chosen for it or that its name tells, refined by what it did.

    What is learned of a host is forgotten all together, `LEARNED_SECONDS` after the first of it. Until then a registry
    that has changed its ways is still served, by the slower way that it once needed; and who needs that for ever is
    asked to show it again by one request in an hour.
    """

    def __init__(self, settings: Settings, now: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        self._settings = settings
        self._now = now
        self._known: dict[str, tuple[RegistryProfile, float]] = {}

    def of(self, host: str) -> RegistryProfile:
        """What is known of a host, `HOST[:PORT]`."""
        known, until = self._known.get(host, (None, inf))
        if known is None or self._now() >= until:
            chosen = self._settings.host(host).profile
            known = (None if chosen is None else named_profile(chosen)) or find_profile(host)
            self._keep(host, known, inf)
        return known

    def learn(self, host: str, profile: RegistryProfile) -> None:
        """Make this the profile of a host, for a while; of too many hosts, the one known longest is forgotten."""
        now = self._now()
        _, until = self._known.get(host, (None, inf))
        self._keep(host, profile, until if now < until < inf else now + LEARNED_SECONDS)

    def _keep(self, host: str, profile: RegistryProfile, until: float) -> None:
        self._known.pop(host, None)
        while len(self._known) >= _HOSTS:
            self._known.pop(next(iter(self._known)))
        self._known[host] = (profile, until)
