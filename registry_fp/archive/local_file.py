"""A file on disk as content: measured once, then read afresh for each attempt, and never changed unnoticed.

Nothing is kept open in between, so that an artifact may have more files than a process may have descriptors.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from errno import EINVAL, EISDIR
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import off_loop, pread_exactly
from registry_fp.archive.opened import FileIdentity
from registry_fp.domain.digest import Digest, Hasher, new_hasher
from registry_fp.domain.errors import LocalIo, Reason, RegistryError, SourceChanged, Unsupported
from registry_fp.effect.bracket import finish
from registry_fp.effect.operation import operation
from registry_fp.protocol.message import Body, Chunks

__all__ = ["LocalFile", "file_body", "measure_file"]

_CHUNK: Final = 1024 * 1024
_CHUNKS_A_STEP: Final = 16  # about ten milliseconds of hashing
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # so that nothing waits for a pipe's writer


@final
@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, what is in it, and what it was when that was found out."""

    path: str
    digest: Digest
    identity: FileIdentity

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.identity.size


@operation
async def measure_file(path: str) -> Result[LocalFile, RegistryError]:
    """Read a regular file once, for its digest and size; a symbolic link is followed.

    Fails with `LocalIo` (a folder is EISDIR), `Unsupported` (a pipe or a device), and `SourceChanged` when it is
    written to meanwhile.
    """
    measured = await _measured(path)
    return measured.alt(partial(RegistryError, "measure_file", path))


def file_body(file: LocalFile) -> Body:
    """The bytes of a measured file; they end in `SourceChanged` where it is not the same any more, or in `LocalIo`."""

    async def chunks() -> Chunks:
        held = ExitStack()  # whoever is cancelled while the file is being opened has it open all the same
        try:
            opened = await off_loop(file.path, lambda: _opened(file.path, held))
            if not is_successful(opened):
                yield Failure(_failed(file, opened.failure()))
                return
            fd, identity = opened.unwrap()
            fault: Reason | None = None if identity == file.identity else SourceChanged(file.path)
            offset = 0
            while fault is None and offset < file.size:
                length = min(_CHUNK, file.size - offset)
                read = await off_loop(file.path, partial(pread_exactly, fd, offset, length, file.path))
                offset += length
                # Before the last bytes are given away: who has them all believes that they are the file.
                fault = _fault(read) or (None if offset < file.size else _change(fd, file))
                if fault is None:
                    yield Success(read.unwrap())
            if fault is not None:
                yield Failure(_failed(file, fault))
        finally:
            await finish(_let_go(file.path, held))

    return Body(chunks, file.size)


async def _measured(path: str) -> Result[LocalFile, Reason]:
    held = ExitStack()
    try:
        opened = await off_loop(path, lambda: _opened(path, held))
        if not is_successful(opened):
            return Failure(opened.failure())
        fd, identity = opened.unwrap()
        hasher, offset = new_hasher(), 0
        while offset < identity.size:
            length = min(_CHUNK * _CHUNKS_A_STEP, identity.size - offset)
            hashed = await off_loop(path, partial(_hashed, fd, offset, length, path, hasher))
            if not is_successful(hashed):
                return Failure(hashed.failure())
            offset += length
        file = LocalFile(path, Digest("sha256", hasher.hexdigest()), identity)
        fault = _change(fd, file)
        if fault is not None:
            return Failure(fault)
        return (await off_loop(path, partial(_ended, fd, identity.size))).map(lambda _: file)
    finally:
        await finish(_let_go(path, held))


def _opened(path: str, held: ExitStack) -> Result[tuple[int, FileIdentity], Reason]:
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        return Failure(LocalIo(EINVAL, path))
    if b"\0" in name:
        return Failure(LocalIo(EINVAL, path))
    # Looked at before it is opened, because opening a pipe wakes its writer; and after, because it may be another.
    refused = _refusal(path, os.stat(name))  # noqa: PTH116  bytes, and no Path
    if refused is not None:
        return Failure(refused)
    fd = held.enter_context(io.FileIO(name, "rb", opener=lambda name, _: os.open(name, _FLAGS))).fileno()
    status = os.fstat(fd)
    refused = _refusal(path, status)
    return Success((fd, _identity(status))) if refused is None else Failure(refused)


def _hashed(fd: int, offset: int, length: int, path: str, hasher: Hasher) -> Result[None, Reason]:
    for start in range(offset, offset + length, _CHUNK):
        read = pread_exactly(fd, start, min(_CHUNK, offset + length - start), path)
        if not is_successful(read):
            return Failure(read.failure())
        hasher.update(read.unwrap())
    return Success(None)


def _ended(fd: int, size: int) -> Result[None, Reason]:
    if os.pread(fd, 1, size):
        return Failure(Unsupported("a file that has more bytes than it says, as those of /proc have; save it first"))
    return Success(None)


def _refusal(path: str, status: os.stat_result) -> Reason | None:
    if stat.S_ISREG(status.st_mode):
        return None
    if stat.S_ISDIR(status.st_mode):
        return LocalIo(EISDIR, path)
    return Unsupported("a file that is a pipe, a device or a socket, which can be read only once; save it first")


def _change(fd: int, file: LocalFile) -> Reason | None:
    return None if _identity(os.fstat(fd)) == file.identity else SourceChanged(file.path)


def _identity(status: os.stat_result) -> FileIdentity:
    return FileIdentity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


async def _let_go(path: str, held: ExitStack) -> None:
    def step() -> Result[None, Reason]:
        held.close()
        return Success(None)

    await off_loop(path, step)


def _fault(read: Result[bytes, Reason]) -> Reason | None:
    return None if is_successful(read) else read.failure()


def _failed(file: LocalFile, reason: Reason) -> RegistryError:
    return RegistryError("read_local_file", file.path, reason)
