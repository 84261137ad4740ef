"""Chunks: the bytes of a session sent piece by piece, each kept until the registry has it.

What the registry says it holds decides where to go on. A chunk that is too large for it is halved, one under which the
connection broke is sent again from wherever it stopped; that costs memory for one chunk, and no second reading of the
source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import ConnectionLost, RegistryError, SourceChanged, UploadLost
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import operation
from registry_fp.operations.uploads import send_chunk, upload_status
from registry_fp.protocol import upload as wire
from registry_fp.protocol.message import Body, Chunks
from registry_fp.protocol.upload import Upload
from registry_fp.protocol.way import (
    SMALLEST_CHUNK,
    Pieces,
    Way,
    Whole,
    chunk_size,
    is_too_large,
    smaller_chunk,
    with_max_chunk,
)
from registry_fp.transport.port import Client, send

__all__ = ["Trip", "fill_upload"]


@final
@dataclass(slots=True)
class Trip:
    """One attempt to send a blob: its way, and where its session is by now; None before a byte was to be sent."""

    way: Way
    upload: Upload | None = None


@operation
async def fill_upload(client: Client, upload: Upload, body: Body, trip: Trip) -> Result[Upload, RegistryError]:
    """Send the bytes of a blob to a session that has none yet, and leave it open.

    In chunks it goes on where one broke, as long as the session stands, and as often as the client's policy allows
    without progress. Fails with `UploadLost`, `RangeRejected`, `Refused`, as `body` does, or as the transport does.
    Source: end-5, end-13.
    """
    trip.upload = upload
    if isinstance(trip.way, Pieces):
        return await _Filling(client, trip, upload, trip.way.size).run(body)
    whole = body if isinstance(trip.way, Whole) else Body(body.open, None)
    out = await settle(send_chunk(client, upload, whole))
    if isinstance(out, Ok):
        trip.upload = out.value
    return result_of(out)


@final
class _Held:
    """The bytes that were read and that the registry does not have yet."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self.size += len(part)

    def first(self, size: int) -> Body:
        """The first bytes of them, as a body that can be opened until they are dropped; it keeps none of its own."""
        length = min(size, self.size)

        async def chunks() -> Chunks:
            left = length
            for part in tuple(self._parts):
                if left:
                    yield Success(part if len(part) <= left else part[:left])
                    left -= min(len(part), left)

        return Body(chunks, length)

    def drop(self, size: int) -> None:
        """Forget the first bytes."""
        self.size -= size
        while size > 0:
            part = self._parts.pop(0)
            if len(part) > size:
                self._parts.insert(0, part[size:])
            size -= len(part)


@final
@dataclass(slots=True)
class _Filling:
    """One session as it fills: its newest Location, and the size that chunks have by now."""

    client: Client
    trip: Trip
    upload: Upload
    size: int
    failures: int = 0

    async def run(self, body: Body) -> Result[Upload, RegistryError]:
        """Everything, from first to last."""
        asked = chunk_size(self.client.profiles.of(self.upload.repository.host), self.upload.min_chunk)
        self.size = max(min(self.size, asked), self.upload.min_chunk)
        held, over = _Held(), False
        async with body.opened() as chunks:
            while True:
                while not over and held.size < self.size:
                    chunk = await anext(chunks, None)
                    if chunk is not None and not is_successful(chunk):
                        return Failure(chunk.failure())
                    over = chunk is None
                    held.add(b"" if chunk is None else chunk.unwrap())
                if not held.size:
                    return self._complete(body)
                before = self.upload.sent
                failed = await self._sent(held.first(self.size))
                if failed is not None:
                    return Failure(failed)
                held.drop(self.upload.sent - before)

    async def _sent(self, chunk: Body) -> RegistryError | None:
        """One attempt at one chunk; whatever it was good for shows in `upload` afterwards."""
        length = chunk.length or 0
        request = wire.send_chunk(self.upload, chunk)
        out = await settle(send(self.client, request, lambda response: wire.after_chunk(self.upload, length, response)))
        if isinstance(out, Ok):
            # Who takes a few bytes of each chunk, and no more, would be served for ever.
            taken, least = out.value.sent - self.upload.sent, max(SMALLEST_CHUNK, self.upload.min_chunk)
            little = taken < min(length, least)
            short = request.failed(ConnectionLost(taken))
            self._moved(out.value)
            if taken < length:  # what it leaves would be sent again each time, two hundred times over
                self.size = min(self.size, max(taken, least))
            if little:
                return await self._paused(short)
            self.failures = 0
            return None
        return await self._after(out.error, length)

    async def _after(self, error: RegistryError, length: int) -> RegistryError | None:
        """Whether a session goes on after a failure, and from where; None: it does."""
        sized = is_too_large(error.reason)
        if not (sized or self.client.policy().should_retry(error)) or isinstance(error.reason, UploadLost):
            return error
        # Of a session without a byte nothing is lost, and its status would be the same as that of one with a byte.
        if self.upload.sent == 0 or not self.client.profiles.of(self.upload.repository.host).status:
            return error
        if not sized:
            gone = await self._paused(error)
            if gone is not None:
                return gone
        asked = await settle(upload_status(self.client, self.upload))
        if isinstance(asked, Err):
            return error
        begun, now = self.upload.sent, asked.value
        if not begun <= now.sent <= begun + length:
            return error
        self._moved(now)
        if now.sent - begun >= min(length, SMALLEST_CHUNK):
            self.failures = 0
            if sized:
                self._shrunk(error)
            return None
        return self._shrunk(error) if sized or isinstance(error.reason, ConnectionLost) else None

    def _shrunk(self, error: RegistryError) -> RegistryError | None:
        size = smaller_chunk(self.size, error.reason, self.upload.min_chunk)
        sized = is_too_large(error.reason)
        if size is None:
            return error if sized else None
        self.size = size
        if sized:
            host = self.upload.repository.host
            self.client.profiles.learn(host, with_max_chunk(self.client.profiles.of(host), size))
        return None

    async def _paused(self, error: RegistryError) -> RegistryError | None:
        """Wait as the policy wants it; the error where it has no patience left."""
        policy = self.client.policy()
        if self.failures >= len(policy.delays):
            return replace(error, attempts=self.failures + 1)
        await self.client.clock.sleep(max(policy.delays[self.failures], policy.delay_hint(error) or 0.0))
        self.failures += 1
        return None

    def _moved(self, upload: Upload) -> None:
        self.upload = self.trip.upload = upload

    def _complete(self, body: Body) -> Result[Upload, RegistryError]:
        if body.length is not None and body.length != self.upload.sent:
            changed = SourceChanged("the content of the request")
            return Failure(RegistryError("put_blob", str(self.upload.repository), changed))
        return Success(self.upload)
