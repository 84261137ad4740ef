"""The files of an OCI image layout, whether they lie in a folder or in a tar: each is a window that can be read.

Names come from parsed digests and constants, so none leads elsewhere. A link in a folder is followed, because build
tools make layouts of links, and whatever it leads to is proven against its digest; a pipe or a device is refused.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from errno import EINVAL
from functools import partial
from typing import Final, Protocol, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.content import find_file
from registry_fp.archive.off_loop import off_loop, pread_exactly
from registry_fp.archive.opened import OpenArchive, read_window
from registry_fp.domain.errors import InvalidImage, LimitExceeded, LocalIo, Reason

__all__ = ["FolderFiles", "LayoutFiles", "NamedTwice", "TarFiles", "Window", "read_file"]

A = TypeVar("A")

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@final
@dataclass(frozen=True, slots=True)
class Window:
    """A file of `size` bytes; `read(offset, length)` gives exactly these bytes or fails, and blocks."""

    size: int
    read: Callable[[int, int], Result[bytes, Reason]]


class LayoutFiles(Protocol):
    """Where the files of a layout are."""

    @property
    def path(self) -> str:
        """The folder or the tar, as it was named."""
        ...

    async def window(self, name: str, held: ExitStack) -> Result[Window | None, Reason]:
        """The regular file of this name, until `held` ends; None where there is none.

        Fails with `InvalidImage` where it is something else, and with `LocalIo`.
        """
        ...


@final
@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files of a layout that is a folder."""

    path: str

    async def window(self, name: str, held: ExitStack) -> Result[Window | None, Reason]:
        """The file, opened."""
        path = f"{self.path}/{name}"
        return await off_loop(path, lambda: _opened(path, name, held))


@final
@dataclass(frozen=True, slots=True)
class TarFiles:
    """The files of a layout in an open archive."""

    archive: OpenArchive

    @property
    def path(self) -> str:
        """The archive's path."""
        return self.archive.source.path

    async def window(self, name: str, held: ExitStack) -> Result[Window | None, Reason]:
        """The member's bytes; the archive's one descriptor serves them all."""
        if name not in self.archive.index:
            return Success(None)
        found = await find_file(self.archive, name, "bad blob")
        return found.map(lambda member: Window(member.size, partial(self._read, member.offset)))

    def _read(self, start: int, offset: int, length: int) -> Result[bytes, Reason]:
        return read_window(self.archive, start + offset, length)


@final
@dataclass(frozen=True, slots=True)
class NamedTwice:
    """The files of a layout of which one, called `real`, is there under another name, too."""

    files: LayoutFiles
    real: str
    other: str

    @property
    def path(self) -> str:
        """The folder or the tar."""
        return self.files.path

    async def window(self, name: str, held: ExitStack) -> Result[Window | None, Reason]:
        """The file under either name."""
        return await self.files.window(self.real if name == self.other else name, held)


async def read_file(
    files: LayoutFiles, name: str, parse: Callable[[bytes], Result[A, Reason]], *, missing: Reason, limit: int
) -> Result[A, Reason]:
    """What `parse` makes of a small file, in a thread; one of more than `limit` bytes is not read.

    Fails with `missing` where it is not there, `LimitExceeded`, as `parse`, and as the files do.
    """
    with ExitStack() as held:
        found = await files.window(name, held)
        if not is_successful(found):
            return Failure(found.failure())
        window = found.unwrap()
        if window is None:
            return Failure(missing)
        if window.size > limit:
            return Failure(LimitExceeded(f"bytes in {name}", limit))
        return await off_loop(files.path, lambda: window.read(0, window.size).bind(parse))


def _opened(path: str, name: str, held: ExitStack) -> Result[Window | None, Reason]:
    try:
        if not _regular(os.stat(path)):  # noqa: PTH116  looked at before it is opened: opening a pipe wakes its writer
            return Failure(InvalidImage("not a regular file", name))
        file = held.enter_context(io.FileIO(path, "rb", opener=lambda path, _: os.open(path, _FLAGS)))
    except (FileNotFoundError, NotADirectoryError):
        return Success(None)
    except ValueError:  # a zero byte, or what cannot be encoded
        return Failure(LocalIo(EINVAL, path))
    status = os.fstat(file.fileno())
    if not _regular(status):
        return Failure(InvalidImage("not a regular file", name))
    return Success(Window(status.st_size, lambda offset, length: pread_exactly(file.fileno(), offset, length, path)))


def _regular(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode)
