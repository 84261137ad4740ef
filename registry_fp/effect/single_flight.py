"""Single flight: the same work asked for twice at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TypeAlias, final

__all__ = ["Landing", "SingleFlight"]

Landing: TypeAlias = "asyncio.Future[bool]"
"""Whether the work under way succeeded, when it ends."""


@final
class SingleFlight:
    """Work that is under way, by key. It belongs to one event loop.

    Whoever calls `take_off` first does the work and must `land` it, whatever happens; others meanwhile get its
    `Landing` to wait for. A waiter that is cancelled leaves the work alone, and one whose leader failed does it itself.
    """

    __slots__ = ("_flying",)

    def __init__(self) -> None:
        self._flying: dict[Hashable, asyncio.Future[bool]] = {}

    def take_off(self, key: Hashable) -> Landing | None:
        """None: the caller leads and must `land`. Otherwise: the landing of the one who does."""
        flying = self._flying.get(key)
        if flying is None:
            self._flying[key] = asyncio.get_running_loop().create_future()
        return flying

    def land(self, key: Hashable, *, arrived: bool) -> None:
        """End the flight of this key, and tell who waits; a second landing does nothing."""
        flying = self._flying.pop(key, None)
        if flying is not None and not flying.done():
            flying.set_result(arrived)
