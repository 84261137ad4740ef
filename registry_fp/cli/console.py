"""Consoles: what is drawn on a stream, if it is a terminal, and what is written to it, if it is none."""

from __future__ import annotations

import sys
from typing import Final, TextIO, final

from rich.console import Console, RenderableType
from rich.text import Text

__all__ = ["console_on", "labelled", "rendered"]

_STYLES: Final = {"error": "bold red", "hint": "cyan", "warning": "yellow"}
_ENDLESS: Final = 10_000
"""The width, in columns, of what is not a terminal: nothing is cut or folded there."""


def console_on(stream: TextIO, *, soft_wrap: bool = False) -> Console:
    """A console that draws on a terminal alone; lines of `soft_wrap` are folded by nobody but the terminal."""
    # Only a terminal is treated as one: where build services set FORCE_COLOR, a log is still a file.
    is_terminal = stream.isatty()
    return _Console(
        file=stream, force_terminal=is_terminal, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False
    )


def rendered(shown: RenderableType) -> str:
    """What this looks like on standard output; without a terminal it is plain, and as wide as it needs to be."""
    console = console_on(sys.stdout)
    if not console.is_terminal:
        console.width = _ENDLESS
    with console.capture() as captured:
        console.print(shown, crop=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def labelled(line: str) -> Text:
    """One line, with a colour for what it begins with: an error, a hint or a warning."""
    label, colon, rest = line.partition(": ")
    return Text.assemble((label + colon, _STYLES[label]), rest) if label in _STYLES else Text(line)


@final
class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Nobody listens any more, which is no reason to give up the work: the default would leave the process."""
        self.quiet = True
