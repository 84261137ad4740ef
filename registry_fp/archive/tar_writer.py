"""Writing a tar: the same members always give the same bytes.

Members are sorted, belong to nobody and have no time; the folders above them are written too. What is moved from a
file goes from one descriptor to the other inside the kernel, where the system can do that. Source: POSIX.1-2017 pax,
"ustar Interchange Format", and "pax Header Block" for the names and sizes that a header has no room for.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EINVAL, ENOSYS, EOPNOTSUPP, EPERM, EXDEV
from typing import IO, Final, TypeAlias, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.tar_header import BLOCK, END_BLOCK
from registry_fp.archive.write_behind import WriteBehind
from registry_fp.domain.errors import Reason, SourceChanged

__all__ = ["MovedFile", "TarContent", "write_tar"]

_STEP: Final = 8 * 1024 * 1024  # some milliseconds, so that a cancellation never waits long
_PIECE: Final = 1024 * 1024
# The two files may lie on different file systems, and some file systems cannot do it at all.
_NOT_IN_THE_KERNEL: Final = frozenset({EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM})


@final
@dataclass(frozen=True, slots=True)
class MovedFile:
    """The content of a member that is moved from a file: all of its `size` bytes, and then the file is removed.

    So what is packed never lies there twice, but for one member.
    """

    path: str
    size: int


TarContent: TypeAlias = bytes | MovedFile
"""What a member holds: bytes that are at hand, or those of a file, which is gone afterwards."""


async def write_tar(path: str, members: Mapping[str, TarContent]) -> Result[int, Reason]:
    """Write a tar with these members to `path`, down to the disk; gives its size in bytes.

    Where it does not succeed, nothing is at `path`, and files that were moved are gone. Fails with `SourceChanged`
    where a file is not as long as it was said to be, and with `LocalIo`.
    """
    steps = _steps(path, members)
    try:
        while True:
            done = await off_loop(path, lambda: next(steps))
            if not is_successful(done):
                return Failure(done.failure())
            size = done.unwrap()
            if size is not None:
                return Success(size)
    finally:
        steps.close()


def _steps(path: str, members: Mapping[str, TarContent]) -> Generator[Result[int | None, Reason], None, None]:
    """In a thread: the work in short pieces, of which the last one gives the size."""
    complete = False
    try:
        with open(path, "wb", buffering=0, opener=_created) as target:
            behind = WriteBehind(target.fileno())
            for name, content in sorted(_with_folders(members).items()):
                _write(target, _header(name, content))
                if isinstance(content, MovedFile):
                    yield from _moved(content, target, behind)
                    _write(target, bytes(-content.size % BLOCK))
                elif content is not None:
                    _write(target, content + bytes(-len(content) % BLOCK))
            _write(target, END_BLOCK * 2)
            yield Success(None)
            os.fsync(target.fileno())
            size = target.tell()
        complete = True
        yield Success(size)
    finally:
        if not complete:
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108


def _created(path: str, _flags: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def _with_folders(members: Mapping[str, TarContent]) -> dict[str, TarContent | None]:
    folders: dict[str, TarContent | None] = {}
    for name in members:
        parts = name.split("/")[:-1]
        folders |= {"/".join(parts[:depth]) + "/": None for depth in range(1, len(parts) + 1)}
    return {**folders, **members}


def _header(name: str, content: TarContent | None) -> bytes:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    member.mode = 0o755 if content is None else 0o644
    if content is not None:
        member.size = content.size if isinstance(content, MovedFile) else len(content)
    return member.tobuf(tarfile.PAX_FORMAT)


def _moved(
    content: MovedFile, target: IO[bytes], behind: WriteBehind
) -> Generator[Result[int | None, Reason], None, None]:
    with open(content.path, "rb", buffering=0) as source:  # noqa: PTH123
        if os.fstat(source.fileno()).st_size != content.size:
            yield Failure(SourceChanged(content.path))
            return
        done = 0
        while done < content.size:
            copied = _copied(source.fileno(), target, done, min(content.size - done, _STEP))
            if not copied:
                yield Failure(SourceChanged(content.path))
                return
            done += copied
            behind.wrote(target.tell())
            yield Success(None)
    os.unlink(content.path)  # noqa: PTH108  text, as it was given


def _copied(source: int, target: IO[bytes], offset: int, count: int) -> int:
    """Copy at most `count` bytes to where the target is; how many there were."""
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target.fileno(), count, offset_src=offset)
        except OSError as error:
            if error.errno not in _NOT_IN_THE_KERNEL:
                raise
    piece = os.pread(source, min(count, _PIECE), offset)
    _write(target, piece)
    return len(piece)


def _write(target: IO[bytes], content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[target.write(view) :]
