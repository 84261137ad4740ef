"""A blob on its way to a file: as it comes, or unpacked while it comes.

A thread unpacks, hashes and writes what has come while more is coming; a few megabytes wait at most. Only what is whole
and proven ever stands under the final name. It is not brought to the disk: whoever finds it later proves it again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import IO, Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import off_loop
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.effect.bracket import finish
from registry_fp.protocol.message import Chunks

__all__ = ["stage_blob", "staged_size"]

_PIECE: Final = 1024 * 1024
_PIECES: Final = 32  # a few bytes can unpack to gigabytes, and a cancellation should not wait for them
_AHEAD: Final = 2 * 1024 * 1024


async def stage_blob(  # noqa: PLR0913  a stream, what it is, and who hears of it
    path: str,
    blob: Digest,
    chunks: Chunks,
    *,
    content: Digest | None,
    failed: Callable[[Reason], RegistryError],
    on_moved: Callable[[int], None],
) -> Result[int, RegistryError]:
    """Write a stream to `path`, unpacked where `content` says what it unpacks to; gives the file's size in bytes.

    That the stream is `blob` is proven by whoever gives it, and that it unpacks to `content` (a diff_id) here. Until it
    is whole its name is another one, that ends in `.part`; where it does not succeed, nothing is left of it.
    `on_moved` hears how many bytes have come. Fails as the stream, and, made an error by `failed`, with `InvalidImage`
    ("bad layer", "diff_id mismatch"), `LimitExceeded`, `Unsupported` or `LocalIo`.
    """
    writer = _Writer(path, blob, content)
    job: asyncio.Task[Result[None, Reason]] | None = None
    waiting: list[bytes] = []
    moved = behind = 0
    try:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            waiting.append(chunk.unwrap())
            behind += len(waiting[-1])
            moved += len(waiting[-1])
            on_moved(moved)
            if job is not None and (job.done() or behind >= _AHEAD):
                written = await job
                job = None
                if not is_successful(written):
                    return Failure(failed(written.failure()))
            if job is None:
                job = asyncio.create_task(writer.write(waiting))
                waiting, behind = [], 0
        written = Success(None) if job is None else await job
        ended = written if not is_successful(written) else await writer.write(waiting, last=True)
        return ended.map(lambda _: writer.size).alt(failed)
    finally:
        await finish(_ended(job, writer))


async def _ended(job: asyncio.Task[Result[None, Reason]] | None, writer: _Writer) -> None:
    if job is not None and not job.done():
        job.cancel()
        await asyncio.wait((job,))
    await writer.close()


@final
class _Writer:
    """One file under way; one call at a time."""

    def __init__(self, path: str, blob: Digest, content: Digest | None) -> None:
        self._path = path
        self._unfinished = f"{path}.{blob.short}.part"
        self._unpacking = None if content is None else Unpacking(str(blob), content, packed=blob, look=self._keep)
        self._file: IO[bytes] | None = None
        self.size: int = 0

    async def write(self, chunks: list[bytes], *, last: bool = False) -> Result[None, Reason]:
        """Everything that these bytes give; with the `last` ones the end of the file, and its name."""
        if self._unpacking is not None:
            self._unpacking.give(*chunks)
        while True:
            done = await off_loop(self._path, lambda: self._step(chunks, last=last))
            if not is_successful(done) or not done.unwrap():
                return done.map(lambda _: None)

    async def close(self) -> None:
        """Let go of the file, and remove what was not finished."""
        await off_loop(self._path, self._closed)

    def _step(self, chunks: list[bytes], *, last: bool) -> Result[bool, Reason]:
        """Some of the work; whether there is more."""
        if self._file is None:
            self._file = open(self._unfinished, "wb", buffering=0, opener=_created)  # noqa: SIM115
        if self._unpacking is None:
            for chunk in chunks:
                self._keep(chunk)
        else:
            more = self._unpacking.step(last=last)
            if not is_successful(more) or more.unwrap():
                return more
        if last:
            os.replace(self._unfinished, self._path)  # noqa: PTH105  text, as it was given
        return Success(False)

    def _keep(self, content: bytes) -> None:
        assert self._file is not None  # noqa: S101  each step begins with it
        self.size += len(content)
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) :]

    def _closed(self) -> Result[None, Reason]:
        if self._file is not None:
            self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._unfinished)  # noqa: PTH108
        return Success(None)


def _created(path: str, _flags: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


async def staged_size(path: str, content: Digest) -> Result[int | None, Reason]:
    """The size in bytes of a file that earlier work left, if its bytes are still `content`; None if they are not.

    One that is not is removed. Fails with `LocalIo`.
    """
    steps = _read_again(path, content)
    try:
        while True:
            done = await off_loop(path, lambda: Success(next(steps)))
            if not is_successful(done):
                return Failure(done.failure())
            size = done.unwrap()
            if size is not _MORE:
                return Success(size)
    finally:
        steps.close()


_MORE: Final = -1


def _read_again(path: str, content: Digest) -> Generator[int | None, None, None]:
    try:
        with open(path, "rb", buffering=0, opener=_opened) as file:
            hasher = new_hasher(content.algorithm)
            pieces = 0
            while piece := file.read(_PIECE):
                hasher.update(piece)
                pieces += 1
                if pieces % _PIECES == 0:
                    yield _MORE
            size = file.tell()
    except FileNotFoundError:
        yield None
        return
    if hasher.hexdigest() == content.hex:
        yield size
        return
    os.unlink(path)  # noqa: PTH108
    yield None


def _opened(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
