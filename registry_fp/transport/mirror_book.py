"""The book of mirrors: which of them are asked now, and which have given something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

__all__ = ["DISTRUST_SECONDS", "REST_SECONDS", "MirrorBook"]

REST_SECONDS: Final = 60.0
"""How long a mirror that cannot be reached is not asked, in seconds."""

DISTRUST_SECONDS: Final = 3600.0
"""How long a mirror that gave wrong bytes is not asked, in seconds."""


@final
class MirrorBook:
    """What a client knows of mirrors, by their names. It belongs to one event loop.

    Rests are shared by every book that was made of one by `anew`; `gave` are the mirrors that content came from since.
    """

    __slots__ = ("_now", "_rests", "_without", "gave")

    def __init__(
        self,
        now: Callable[[], float],
        rests: dict[str, float] | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self._now = now
        self._rests: dict[str, float] = {} if rests is None else rests
        self._without = without
        self.gave: Final[set[str]] = set()

    def anew(self, without: frozenset[str] = frozenset()) -> MirrorBook:
        """A book for a piece of work, in which nothing has been given yet; these mirrors are not asked for it."""
        return MirrorBook(self._now, self._rests, self._without | without)

    def is_asked(self, mirror: str) -> bool:
        """Whether it is neither left out nor at rest."""
        return mirror not in self._without and self._rests.get(mirror, self._now()) <= self._now()

    def rest(self, mirror: str, seconds: float) -> None:
        """Ask it nothing for so long, or for longer if that was known."""
        self._rests[mirror] = max(self._rests.get(mirror, 0.0), self._now() + seconds)
