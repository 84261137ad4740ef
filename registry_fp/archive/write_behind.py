"""Writing behind: a file goes to the disk while more of it comes, so that the sync at its end finds little to do."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final, final

__all__ = ["WriteBehind"]

_STEP: Final = 8 * 1024 * 1024  # bytes: measured with 4, 8 and 16 MiB, which are alike
_PAGE: Final = 64 * 1024  # the largest that there is


@final
class WriteBehind:
    """How far an open file, which is written from its beginning on, is on its way to the disk.

    It promises nothing: who needs the bytes to be there calls `fsync`. Where the system cannot begin without waiting
    for the end, nothing happens.
    """

    __slots__ = ("_begun", "_fd")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._begun = 0

    def wrote(self, end: int) -> None:
        """Begin with what was written, up to this many bytes from its beginning; it is not waited for."""
        end -= end % _PAGE  # a page that more is written to could make the writer wait
        if end - self._begun < _STEP or not hasattr(os, "posix_fadvise"):
            return
        # Linux begins to write dirty pages when it hears that nobody needs them, and keeps those that are being
        # written (mm/fadvise.c).
        with suppress(OSError):  # it is advice
            os.posix_fadvise(self._fd, self._begun, end - self._begun, os.POSIX_FADV_DONTNEED)
        self._begun = end
