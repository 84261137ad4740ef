"""An archive that is open: one descriptor, what identifies the file, and the index of its members.

Afterwards every layer is a window of the descriptor, read with `pread`: many layers stream at once and share no
position. What the file was when it was opened is kept, so that a change under our hands is noticed.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from errno import EINVAL, EISDIR, ENOENT, ENOTDIR
from functools import partial
from typing import Final, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import local_io, off_loop, pread_exactly
from registry_fp.archive.source import DockerSave
from registry_fp.archive.spool import SpoolLimits, spool
from registry_fp.archive.tar_index import TarIndex
from registry_fp.archive.tar_scan import TarScan
from registry_fp.codec.sniff import SNIFF_LENGTH, sniff
from registry_fp.domain.errors import LocalIo, Reason, RegistryError, SourceChanged, Unsupported
from registry_fp.effect.bracket import bracket, finish
from registry_fp.effect.operation import Op, operation

__all__ = ["FileIdentity", "OpenArchive", "close_archive", "open_archive", "read_window", "unchanged", "with_archive"]

T = TypeVar("T")

_HEADERS_A_STEP: Final = 4096  # some tens of milliseconds
_DEFAULT_LIMITS: Final = SpoolLimits()
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # so that nothing waits for a pipe's writer


@final
@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells whether a file is still the same: device, inode, size in bytes, time of writing in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int


def _threads() -> ThreadPoolExecutor:
    # More threads than cores only take turns; and a service's default executor does not wait for our compressors.
    return ThreadPoolExecutor(1 + (os.cpu_count() or 1), "registry-fp")


@final
@dataclass(frozen=True, slots=True)
class OpenArchive:
    """An indexed archive, and the descriptor that its windows are read from.

    Made by `open_archive`, ended by `close_archive`.
    A compressed archive is read from what it unpacked to (`spooled`); its identity is that of the file at the path.
    Passes over its layers share `threads`, about one a core.
    """

    source: DockerSave
    file: io.FileIO
    identity: FileIdentity
    index: TarIndex = field(repr=False)
    spooled: bool = False
    threads: ThreadPoolExecutor = field(default_factory=_threads, repr=False, compare=False)

    @property
    def fd(self) -> int:
        """The descriptor, as long as the archive is open."""
        return self.file.fileno()


@operation
async def open_archive(
    source: DockerSave, *, limits: SpoolLimits = _DEFAULT_LIMITS
) -> Result[OpenArchive, RegistryError]:
    """Open and index an archive; one that is compressed is unpacked once into a nameless file in TMPDIR.

    Fails with `LocalIo`, `Unsupported` (a pipe or a device; zstd where it is not installed), `TarUnreadable`,
    `InvalidImage` ("bad name"), `LimitExceeded` (see `SpoolLimits`), and `SourceChanged` when the file changes
    meanwhile. Whatever happens before it succeeds, nothing stays open.
    """
    held = ExitStack()
    try:
        opened = await _open_and_index(source, held, limits)
    except BaseException:
        await finish(_let_go(held))
        raise
    if not is_successful(opened):
        await finish(_let_go(held))
    return opened.alt(partial(RegistryError, "open_archive", source.path))


async def close_archive(archive: OpenArchive) -> None:
    """Close the descriptor and end the threads; doing it twice does no harm. Nobody may be reading from the archive."""
    await off_loop(archive.source.path, lambda: _ended(archive))


def with_archive(
    source: DockerSave, use: Callable[[OpenArchive], Op[T]], *, limits: SpoolLimits = _DEFAULT_LIMITS
) -> Op[T]:
    """What `use` makes of the open archive, which is closed afterwards in any case.

    Fails as `open_archive` and as `use`.
    """
    return bracket(
        lambda: open_archive(source, limits=limits),
        use,
        lambda archive, _outcome: close_archive(archive),
    )


@operation
async def unchanged(archive: OpenArchive) -> Result[None, RegistryError]:
    """Whether the file is still the one that was opened, with the same size and time of writing.

    Fails with `SourceChanged`, also when the path names another file or none, and with `LocalIo`.
    """
    path = archive.source.path
    same = await off_loop(path, lambda: _still_the_same(archive))
    return same.alt(partial(RegistryError, "unchanged", path))


def read_window(archive: OpenArchive, offset: int, length: int) -> Result[bytes, Reason]:
    """Exactly `length` bytes of the open archive from `offset`; it blocks, so a thread calls it.

    Fails with `SourceChanged` where the file has become shorter, and with `LocalIo`.
    """
    path = archive.source.path
    try:
        return pread_exactly(archive.fd, offset, length, path)
    except OSError as error:
        return Failure(local_io(error, path))


async def _let_go(held: ExitStack) -> None:
    # In a thread: the last close of a large nameless file gives its blocks back, which takes time.
    await off_loop("", lambda: _closed(held))


async def _open_and_index(source: DockerSave, held: ExitStack, limits: SpoolLimits) -> Result[OpenArchive, Reason]:
    path = source.path
    opened = await off_loop(path, lambda: _opened(path, held))
    if not is_successful(opened):
        return Failure(opened.failure())
    original, identity = opened.unwrap()
    head = await off_loop(path, lambda: Success(os.pread(original.fileno(), SNIFF_LENGTH, 0)))
    if not is_successful(head):
        return Failure(head.failure())
    encoding = sniff(head.unwrap())
    if encoding == "none":
        return await _indexed(source, original, identity, original)
    unpacked = await spool(original, path, encoding, held, limits)
    if not is_successful(unpacked):
        return Failure(unpacked.failure())
    archive = await _indexed(source, original, identity, unpacked.unwrap())
    await off_loop(path, lambda: _closed(original))
    return archive


async def _indexed(
    source: DockerSave, original: io.FileIO, identity: FileIdentity, file: io.FileIO
) -> Result[OpenArchive, Reason]:
    path = source.path
    fd = file.fileno()
    scan = TarScan(lambda offset, length: pread_exactly(fd, offset, length, path), os.fstat(fd).st_size)
    index: TarIndex | None = None
    while index is None:
        done = await off_loop(path, lambda: scan.step(_HEADERS_A_STEP))
        if not is_successful(done):
            return Failure(done.failure())
        index = done.unwrap()
    # A file that is still being written would give a sound index of half an archive.
    if _identity(os.fstat(original.fileno())) != identity:
        return Failure(SourceChanged(path))
    return Success(OpenArchive(source, file, identity, index, spooled=file is not original))


def _opened(path: str, held: ExitStack) -> Result[tuple[io.FileIO, FileIdentity], Reason]:
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
    file = held.enter_context(io.FileIO(name, "rb", opener=lambda name, _: os.open(name, _FLAGS)))
    status = os.fstat(file.fileno())
    refused = _refusal(path, status)
    return Success((file, _identity(status))) if refused is None else Failure(refused)


def _closed(held: io.FileIO | ExitStack) -> Result[None, Reason]:
    held.close()
    return Success(None)


def _ended(archive: OpenArchive) -> Result[None, Reason]:
    archive.threads.shutdown()
    return _closed(archive.file)


def _refusal(path: str, status: os.stat_result) -> Reason | None:
    if stat.S_ISREG(status.st_mode):
        return None
    if stat.S_ISDIR(status.st_mode):
        return LocalIo(EISDIR, path)
    kind = "a named pipe" if stat.S_ISFIFO(status.st_mode) else "a device or a socket"
    return Unsupported(f"an archive that is {kind}, which can be read only once; save it to a file first")


def _identity(status: os.stat_result) -> FileIdentity:
    return FileIdentity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _still_the_same(archive: OpenArchive) -> Result[None, Reason]:
    path = archive.source.path
    try:
        there = _identity(os.stat(path))  # noqa: PTH116  the path as it was given
    except OSError as error:
        gone = error.errno in {ENOENT, ENOTDIR}
        return Failure(SourceChanged(path) if gone else local_io(error, path))
    # What a compressed archive unpacked to has no name, so nobody else can change it.
    held = there if archive.spooled else _identity(os.fstat(archive.fd))
    return Success(None) if there == held == archive.identity else Failure(SourceChanged(path))
