"""Handing over: who makes bytes pushes them, who uses them pulls them, and neither gets far ahead of the other.

The two run at the same time, so that the next bytes arrive while the last ones are being hashed or written. What was
made while the user was busy comes as one piece: the slower the user, the larger the pieces, and the fewer the steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Final, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.effect.bracket import finish

__all__ = ["Hand", "handed_over"]

E = TypeVar("E")


@final
class Hand:
    """What is made and not yet used: at most `ahead` bytes, and the one piece that goes beyond them."""

    __slots__ = ("_ahead", "_held", "_parts", "_taken", "given")

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        self._parts: list[bytes] = []
        self._held = 0
        self._taken = asyncio.Event()
        self.given: Final = asyncio.Event()

    async def give(self, part: bytes) -> None:
        """Hand over the next bytes, and wait while enough is waiting to be used."""
        self._parts.append(part)
        self._held += len(part)
        self.given.set()
        while self._held >= self._ahead:
            self._taken.clear()
            await self._taken.wait()

    async def emptied(self) -> None:
        """Wait until everything that was given is in use."""
        while self._parts:
            self._taken.clear()
            await self._taken.wait()

    def take(self) -> bytes | None:
        """All that is waiting, as one piece; None where nothing is."""
        if not self._parts:
            self.given.clear()
            return None
        whole = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        self._taken.set()
        return whole


async def handed_over(
    make: Callable[[Hand], Coroutine[Any, Any, Result[None, E]]], *, ahead: int
) -> AsyncGenerator[Result[bytes, E], None]:
    """The bytes that `make` gives, in order; a failure of its own is the last item.

    `make` runs in a task of its own, which is begun at the first item, waits while `ahead` bytes or more are unused,
    and has ended when the generator has. A bug in it leaves as it is.
    """
    hand = Hand(ahead)
    job = asyncio.create_task(make(hand))
    job.add_done_callback(lambda _: hand.given.set())
    try:
        while True:
            ended = job.done()  # before the look, so that what came last is not missed
            part = hand.take()
            if part is not None:
                yield Success(part)
            elif ended:
                break
            else:
                await hand.given.wait()
        done = job.result()
        if not is_successful(done):
            yield Failure(done.failure())
    finally:
        job.cancel()
        await finish(_ended(job))


async def _ended(job: asyncio.Task[Any]) -> None:
    await asyncio.wait((job,))
    if not job.cancelled():
        job.result()
