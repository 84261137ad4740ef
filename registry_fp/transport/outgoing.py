"""A request body on its way out.

aiohttp pulls it, one chunk at a time, from a task of its own; whatever becomes of that task, the source behind the
body is closed before the exchange ends, and never while it is being read.
"""

from __future__ import annotations

import asyncio
from typing import Final, NoReturn, Self, final

from returns.pipeline import is_successful
from returns.result import Result

from registry_fp.domain.errors import RegistryError, SourceChanged
from registry_fp.protocol.message import Body, Request, held_body
from registry_fp.transport.settings import Settings
from registry_fp.transport.stall import StallWatch

__all__ = ["Outgoing"]

_PIECE: Final = 128 * 1024  # what must be gone within the idle limit, however large the chunks of the source are


class _AbortedError(Exception):
    """Breaks the connection under a body that cannot be completed, so that the server does not take it for whole."""


@final
class Outgoing:
    """An asynchronous iterator of bytes that cannot be replayed, and remembers why it stopped."""

    def __init__(self, request: Request, body: Body | bytes, watch: StallWatch, settings: Settings) -> None:
        self.failure: RegistryError | None = None
        self.defect: Exception | None = None
        self.sent: int = 0
        self._request = request
        self._length = len(body) if isinstance(body, bytes) else body.length
        self._chunks = (held_body(body) if isinstance(body, bytes) else body).open()
        self._watch: StallWatch | None = watch
        self._idle = settings.idle_timeout
        self._answer = request.patience * settings.answer_timeout
        self._rest = memoryview(b"")
        self._last = 0
        self._over = False
        self._resting = asyncio.Event()
        self._resting.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._watch is not None:
            self._watch.ours(self._last)
        while not self._rest:  # nothing of an empty chunk is sent
            chunk = None if self._over else await self._pulled()
            if chunk is None:
                self._end()
            else:
                self._take(chunk)
        if len(self._rest) <= _PIECE and self._length == self.sent + len(self._rest):
            await self._ended()
        return self._piece()

    def answered(self) -> None:
        """The answer has come; from now on the body no longer moves the watch."""
        self._watch = None

    async def close(self) -> None:
        """Close the source, once nobody reads it any more."""
        self._watch = None
        await self._resting.wait()
        await self._chunks.aclose()

    async def _pulled(self) -> Result[bytes, RegistryError] | None:
        self._resting.clear()
        try:
            return await anext(self._chunks, None)
        except Exception as defect:
            self.defect = defect
            raise
        finally:
            self._resting.set()

    async def _ended(self) -> None:
        # The answer comes as soon as the last byte is there. If the source is still at work then, proving what it gave,
        # that costs the connection; and its failure comes too late to break off.
        while not self._over:
            chunk = await self._pulled()
            if chunk is None:
                self._over = True
            elif not is_successful(chunk):
                self._broken(chunk.failure())
            elif chunk.unwrap():
                self._changed()

    def _take(self, chunk: Result[bytes, RegistryError]) -> None:
        if not is_successful(chunk):
            self._broken(chunk.failure())
        self._rest = memoryview(chunk.unwrap())
        if self._length is not None and self.sent + len(self._rest) > self._length:
            self._changed()

    def _piece(self) -> bytes:
        piece, self._rest = bytes(self._rest[:_PIECE]), self._rest[_PIECE:]
        self._last = len(piece)
        self.sent += self._last
        if self._watch is not None:
            self._watch.theirs("write", self._idle)
        return piece

    def _end(self) -> NoReturn:
        if self._length is not None and self.sent != self._length:
            self._changed()
        if self._watch is not None:
            self._watch.theirs("response", self._answer)
        raise StopAsyncIteration

    def _changed(self) -> NoReturn:
        self._broken(self._request.failed(SourceChanged("the content of the request")))

    def _broken(self, failure: RegistryError) -> NoReturn:
        self.failure = failure
        raise _AbortedError
