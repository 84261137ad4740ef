"""The two streams: results on standard output and nothing else there, everything else on standard error."""

# ruff: noqa: PLC0415  what draws takes longer to load than many a command takes, and a build service has no terminal

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO, final

from registry_fp import LocalIo, RegistryError, exit_code
from registry_fp.cli.answer import Answer, Content, compact, indented
from registry_fp.cli.failure import failure_document, failure_lines
from registry_fp.cli.options import Form, ShowOptions
from registry_fp.cli.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Terminal"]

_READER_GONE: Final = 141
"""As for any program that a closed pipe ends: 128 and the number of SIGPIPE."""


@final
class Terminal:
    """Where one command writes, in the form that was asked for."""

    def __init__(self, show: ShowOptions) -> None:
        self.form: Final[Form] = show.output
        self._console: Final = _console() if sys.stderr.isatty() else None
        self.verbose: Final = show.verbose
        self._logs = show.verbose or show.wire_log
        self._silent = show.no_progress or show.output == "quiet"
        self._lost: OSError | None = None
        if self._logs:
            _log_to_standard_error("registry_fp" if show.verbose else "registry_fp.wire")

    @property
    def live(self) -> Console | None:
        """What work under way may be drawn on, and drawn again; None where it may not."""
        if self._console is None or self._silent or self._logs or self._console.is_dumb_terminal:
            return None
        return self._console

    @property
    def is_told(self) -> bool:
        """Whether work under way is told line by line."""
        return self.form == "text" and not self._silent and self.live is None

    def write(self, answer: Answer) -> int:
        """Write a result; the exit code so far, which is 0."""
        match self.form:
            case "text":
                try:
                    self._put(_as_text(answer.text))
                except OSError as lost:  # what draws looks at the stream, too
                    self.lose(lost)
            case "quiet":
                self._put(answer.quiet)
            case "json":
                self._put(indented(answer.document))
            case "ndjson":
                for item in (answer.document,) if answer.items is None else answer.items:
                    self._put(compact(item))
        return 0

    def stream(self, content: bytes) -> bool:
        """Write the next bytes of a result that is not held in memory; False where nobody reads them any more."""
        self._put(content)
        return self._lost is None

    def item(self, document: object) -> None:
        """One object of a stream, as soon as it is known."""
        if self.form == "ndjson":
            self._put(compact(document))

    def step(self, line: str) -> None:
        """One line about work under way, where that is shown at all."""
        if self.live is not None or self.is_told:
            self.note(line)

    def note(self, line: str) -> None:
        """One line that is not a result."""
        with suppress(OSError):
            if self._console is None:
                print(printable(line), file=sys.stderr)
                return
            from registry_fp.cli.console import labelled

            self._console.print(labelled(printable(line)))

    def fail(self, error: RegistryError) -> int:
        """Say what went wrong; the exit code for it."""
        if self.form in ("json", "ndjson"):
            with suppress(OSError):
                print(compact({"error": failure_document(error)}), file=sys.stderr)
        else:
            for line in (*failure_lines(error), *((f"detail: {error!r}",) if self.verbose else ())):
                self.note(line)
        return exit_code(error)

    def misused(self, why: str, command: str) -> int:
        """The arguments contradict each other."""
        self.note(f"error: {why}")
        self.note(f"hint: see `registry-fp {command} --help`")
        return 2

    def bug(self, bug: BaseException) -> int:
        """Something happened that nobody thought of."""
        if self.verbose:
            traceback.print_exception(bug, file=sys.stderr)
        self.note(f"error: a bug in registry-fp: {type(bug).__name__}: {bug}")
        self.note("hint: please report it, with what -v shows")
        return 70

    def close(self, code: int) -> int:
        """The exit code, once it is known whether the results arrived."""
        try:
            sys.stderr.flush()
        except OSError:  # nobody reads what is not a result: that changes nothing
            _abandon(sys.stderr)
        match self._lost:
            case None:
                return code
            case BrokenPipeError():
                return code or _READER_GONE
            case lost:
                return self.fail(RegistryError("write", "standard output", LocalIo(lost.errno or 0, "standard output")))

    def lose(self, lost: OSError) -> None:
        """Standard output is gone: nothing more is written there, and `close` tells it."""
        self._lost = lost
        _abandon(sys.stdout)

    def _put(self, content: Content) -> None:
        if self._lost is not None or not content:
            return
        try:
            if isinstance(content, str):
                sys.stdout.write(f"{content}\n")
                sys.stdout.flush()
            else:
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
        except OSError as lost:
            self.lose(lost)


def _console() -> Console:
    from registry_fp.cli.console import console_on

    return console_on(sys.stderr, soft_wrap=True)


def _as_text(shown: Content | RenderableType) -> Content:
    if isinstance(shown, str | bytes):
        return shown
    from registry_fp.cli.console import rendered

    return rendered(shown)


def _abandon(stream: TextIO) -> None:
    # The interpreter flushes at its end, and would complain about the pipe once more, with an exit code of its own.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _log_to_standard_error(name: str) -> None:
    there = logging.StreamHandler(sys.stderr)
    there.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logger = logging.getLogger(name)
    logger.addHandler(there)
    logger.setLevel(logging.DEBUG)
