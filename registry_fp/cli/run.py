"""Running: from a coroutine to an exit code, whatever happens on the way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final

from registry_fp.cli.options import ShowOptions
from registry_fp.cli.terminal import Terminal

__all__ = ["run"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_BY_SIGNAL: Final = 128
"""What the number of a signal is added to, as shells do it."""


def run(show: ShowOptions, work: Callable[[Terminal], Coroutine[Any, Any, int]]) -> int:
    """Run a command's work to its exit code; what `work` does before it gives its coroutine may block.

    A signal cancels the coroutine, so that it can give up what it holds open, and gives 130 or 143; a second signal
    does not wait for that. A bug gives 70.
    """
    terminal = Terminal(show)
    try:
        code = _until_signal(work(terminal))
    except Exception as bug:
        code = terminal.bug(bug)
    if code > _BY_SIGNAL:
        terminal.note("interrupted")
    return terminal.close(code)


def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    caught: list[signal.Signals] = []

    async def body() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: signal.Signals) -> None:
            caught.append(number)
            for each in _SIGNALS:
                loop.remove_signal_handler(each)
                signal.signal(each, signal.SIG_DFL)
            if task is not None:
                task.cancel()

        for number in _SIGNALS:
            loop.add_signal_handler(number, stop, number)
        return await work

    with asyncio.Runner() as runner:
        try:
            return runner.run(body())
        except asyncio.CancelledError:
            if not caught:
                raise
            return _BY_SIGNAL + caught[0]
