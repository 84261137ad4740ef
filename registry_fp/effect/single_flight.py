"""Single flight: the same work asked for twice at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar, final

__all__ = ["SingleFlight"]

T = TypeVar("T")


@final
class SingleFlight(Generic[T]):
    """Work that is under way, by key. It belongs to one event loop.

    Whoever calls `take_off` first does the work and must `land` it, whatever happens; others meanwhile get a future to
    wait for, shielded: it gives the outcome, or None where the leader failed and the waiter has to do it itself.
    """

    __slots__ = ("_flying",)

    def __init__(self) -> None:
        self._flying: dict[Hashable, asyncio.Future[T | None]] = {}

    def take_off(self, key: Hashable) -> asyncio.Future[T | None] | None:
        """None: the caller leads and must `land`. Otherwise: the outcome of the one who does, when it lands."""
        flying = self._flying.get(key)
        if flying is None:
            self._flying[key] = asyncio.get_running_loop().create_future()
        return None if flying is None else asyncio.shield(flying)

    def land(self, key: Hashable, outcome: T | None) -> None:
        """End the flight of this key, and tell who waits; a second landing does nothing."""
        flying = self._flying.pop(key, None)
        if flying is not None and not flying.done():
            flying.set_result(outcome)
