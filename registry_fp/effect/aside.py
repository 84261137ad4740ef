"""Work aside: one thread works on bytes in the order in which they came, while whoever gives them goes on.

It lasts as long as the stream does. A hop to a pool for each piece costs more than hashing or writing the piece, and a
pool's threads, all held by streams that wait for each other, would never come free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Result, Success

__all__ = ["Aside", "aside"]

E = TypeVar("E")


@final
class Aside(Generic[E]):
    """What is to be worked on, and what has become of it; made by `aside`."""

    __slots__ = (
        "_ahead",
        "_bug",
        "_done",
        "_ended",
        "_given",
        "_is_dropped",
        "_loop",
        "_outcome",
        "_parts",
        "_room",
        "_thread",
        "_work",
    )

    def __init__(self, work: Callable[[bytes], Result[None, E]], ahead: int) -> None:
        self._work = work
        self._ahead = ahead
        self._parts: SimpleQueue[bytes | None] = SimpleQueue()
        self._given = 0  # the loop's alone
        self._done = 0  # the thread's alone
        self._room: asyncio.Event | None = None
        self._ended = asyncio.Event()
        self._is_dropped = False
        self._loop = asyncio.get_running_loop()
        self._thread: Thread | None = None
        self._outcome: Result[None, E] = Success(None)
        self._bug: BaseException | None = None

    @property
    def is_begun(self) -> bool:
        """Whether anything was given yet; a thread is begun only then."""
        return self._given > 0

    async def give(self, part: bytes) -> Result[None, E]:
        """Let the next bytes be worked on, and wait while `ahead` of them are not done; the failure of earlier ones."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="registry-fp aside", daemon=True)
            self._thread.start()
        self._given += len(part)
        self._parts.put(part)
        while self._given - self._done > self._ahead:
            self._room = room = asyncio.Event()
            if self._given - self._done > self._ahead:  # the thread may have looked for `_room` just before
                await room.wait()
        self._room = None
        return self._so_far()

    async def end(self) -> Result[None, E]:
        """Wait until everything is done and the thread is gone; a bug in the work is raised here, or by `give`."""
        await self._leave()
        return self._so_far()

    async def drop(self) -> None:
        """Wait until what is under way is done and the thread is gone; the rest is not begun."""
        self._is_dropped = True
        await self._leave()

    def _so_far(self) -> Result[None, E]:
        if self._bug is not None:
            raise self._bug
        return self._outcome

    async def _leave(self) -> None:
        if self._thread is None:
            return
        self._parts.put(None)
        cancelled: asyncio.CancelledError | None = None
        while not self._ended.is_set():  # a thread cannot be stopped, and what it works on must not be closed before
            try:
                await self._ended.wait()
            except asyncio.CancelledError as signal:
                cancelled = signal
        self._thread.join()
        self._thread = None
        if cancelled is not None:
            raise cancelled

    def _run(self) -> None:
        while (part := self._parts.get()) is not None:
            if not self._is_dropped and self._bug is None and is_successful(self._outcome):
                try:
                    self._outcome = self._work(part)
                except BaseException as bug:
                    self._bug = bug
            self._done += len(part)
            room = self._room
            if room is not None and self._given - self._done <= self._ahead // 2:
                self._loop.call_soon_threadsafe(room.set)
        self._loop.call_soon_threadsafe(self._ended.set)


@asynccontextmanager
async def aside(work: Callable[[bytes], Result[None, E]], *, ahead: int) -> AsyncIterator[Aside[E]]:
    """A thread for `work`, which takes one piece at a time, and fails once; at the end it is gone, whatever happened.

    Nothing is worked on after a failure. What is neither done nor failed by the end of the block is dropped, so who
    wants it done calls `end`.
    """
    worker = Aside(work, ahead)
    try:
        yield worker
    finally:
        await worker.drop()
