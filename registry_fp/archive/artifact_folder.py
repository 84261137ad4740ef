"""A folder that files from strangers are written to: all of them or none, and never outside.

Everything is written under a hidden name first, beside where it goes, and takes its own name when all of it is there
and proven. Every step is relative to an open folder and follows no symbolic link, so it does not matter what is
exchanged meanwhile (CVE-2021-30465 and its family).
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from errno import EAGAIN, EINVAL, EISDIR, ELOOP, ENOTDIR
from functools import partial
from typing import Final, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import off_loop
from registry_fp.domain.errors import InvalidImage, LocalIo, Reason, RegistryError
from registry_fp.effect.bracket import bracket, finish
from registry_fp.effect.operation import Op, operation
from registry_fp.protocol.message import Chunks

__all__ = ["OpenFolder", "check_places", "place_staged", "stage", "with_folder"]

T = TypeVar("T")

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BENEATH: Final = _FOLDER | os.O_NOFOLLOW
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE: Final = 1024 * 1024
_HIDDEN: Final = re.compile(r"\.[0-9a-f]{16}\.partial")
_TRIES: Final = 100


@final
@dataclass(frozen=True, slots=True)
class OpenFolder:
    """An open folder, and the hidden one inside it where files wait until all of them are there."""

    path: str
    fd: int
    staged: int
    held: ExitStack = field(repr=False, compare=False)


def with_folder(path: str, use: Callable[[OpenFolder], Op[T]]) -> Op[T]:
    """What `use` makes of a folder, which is made if it is missing; what is still staged afterwards is removed.

    What a killed process left staged there is removed, too. Fails with `LocalIo`, and as `use`.
    """
    return bracket(lambda: _open_folder(path), use, lambda folder, _outcome: _let_go(path, folder.held))


@operation
async def check_places(folder: OpenFolder, paths: Sequence[str]) -> Result[None, RegistryError]:
    """Whether each of these relative paths can be written: before anything is fetched for them.

    Fails with `InvalidImage` "bad name" where a symbolic link is on the way, and with `LocalIo` where a file is (or
    where a folder is in the place of the file).
    """

    def step() -> Result[None, Reason]:
        for path in paths:
            fault = _place_fault(folder, path)
            if fault is not None:
                return Failure(fault)
        return Success(None)

    return (await off_loop(folder.path, step)).alt(partial(_failed, folder))


@operation
async def stage(folder: OpenFolder, name: str, chunks: Chunks) -> Result[None, RegistryError]:
    """Write a stream to a file that nobody sees yet; it is on the disk, and not only in memory, when this succeeds.

    Fails as the stream does, and with `LocalIo`.
    """
    held = ExitStack()  # whoever is cancelled while the file is being opened has it open all the same
    try:
        opened = await off_loop(folder.path, lambda: _new(folder, name, held))
        if not is_successful(opened):
            return Failure(_failed(folder, opened.failure()))
        fd = opened.unwrap()
        waiting: list[bytes] = []
        size = 0
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            waiting.append(chunk.unwrap())
            size += len(waiting[-1])
            if size >= _WRITE:
                written = await off_loop(folder.path, partial(_written, fd, tuple(waiting)))
                if not is_successful(written):
                    return Failure(_failed(folder, written.failure()))
                waiting.clear()
                size = 0
        last = await off_loop(folder.path, partial(_flushed, fd, tuple(waiting)))
        return last.alt(partial(_failed, folder))
    finally:
        await finish(_let_go(folder.path, held))


@operation
async def place_staged(folder: OpenFolder, places: Sequence[tuple[str, str]]) -> Result[None, RegistryError]:
    """Give staged files, (name, relative path), the names that they are for; a file that is there is replaced.

    Where one of them cannot get its name, every file and folder is as it was before. Fails as `check_places`.
    """

    def step() -> Result[None, Reason]:
        with ExitStack() as undoing:
            for name, path in places:
                placed = _placed(folder, name, path, undoing)
                if not is_successful(placed):
                    return placed
            undoing.pop_all()
        return Success(None)

    return (await off_loop(folder.path, step)).alt(partial(_failed, folder))


@operation
async def _open_folder(path: str) -> Result[OpenFolder, RegistryError]:
    held = ExitStack()
    try:
        opened = await off_loop(path, lambda: _opened(path, held))
    except BaseException:
        await finish(_let_go(path, held))
        raise
    if not is_successful(opened):
        await finish(_let_go(path, held))
    return opened.alt(partial(RegistryError, "open_folder", path))


def _opened(path: str, held: ExitStack) -> Result[OpenFolder, Reason]:
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        return Failure(LocalIo(EINVAL, path))
    if not name or b"\0" in name:
        return Failure(LocalIo(EINVAL, path))
    os.makedirs(name, exist_ok=True)  # noqa: PTH103  bytes, and no Path
    fd = os.open(name, _FOLDER)
    held.callback(os.close, fd)
    for left in os.listdir(fd):  # noqa: PTH208  the open folder, and not what has its name by now
        if _HIDDEN.fullmatch(left):
            _cleared(left, fd)
    for _ in range(_TRIES):
        hidden = f".{secrets.token_hex(8)}.partial"
        os.mkdir(hidden, 0o700, dir_fd=fd)
        with suppress(FileNotFoundError):
            staged = _taken(hidden, fd, held)
            if staged is not None:
                return Success(OpenFolder(path, fd, staged, held))
    return Failure(LocalIo(EAGAIN, path))


def _taken(hidden: str, fd: int, held: ExitStack) -> int | None:
    """The hidden folder, locked until it is removed again; None if somebody took it for one that was left behind."""
    with ExitStack() as taking:
        staged = os.open(hidden, _BENEATH, dir_fd=fd)
        taking.callback(os.close, staged)
        if not _locked(staged) or not os.path.samestat(os.fstat(staged), os.stat(hidden, dir_fd=fd)):
            return None
        taking.callback(os.rmdir, hidden, dir_fd=fd)
        taking.callback(_emptied, staged)
        held.push(taking.pop_all())
        return staged


def _cleared(hidden: str, fd: int) -> None:
    """Remove what a killed process left: nobody holds its lock any more."""
    with suppress(OSError), ExitStack() as taking:  # what cannot be removed stays, hidden: it is in nobody's way
        staged = os.open(hidden, _BENEATH, dir_fd=fd)
        taking.callback(os.close, staged)
        if os.fstat(staged).st_uid == os.geteuid() and _locked(staged):
            _emptied(staged)
            os.rmdir(hidden, dir_fd=fd)


def _locked(staged: int) -> bool:
    try:
        fcntl.flock(staged, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _emptied(staged: int) -> None:
    for name in os.listdir(staged):
        os.unlink(name, dir_fd=staged)


async def _let_go(path: str, held: ExitStack) -> None:
    def step() -> Result[None, Reason]:
        held.close()
        return Success(None)

    await off_loop(path, step)  # what cannot be removed stays, hidden: it is in nobody's way


def _place_fault(folder: OpenFolder, path: str) -> Reason | None:
    try:
        parent = _parent(folder, path)
    except FileNotFoundError:
        return None  # the way is made when it is needed
    if not is_successful(parent):
        return parent.failure()
    fd = parent.unwrap()
    try:
        with suppress(FileNotFoundError):
            mode = os.stat(path.rpartition("/")[2], dir_fd=fd, follow_symlinks=False).st_mode
            return LocalIo(EISDIR, f"{folder.path}/{path}") if stat.S_ISDIR(mode) else None
        return None
    finally:
        os.close(fd)


def _placed(folder: OpenFolder, name: str, path: str, undoing: ExitStack) -> Result[None, Reason]:
    """Give one staged file its name; the way back is put on `undoing`."""
    parent = _parent(folder, path, undoing)
    if not is_successful(parent):
        return Failure(parent.failure())
    fd = parent.unwrap()
    try:
        last = path.rpartition("/")[2]
        ours = os.stat(name, dir_fd=folder.staged, follow_symlinks=False)
        kept = _kept(folder, last, f"{name}.old", fd)
        undoing.callback(_undone, folder, path, ours, f"{name}.old" if kept else None)
        os.rename(name, last, src_dir_fd=folder.staged, dst_dir_fd=fd)
        os.fsync(fd)
    finally:
        os.close(fd)
    return Success(None)


def _kept(folder: OpenFolder, last: str, name: str, fd: int) -> bool:
    """Whether a file is in the place, which is then kept, out of sight, under another name."""
    try:
        if stat.S_ISDIR(os.stat(last, dir_fd=fd, follow_symlinks=False).st_mode):
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), last)
    except FileNotFoundError:
        return False
    try:  # so that there is no moment without the file
        os.link(last, name, src_dir_fd=fd, dst_dir_fd=folder.staged, follow_symlinks=False)
    except OSError:  # no file system must know links, or give one to a file of somebody else
        os.rename(last, name, src_dir_fd=fd, dst_dir_fd=folder.staged)
    return True


def _undone(folder: OpenFolder, path: str, ours: os.stat_result, kept: str | None) -> None:
    """Take our file back, and let the one before have its place again; what somebody else has put there since stays."""
    with suppress(OSError):  # the first failure is the one that is told
        parent = _parent(folder, path)
        if not is_successful(parent):
            return
        last, fd = path.rpartition("/")[2], parent.unwrap()
        try:
            with suppress(FileNotFoundError):
                if not os.path.samestat(ours, os.stat(last, dir_fd=fd, follow_symlinks=False)):
                    return
                if kept is None:
                    os.unlink(last, dir_fd=fd)
            if kept is not None:
                os.rename(kept, last, src_dir_fd=folder.staged, dst_dir_fd=fd)
        finally:
            os.close(fd)


def _unmade(folder: OpenFolder, path: str) -> None:
    with suppress(OSError):
        parent = _parent(folder, path)
        if is_successful(parent):
            try:
                os.rmdir(path.rpartition("/")[2], dir_fd=parent.unwrap())
            finally:
                os.close(parent.unwrap())


def _parent(folder: OpenFolder, path: str, undoing: ExitStack | None = None) -> Result[int, Reason]:
    """A descriptor of the folder that a file is to lie in, reached without following any link.

    It is made, with those above it, where there is an `undoing` to put the way back on.
    """
    fd = os.dup(folder.fd)
    parts = path.split("/")[:-1]
    for depth, part in enumerate(parts, 1):
        above = fd
        try:
            if undoing is not None:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=above)
                    undoing.callback(_unmade, folder, "/".join(parts[:depth]))
            fd = os.open(part, _BENEATH, dir_fd=above)
        except OSError as error:
            if error.errno in {ELOOP, ENOTDIR} and _is_link(part, above):
                return Failure(InvalidImage("bad name", path[:200], f"{part[:100]} is a symbolic link"))
            raise
        finally:
            os.close(above)
    return Success(fd)


def _is_link(name: str, fd: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)


def _written(fd: int, parts: tuple[bytes, ...]) -> Result[None, Reason]:
    for part in parts:
        view = memoryview(part)
        while view:
            view = view[os.write(fd, view) :]
    return Success(None)


def _flushed(fd: int, parts: tuple[bytes, ...]) -> Result[None, Reason]:
    _written(fd, parts)
    os.fsync(fd)
    return Success(None)


def _new(folder: OpenFolder, name: str, held: ExitStack) -> Result[int, Reason]:
    fd = os.open(name, _NEW, 0o666, dir_fd=folder.staged)
    held.callback(os.close, fd)
    return Success(fd)


def _failed(folder: OpenFolder, reason: Reason) -> RegistryError:
    return RegistryError("write_file", folder.path, reason)
