"""Time as a value, so that a test can make it pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, final

__all__ = ["SYSTEM_CLOCK", "Clock"]


@final
@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time: `now` never jumps (seconds, for durations), `wall` is Unix time, `sleep` waits."""

    now: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


SYSTEM_CLOCK: Final = Clock(time.monotonic, time.time, asyncio.sleep)
"""The machine's own clock."""
