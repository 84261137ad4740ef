"""The profile book: what a client knows of the registries that it talks to."""

from __future__ import annotations

from typing import Final, final

from registry_fp.protocol.profile import RegistryProfile, find_profile, named_profile
from registry_fp.transport.settings import Settings

__all__ = ["ProfileBook"]

_HOSTS: Final = 1024


@final
class ProfileBook:
    """The profile of each host: the one that was chosen for it or that its name tells, refined by what it did.

    What is learned lasts as long as the client. A registry that changes its ways meanwhile is still served, by the
    slower way that it once needed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, RegistryProfile] = {}

    def of(self, host: str) -> RegistryProfile:
        """What is known of a host, `HOST[:PORT]`."""
        known = self._known.get(host)
        if known is None:
            chosen = self._settings.host(host).profile
            known = (None if chosen is None else named_profile(chosen)) or find_profile(host)
            self.learn(host, known)
        return known

    def learn(self, host: str, profile: RegistryProfile) -> None:
        """From now on this is the host's profile; of too many hosts, the one that is known longest is forgotten."""
        self._known.pop(host, None)
        while len(self._known) >= _HOSTS:
            self._known.pop(next(iter(self._known)))
        self._known[host] = profile
