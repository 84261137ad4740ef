"""`python -m tests.bench [speed|pull|memory] [RUNS]`: a table, and never a verdict."""

import sys

from tests.bench.memory import memory
from tests.bench.pull_speed import pull_speed
from tests.bench.speed import speed


def main(arguments: list[str]) -> None:
    """Run what was asked for, or everything, and print the table."""
    tables = {"speed", "pull", "memory"}
    chosen = set(arguments) & tables or tables
    runs = next((int(text) for text in arguments if text.isdecimal()), 5)
    rows = [
        *(speed(runs) if "speed" in chosen else []),
        *(pull_speed(runs) if "pull" in chosen else []),
        *(memory() if "memory" in chosen else []),
    ]
    for what, found in rows:
        print(f"{what:45} {found}")  # noqa: T201  the table is the result


if __name__ == "__main__":
    main(sys.argv[1:])
