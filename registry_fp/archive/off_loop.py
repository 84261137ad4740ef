"""File work off the event loop, and the one table from what the operating system says to what we say.

A step runs in a thread, and a thread cannot be stopped: so a cancellation waits for the step under way to end before
it goes on, and nobody closes a descriptor that is still being read. Steps are kept short instead.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from errno import EIO
from typing import TypeVar

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import LocalIo, Reason, SourceChanged

__all__ = ["guarded", "local_io", "off_loop", "pread_exactly"]

A = TypeVar("A")


async def off_loop(path: str, step: Callable[[], Result[A, Reason]]) -> Result[A, Reason]:
    """Run `step` in a thread; an `OSError` that it raises is a `LocalIo` at `path`."""
    # An executor's future, and no task: the end of `asyncio.run` cancels tasks, and the thread would still be at work.
    job = asyncio.get_running_loop().run_in_executor(None, guarded, path, step)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait((job,))
        except asyncio.CancelledError as signal:
            cancelled = signal
    if cancelled is not None:
        job.exception()  # seen: a bug in a step that nobody wants any more is not reported as never retrieved
        raise cancelled
    return job.result()


def guarded(path: str, step: Callable[[], Result[A, Reason]]) -> Result[A, Reason]:
    """What `step` gives; an `OSError` that it raises is a `LocalIo` at `path`.

    >>> guarded("app.tar", lambda: Success(os.stat("/no/such/app.tar").st_size)).failure()
    LocalIo(errno=2, path='app.tar')
    """
    try:
        return step()
    except OSError as error:
        return Failure(local_io(error, path))


def local_io(error: OSError, path: str) -> LocalIo:
    """The reason for an `OSError`; one without a number is an input/output error.

    >>> local_io(FileNotFoundError(2, "No such file or directory"), "app.tar")
    LocalIo(errno=2, path='app.tar')
    """
    return LocalIo(EIO if error.errno is None else error.errno, path)


def pread_exactly(fd: int, offset: int, length: int, path: str) -> Result[bytes, Reason]:
    """`length` bytes at `offset`; a file that ends before them has changed since it was measured (`SourceChanged`)."""
    got = os.pread(fd, length, offset)
    if len(got) == length:
        return Success(got)
    parts = [got]
    missing = length - len(got)
    while missing > 0:
        part = os.pread(fd, missing, offset + length - missing)
        if not part:
            return Failure(SourceChanged(path))
        parts.append(part)
        missing -= len(part)
    return Success(b"".join(parts))
