"""Working ahead: every result arrives, in order, however quickly it is taken."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from types import FrameType
from typing import Any

from registry_fp.archive.ahead import ahead


def _before_its_next_line(frame: FrameType, act: Callable[[], object]) -> None:
    """Let a function that is running in this thread do something before it goes on."""

    def traced(_frame: FrameType, _event: str, _argument: Any) -> None:
        sys.settrace(None)
        act()

    sys.settrace(lambda _frame, _event, _argument: None)
    frame.f_trace = traced


async def test_a_result_that_is_taken_at_once_does_not_end_the_work() -> None:
    """The thread once looked for its last result where the loop had taken it from, and a push ended with a bug."""
    given, made, taken = iter((1, 2, 3)), threading.Event(), threading.Event()

    def step() -> tuple[int, bool]:
        number = next(given)
        if number == 2:

            def wait() -> None:
                made.set()
                taken.wait()

            _before_its_next_line(sys._getframe(1), wait)
        return number, number < 3

    found = []
    async with aclosing(ahead(step, None)) as results:
        async for number in results:
            found.append(number)
            if number == 1:
                made.wait()
            if number == 2:
                taken.set()
    assert found == [1, 2, 3]
