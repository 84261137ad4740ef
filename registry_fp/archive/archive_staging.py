"""Where an archive grows before it has its name: a hidden folder beside it, which one process at a time may use.

What is there is whole and has its name, or ends in `.part`. A process that is killed leaves the folder behind, and the
next one that writes the same archive removes what is not whole, and goes on with the rest. Nothing but a complete
archive, that is on the disk, ever gets the archive's own name.
"""

from __future__ import annotations

import fcntl
import io
import os
import stat
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from errno import EAGAIN, EBUSY, EEXIST, EISDIR, EPERM
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_blob import sync_folder
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.tar_header import BLOCK, parse_header
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LocalIo, Reason, Unsupported
from registry_fp.effect.bracket import finish

__all__ = ["PartialFolder", "keep_only", "leave_partial", "open_partial", "publish"]

_LOCK: Final = "lock"
_ARCHIVE: Final = "archive.part"
_UNFINISHED: Final = ".part"
_TRIES: Final = 100
_EMPTY_TAR: Final = 10_240  # bytes, as tar(1) writes it


@final
@dataclass(frozen=True, slots=True)
class PartialFolder:
    """The folder at `path`, locked for this process, in which the archive `target` grows."""

    target: str
    path: str
    lock: io.FileIO = field(repr=False)

    @property
    def archive(self) -> str:
        """What the archive is called until it is complete."""
        return f"{self.path}/{_ARCHIVE}"

    def blob(self, digest: Digest) -> str:
        """What content of this digest is called here."""
        return f"{self.path}/{digest.algorithm}-{digest.hex}"


async def open_partial(path: str) -> Result[PartialFolder, Reason]:
    """Take the folder beside the archive that is to be at `path`; a link there is followed.

    Fails with `LocalIo`: EEXIST where a file that is no plain tar is in the archive's place, EBUSY while somebody else
    writes the same archive, EPERM where the folder is another user's or others may write to it; and with `Unsupported`
    where a device or a pipe is in the archive's place.
    """
    taken: list[PartialFolder] = []
    try:
        return await off_loop(path, lambda: _opened(path, taken))
    except BaseException:  # a cancellation waits for the thread, and what that has taken is let go of again
        for folder in taken:
            await finish(leave_partial(folder, done=False))
        raise


async def keep_only(folder: PartialFolder, digests: Collection[Digest]) -> Result[None, Reason]:
    """Remove what earlier work left and this archive does not need."""
    names = {f"{digest.algorithm}-{digest.hex}" for digest in digests} | {_LOCK}
    return await off_loop(folder.path, lambda: _removed(folder, names))


async def publish(folder: PartialFolder) -> Result[None, Reason]:
    """Give the archive, which is complete and on the disk, its name; what had it before is replaced at once.

    Fails as `open_partial` where something has come to lie there since that may not be replaced.
    """

    def step() -> Result[None, Reason]:
        refused = _refusal(folder.target, folder.target)
        if refused is not None:
            return Failure(refused)
        os.replace(folder.archive, folder.target)  # noqa: PTH105  text, as it was given
        sync_folder(os.path.dirname(folder.target))  # noqa: PTH120
        return Success(None)

    return await off_loop(folder.target, step)


async def leave_partial(folder: PartialFolder, *, done: bool) -> None:
    """Let go of the folder, and remove it; if the work is not `done` and something is whole, that stays."""
    await off_loop(folder.path, lambda: _left(folder, done=done))


def _opened(path: str, held: list[PartialFolder]) -> Result[PartialFolder, Reason]:
    target = os.path.realpath(path)
    refused = _refusal(path, target)
    if refused is not None:
        return Failure(refused)
    above, name = os.path.split(target)
    folder = f"{above}/.{name}.partial"
    for _ in range(_TRIES):  # whoever had it may be removing it
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)  # noqa: PTH102
        taken = _taken(folder)
        if not is_successful(taken):
            return Failure(taken.failure())
        lock = taken.unwrap()
        if lock is not None:
            held.append(PartialFolder(target, folder, lock))
            _removed(held[0], {name for name in os.listdir(folder) if not name.endswith(_UNFINISHED)})  # noqa: PTH208
            return Success(held[0])
    return Failure(LocalIo(EAGAIN, folder))


def _refusal(path: str, target: str) -> Reason | None:
    try:
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        return LocalIo(EISDIR, path)
    if not stat.S_ISREG(mode):
        return Unsupported("writing an archive to a device, a pipe or a socket")
    return None if _is_replaceable(target) else LocalIo(EEXIST, path)


def _is_replaceable(path: str) -> bool:
    """Whether a file is a plain tar, or empty; what else is there was named by mistake.

    A tar without members is a few blocks of zeros; so does many a disk image begin, and is longer.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  text, as it was given
        begin = file.read(_EMPTY_TAR + 1)
    first = begin[:BLOCK]
    if not first.strip(b"\0"):
        return len(begin) <= _EMPTY_TAR and not len(begin) % BLOCK and not begin.strip(b"\0")
    return len(first) == BLOCK and is_successful(parse_header(first))


def _taken(folder: str) -> Result[io.FileIO | None, Reason]:
    """The lock, if it is ours now; None if the folder went away meanwhile."""
    with ExitStack() as held:
        try:
            status = os.lstat(folder)
            # Whoever may write there could change what was proven before it is packed.
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return Failure(LocalIo(EPERM, folder))
            name = f"{folder}/{_LOCK}"
            lock = held.enter_context(io.FileIO(name, "r+", opener=_created))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.path.samestat(os.fstat(lock.fileno()), os.lstat(name))
        except FileNotFoundError:
            return Success(None)
        except BlockingIOError:
            return Failure(LocalIo(EBUSY, folder))
        if ours:
            held.pop_all()
        return Success(lock if ours else None)


def _created(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _left(folder: PartialFolder, *, done: bool) -> Result[None, Reason]:
    try:
        left = [name for name in os.listdir(folder.path) if name != _LOCK]  # noqa: PTH208
        whole = [] if done else [name for name in left if not name.endswith(_UNFINISHED)]
        _removed(folder, {*whole, _LOCK})
        if not whole:
            os.unlink(f"{folder.path}/{_LOCK}")  # noqa: PTH108
            os.rmdir(folder.path)  # noqa: PTH106
    finally:
        folder.lock.close()
    return Success(None)


def _removed(folder: PartialFolder, kept: Collection[str]) -> Result[None, Reason]:
    for name in os.listdir(folder.path):  # noqa: PTH208
        if name not in kept:
            with suppress(FileNotFoundError):
                os.unlink(f"{folder.path}/{name}")  # noqa: PTH108
    return Success(None)
