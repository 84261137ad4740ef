"""A blob on its way into a layout: under another name until its bytes are proven and on the disk.

The name it grows under is locked, so that two writers of one layout never write into one file, and one that is left
behind by a killed process is taken over by the next. All of this blocks, so a thread calls it.
"""

from __future__ import annotations

import fcntl
import os
import stat
from errno import EAGAIN
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.archive.layout_index import blob_name
from registry_fp.archive.write_behind import WriteBehind
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import LocalIo, Reason, SizeMismatch

__all__ = ["PartialBlob", "blob_is_there", "sync_folder"]

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_WRITERS: Final = 1_000
_FEW: Final = 1024 * 1024  # bytes: half a millisecond


@final
class PartialBlob:
    """One blob being written into the layout at `root`. After `begin` it must be closed."""

    def __init__(self, root: str, wanted: Descriptor) -> None:
        self._wanted = wanted
        self._final = f"{root}/{blob_name(wanted)}"
        self._folder = os.path.dirname(self._final)  # noqa: PTH120  text, as it was given
        self._name = ""
        self._fd = -1
        self._behind: WriteBehind | None = None
        self.size: int = 0

    def begin(self) -> Result[bool, Reason]:
        """Take a name to write under; False if the blob is there already, and nothing is to be done."""
        os.makedirs(self._folder, exist_ok=True)  # noqa: PTH103
        for number in range(_WRITERS):
            if blob_is_there(self._final, self._wanted):
                return Success(False)
            if self._take(f"{self._folder}/.{self._wanted.digest.hex}.{number}.partial"):
                if not blob_is_there(self._final, self._wanted):
                    os.ftruncate(self._fd, 0)
                    self._behind = WriteBehind(self._fd)
                    return Success(True)
                self.discard()
                return Success(False)
        return Failure(LocalIo(EAGAIN, self._final))

    def write(self, chunk: bytes) -> Result[None, Reason]:
        """Append bytes; fails with `SizeMismatch` where they are more than were promised."""
        self.size += len(chunk)
        if self.size > self._wanted.size:
            return Failure(SizeMismatch(self._wanted.size, self.size))
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._fd, view) :]
        if self._behind is not None:
            self._behind.wrote(self.size)
        return Success(None)

    def commit(self) -> Result[None, Reason]:
        """Give the blob its name, when it is whole and on the disk. Fails with `SizeMismatch`.

        That the bytes are the digest's was proven by whoever gave them: an `Origin` does, at the end of its stream.
        """
        if self.size != self._wanted.size:
            return Failure(SizeMismatch(self._wanted.size, self.size))
        os.fsync(self._fd)
        os.replace(self._name, self._final)  # noqa: PTH105
        self._name = ""
        sync_folder(self._folder)
        return Success(None)

    def discard(self) -> Result[None, Reason]:
        """Remove what was written, unless it has become the blob; doing it twice does no harm."""
        try:
            if self._name:
                os.unlink(self._name)  # noqa: PTH108
        except FileNotFoundError:
            pass
        finally:
            self._name = ""
            self.close()
        return Success(None)

    def close(self) -> None:
        """Let go of the file and of its name; doing it twice does no harm."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _take(self, name: str) -> bool:
        """Whether the name is ours now: nobody else holds it, and it is still the file that we opened."""
        self._fd = os.open(name, _FLAGS, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the two calls its writer may have finished: then this is the blob itself, and must not be touched.
            ours = os.path.samestat(os.fstat(self._fd), os.lstat(name))
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if ours:
            self._name = name
        else:
            self.close()
        return ours


def blob_is_there(path: str, wanted: Descriptor) -> bool:
    """Whether a blob stands under its name, as far as its size tells, and its bytes where they are few.

    It came there proven and whole, so that a large one is not read again; `validate` reads it.
    """
    try:
        there = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(there.st_mode) or there.st_size != wanted.size:  # an empty pipe would be waited for
            return False
        if wanted.size > _FEW:
            return True
        with open(path, "rb") as file:  # noqa: PTH123
            return digest_of(file.read(_FEW + 1), wanted.digest.algorithm) == wanted.digest
    except (FileNotFoundError, NotADirectoryError):
        return False


def sync_folder(path: str) -> None:
    """Bring a folder's names to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
