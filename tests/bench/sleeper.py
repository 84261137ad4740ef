"""A process that only sleeps: what it is kept waiting beside a measured one, the machine keeps everybody waiting."""

import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK = 0.005


@dataclass(slots=True)
class Waited:
    """The longest that it was kept waiting, in seconds; known at the end of the block."""

    worst: float = 0.0


@contextmanager
def sleeping_beside() -> Iterator[Waited]:
    """A sleeper, for as long as the block lasts."""
    waited = Waited()
    command = [sys.executable, "-m", __name__]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as sleeper:
        try:
            yield waited
        finally:
            waited.worst = float(sleeper.communicate()[0])


def _sleep() -> float:
    worst = 0.0
    while True:
        begun = time.perf_counter()
        if select.select([sys.stdin], [], [], _TICK)[0]:
            return worst
        worst = max(worst, time.perf_counter() - begun - _TICK)


if __name__ == "__main__":
    print(_sleep())  # noqa: T201  for whoever started it
