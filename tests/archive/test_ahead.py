"""Working ahead: every result arrives, in order, however quickly it is taken."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from types import FrameType
from typing import Any

from registry_fp.archive.ahead import ahead

SECONDS = 10.0  # so that a change of the code ends the test, and does not hang it


def _once_it_is_queued(frame: FrameType, act: Callable[[], object]) -> None:
    """Let the thread that this frame is of do something as soon as its queue has something in it."""

    def traced(there: FrameType, _event: str, _argument: Any) -> Any:
        if not there.f_locals["made"]:
            return traced
        sys.settrace(None)
        return act()

    sys.settrace(lambda _frame, _event, _argument: None)
    frame.f_trace = traced


async def test_a_result_that_is_taken_at_once_does_not_end_the_work() -> None:
    """The thread once looked for its last result where the loop had taken it from, and a push ended with a bug."""
    given = iter((1, 2, 3))
    first, queued, taken = threading.Event(), threading.Event(), threading.Event()

    def step() -> tuple[int, bool]:
        number = next(given)
        if number == 2:

            def wait() -> None:
                queued.set()
                taken.wait(SECONDS)

            first.wait(SECONDS)
            _once_it_is_queued(sys._getframe(1), wait)
        return number, number < 3

    found = []
    async with aclosing(ahead(step, None)) as results:
        async for number in results:
            found.append(number)
            if number == 1:
                first.set()
                assert queued.wait(SECONDS)
            if number == 2:
                taken.set()
    assert found == [1, 2, 3]
