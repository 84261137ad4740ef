"""Stalls: every exchange ends, because every wait for the other side has a limit.

One timeout scope lies around a whole exchange and is moved along as it makes progress. Time that we spend ourselves
(reading a disk, compressing, a consumer at work) is not the other side's, and stops the watch. The minimum rate is one
of bytes under way: a registry that thinks about its answer is slow to answer, and no slow stream.
"""

from __future__ import annotations

import asyncio
from typing import Final, final

from registry_fp.domain.errors import Phase, TimedOut

__all__ = ["StallWatch"]

_RATE_WINDOW: Final = 60.0
_STREAMING: Final = frozenset({"write", "read"})


@final
class StallWatch:
    """The limit in force, and what it is for. It moves the given timeout scope along."""

    __slots__ = ("_bytes", "_min_rate", "_phase", "_scope", "_seconds", "_since", "_spent", "_stuck")

    def __init__(self, scope: asyncio.Timeout, min_rate: int) -> None:
        self._scope = scope
        self._min_rate = min_rate
        self._phase: Phase = "connect"
        self._seconds = 0.0
        self._since: float | None = None
        self._spent = 0.0
        self._bytes = 0
        self._stuck = False

    @property
    def reason(self) -> TimedOut:
        """What ran out, after the scope has expired."""
        return TimedOut(self._phase, self._seconds)

    def theirs(self, phase: Phase, seconds: float) -> None:
        """From now on we wait for the other side, at most so long."""
        if self._stuck:
            return
        now = asyncio.get_running_loop().time()
        self._phase, self._seconds, self._since = phase, seconds, now
        self._move(now + seconds)

    def ours(self, moved: int = 0) -> None:
        """The other side has done its part, and moved so many bytes; the time until `theirs` is our own."""
        if self._stuck:
            return
        now = asyncio.get_running_loop().time()
        if self._since is not None and self._phase in _STREAMING:
            self._spent += now - self._since
        self._since = None
        self._bytes += moved
        if self._spent >= _RATE_WINDOW:
            if self._bytes < self._min_rate * self._spent:
                self._phase, self._seconds = "rate", round(self._spent)
                self._move(now)
                self._stuck = True  # the scope ends at the next step of the loop; until then nothing moves it again
                return
            self._spent, self._bytes = 0.0, 0
        self._move(None)

    def _move(self, when: float | None) -> None:
        if not self._scope.expired():
            self._scope.reschedule(when)
