"""A loop whose time jumps: to wait takes no time, and moments are nearly exact. For work that needs no socket."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout else timeout)
        self.now += 1e-6  # as on any clock, a little time passes whatever is done
        if not ready and timeout:
            self.now += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_jumping(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; whenever everybody waits, it is at once the moment that the first of them waits for."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main)
