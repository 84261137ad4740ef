"""Bars: one for each blob of the push that is under way, and one for all of them together."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self, assert_never, final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from registry_fp import BlobDone, BlobMoved, BlobStarted, Event, ImageRead, ManifestStored
from registry_fp.cli.size import headline, human_size, short_name

__all__ = ["Bars"]

_OTHER_LINES: Final = 4
"""Lines of the terminal that are not for single blobs."""


@final
class Bars:
    """A drawing of a push; it stays on the screen as a record when the block ends."""

    def __init__(self, console: Console) -> None:
        names, state = TextColumn("{task.description:<12}"), TextColumn("{task.fields[state]}")
        bar = BarColumn(24, style="bright_black", complete_style="cyan", finished_style="green")
        self._progress = Progress(names, bar, state, console=console)
        self._blobs: dict[str, TaskID] = {}
        self._sizes: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._together: TaskID | None = None
        self._crowded = False

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw for the last time."""
        self._progress.stop()

    def watch(self, event: Event) -> None:
        """Draw what happened."""
        match event:
            case ImageRead(blobs=blobs):
                self._progress.console.print(headline(event))
                self._begin(dict(blobs))
            case BlobStarted(blob=blob):
                self._draw(blob, 0, human_size(self._sizes[blob]))
            case BlobMoved(blob=blob, read=read, sent=sent):
                more = "" if read == sent else f", {human_size(sent)} sent"
                self._draw(blob, read, f"{human_size(self._sizes[blob])}{more}")
            case BlobDone(blob=blob, outcome=outcome, sent=sent):
                size = self._sizes[blob]
                self._draw(
                    blob,
                    size,
                    f"{human_size(size)}, {outcome}{f' as {human_size(sent)}' if sent not in (0, size) else ''}",
                )
            case ManifestStored():
                pass
            case _:
                assert_never(event)

    def _begin(self, sizes: dict[str, int]) -> None:
        """A new image: its blobs take the place of those of the image before it."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._sizes, self._read = sizes, {}
        self._crowded = len(sizes) > self._progress.console.height - _OTHER_LINES
        self._blobs = {
            blob: self._progress.add_task(short_name(blob), total=size, visible=not self._crowded, state="waiting")
            for blob, size in sizes.items()
        }
        whole = sum(sizes.values())
        self._together = self._progress.add_task("together", total=whole, state=human_size(whole))

    def _draw(self, blob: str, read: int, state: str) -> None:
        """So much of a blob was read. Where lines are scarce, only those show whose bytes are on their way."""
        self._read[blob] = read
        shown = not self._crowded or 0 < read < self._sizes[blob]
        self._progress.update(self._blobs[blob], completed=read, state=state, visible=shown)
        if self._together is not None:
            self._progress.update(self._together, completed=sum(self._read.values()))
