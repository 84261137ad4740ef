"""Clocks that tests hold: one that never makes anybody wait, one that stands until it is moved, one that runs fast."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from registry_fp.transport.clock import Clock

T = TypeVar("T")

WALL = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


class InstantClock:
    """Waiting takes no time, and is written down."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waits: list[float] = []
        self.clock = Clock(lambda: self.passed, lambda: WALL + self.passed, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


class HeldClock:
    """Time stands still until it is moved; who sleeps can be seen."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleepers: dict[asyncio.Future[None], float] = {}
        self._changed = asyncio.Event()
        self.clock = Clock(lambda: self.now, lambda: WALL + self.now, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers[woken] = self.now + seconds
        self._changed.set()
        try:
            await woken
        finally:
            self.sleepers.pop(woken, None)

    async def asleep(self, count: int) -> list[float]:
        """Wait until so many sleep; when each of them wants to be woken."""
        while len(self.sleepers) < count:
            self._changed.clear()
            await self._changed.wait()
        return sorted(self.sleepers.values())

    def move(self, seconds: float) -> bool:
        """Let time pass, and wake whoever's moment has come; False, since it is never enough."""
        self.now += seconds
        for woken, moment in tuple(self.sleepers.items()):
            if moment <= self.now and not woken.done():
                woken.set_result(None)
        return False


class _FastSelector(selectors.DefaultSelector):
    speed: float

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self.speed)


class _FastLoop(asyncio.SelectorEventLoop):
    def __init__(self, speed: float) -> None:
        selector = _FastSelector()
        selector.speed = speed
        self._speed = speed
        super().__init__(selector)

    def time(self) -> float:
        return super().time() * self._speed


def run_fast(main: Coroutine[Any, Any, T], *, speed: float = 60.0) -> T:
    """Run on a loop whose minutes last a second: real sockets, and real waiting that need not be waited for."""
    with asyncio.Runner(loop_factory=lambda: _FastLoop(speed)) as runner:
        return runner.run(main)
