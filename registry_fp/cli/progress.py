"""Progress: a push as it can be watched, drawn on a terminal or told line by line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, assert_never, final

from registry_fp import BlobDone, BlobMoved, BlobStarted, Event, ImageRead, ManifestStored, OnEvent
from registry_fp.cli.event_document import event_document
from registry_fp.cli.size import headline, human_size, short_name
from registry_fp.cli.terminal import Terminal

__all__ = ["watched"]

_PAUSE: Final = 5.0
"""Seconds between two lines about a blob that is still under way."""


@contextmanager
def watched(terminal: Terminal) -> Iterator[OnEvent]:
    """A watcher for as long as the block lasts: bars or lines on standard error, objects in ndjson, or nothing."""

    def stream(event: Event) -> None:
        terminal.item(event_document(event))

    console = terminal.live
    if console is not None:
        # Bars are a terminal's alone: whoever has none need not load them.
        from registry_fp.cli.bars import Bars  # noqa: PLC0415

        with Bars(console) as bars:
            yield _both(stream, bars.watch)
    elif terminal.is_told:
        yield _Lines(terminal).watch
    else:
        yield stream


def _both(first: OnEvent, second: OnEvent) -> OnEvent:
    def watch(event: Event) -> None:
        first(event)
        second(event)

    return watch


@final
class _Lines:
    """One line for each thing that is done, and now and then one for what takes long."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._lengths: dict[str, int] = {}
        self._told: dict[str, float] = {}
        self._is_begun = False  # an image, by a line that says which

    def watch(self, event: Event) -> None:
        """Tell what happened."""
        match event:
            case ImageRead():
                self._is_begun = True
                self._terminal.note(headline(event))
            case BlobStarted(blob=blob, length=length):
                self._is_begun = True
                self._lengths[blob] = length
                self._told[blob] = time.monotonic()
            case BlobMoved(blob=blob, read=read, sent=sent):
                if time.monotonic() - self._told.get(blob, 0.0) >= _PAUSE:
                    self._told[blob] = time.monotonic()
                    whole = human_size(self._lengths.get(blob, read))
                    # A layer that is compressed on its way has two numbers; what is moved as it is has one.
                    state = f"{human_size(read)} of {whole}"
                    self._tell(blob, state if read == sent else f"{state} read, {human_size(sent)} sent")
            case BlobDone(blob=blob, outcome=outcome, sent=sent):
                amount = human_size(sent) if outcome == "fetched" else f"{human_size(sent)} sent"
                self._tell(blob, f"{outcome}, {amount}" if sent else outcome)
            case ManifestStored(reference=reference):
                if not self._is_begun:
                    self._terminal.note(f"{reference}: nothing to move")
                self._is_begun = False
                self._terminal.note("  manifest      stored, and confirmed")
            case _:
                assert_never(event)

    def _tell(self, blob: str, what: str) -> None:
        self._terminal.note(f"  {short_name(blob):<12}  {what}")
