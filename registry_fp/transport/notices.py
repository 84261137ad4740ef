"""Notices: what registries say beside their answers, kept in a book of the client's.

A notice changes nothing: no request is sent, delayed or left out because of one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, final

from registry_fp.effect.log import log_of
from registry_fp.protocol.quota import Quota

__all__ = ["NOTICES_LIMIT", "NO_NOTICES", "HostQuota", "NoticeBook", "Notices", "RegistryWarning"]

NOTICES_LIMIT: Final = 1000
"""How many different warnings are remembered, and the quotas of how many hosts; after that the oldest are forgotten."""

_log: Final = log_of(__name__)


@final
@dataclass(frozen=True, slots=True)
class RegistryWarning:
    """What a registry wants the user to know; control characters in it are escaped."""

    host: str
    text: str


@final
@dataclass(frozen=True, slots=True)
class HostQuota:
    """What a registry said last about how much may still be asked of it."""

    host: str
    quota: Quota


@final
@dataclass(frozen=True, slots=True)
class Notices:
    """What registries said: each different warning once, in the order of their first time, and the newest quotas."""

    warnings: tuple[RegistryWarning, ...] = ()
    quotas: tuple[HostQuota, ...] = ()


NO_NOTICES: Final = Notices()
"""Nothing was said."""


@final
class NoticeBook:
    """All notices that a client was given, whichever operation they were given to."""

    __slots__ = ("_heard", "_quotas", "_warnings")

    def __init__(self) -> None:
        self._heard = 0
        self._warnings: dict[RegistryWarning, int] = {}
        self._quotas: dict[str, tuple[int, Quota]] = {}

    def hear(self, host: str, quota: Quota | None, warnings: Collection[str]) -> None:
        """Write down what one answer of a host said."""
        self._heard += 1
        if quota is not None:
            self._quotas.pop(host, None)
            self._quotas[host] = (self._heard, quota)
        for text in warnings:
            warning = RegistryWarning(host, text)
            if warning not in self._warnings:
                self._warnings[warning] = self._heard
                _log.info("%s warns: %s", host, text)
        while len(self._warnings) > NOTICES_LIMIT:
            del self._warnings[next(iter(self._warnings))]
        while len(self._quotas) > NOTICES_LIMIT:
            del self._quotas[next(iter(self._quotas))]

    def page(self) -> int:
        """Where the book is open now, for `since`."""
        return self._heard

    def since(self, page: int, hosts: Collection[str] | None = None) -> Notices:
        """What was written after that page, of these hosts: warnings that were not known before, and quotas."""
        return Notices(
            tuple(each for each, at in self._warnings.items() if at > page and (hosts is None or each.host in hosts)),
            tuple(
                HostQuota(host, quota)
                for host, (at, quota) in self._quotas.items()
                if at > page and (hosts is None or host in hosts)
            ),
        )

    @property
    def notices(self) -> Notices:
        """Everything that is written in it."""
        return self.since(0)

    def quota(self, host: str) -> Quota | None:
        """What a registry, `HOST[:PORT]` as its references name it, said last about its quota."""
        found = self._quotas.get(host)
        return None if found is None else found[1]
