"""The carrier: how the bytes of one blob come into an upload session, and how that becomes the blob.

A layer is proven on its way: only who has read it to the end knows its digest. A registry that loses a session, or does
not take what it is given, is given the layer again, by whichever way its profile tells by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from itertools import chain, repeat
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedLayer
from registry_fp.archive.layer_pass import LayerPass
from registry_fp.archive.opened import OpenArchive
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import ProtocolViolation, RangeRejected, RateLimited, Refused, RegistryError, UploadLost
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.chunks import Trip, fill_upload
from registry_fp.operations.presence import confirmed_size, held_size
from registry_fp.operations.sending import by_some_way, deliver_upload
from registry_fp.operations.uploads import commit_upload
from registry_fp.pipelines.event import BlobMoved, BlobStarted, OnEvent, emit
from registry_fp.pipelines.plan import BlobPlan
from registry_fp.pipelines.sessions import Sessions
from registry_fp.pipelines.staged import Held, PlacedBlob, Sent
from registry_fp.protocol.message import Body, Chunks, held_body
from registry_fp.protocol.upload import Upload
from registry_fp.protocol.way import Pieces, is_too_large, next_way
from registry_fp.transport.port import Client
from registry_fp.transport.repeat import attempted

__all__ = ["Carrier"]


@final
class Carrier:
    """Sends the blobs of one push; its sessions belong to the push."""

    def __init__(
        self, client: Client, archive: OpenArchive, sessions: Sessions, level: int | None, on_event: OnEvent
    ) -> None:
        self._client = client
        self._archive = archive
        self._sessions = sessions
        self._repository = sessions.repository
        self._level = level
        self._on_event = on_event

    def send(self, plan: BlobPlan, left_open: Upload | None) -> Op[Held | Sent]:
        """Send a layer, proving it on the way; a small one is only proven, and kept in memory for later.

        Fails as `LayerPass.chunks` and `fill_upload` do. Source: end-4a, end-5.
        """
        layer = plan.layer
        assert layer is not None  # noqa: S101  a plan without content is a layer's
        if plan.whole:
            return self._kept(plan, self._pass(layer, plan), left_open)
        sessions = _once(left_open)
        trips: list[Trip] = []

        def attempt(trip: Trip) -> Op[Held | Sent]:
            if trips:
                emit(self._on_event, BlobStarted(plan.name, plan.length))
            trips.append(trip)
            return self._sent(plan, layer, next(sessions), trip)

        return by_some_way(self._client, self._repository, _length(plan), "PATCH", attempt)

    def put(self, held: Held) -> Op[PlacedBlob]:
        """Make a blob of bytes in memory. Fails as `deliver_upload`. Source: end-4a, end-6."""
        sessions = _once(held.upload)
        return by_some_way(
            self._client,
            self._repository,
            len(held.content),
            "PUT",
            lambda trip: self._put(held, next(sessions), trip),
        )

    def close(self, sent: Sent) -> Op[PlacedBlob]:
        """Make a blob of a session; where the registry has lost it, or mixed it up, the layer is sent again.

        Fails as `commit_upload` and `send` do. Source: end-6.
        """
        current: list[Sent] = [sent]

        @operation
        async def attempt() -> Result[PlacedBlob, RegistryError]:
            while True:
                if not current:
                    emit(self._on_event, BlobStarted(sent.plan.name, sent.plan.length))
                    again = await settle(self.send(sent.plan, None))
                    if isinstance(again, Err):
                        return Failure(again.error)
                    assert isinstance(again.value, Sent)  # noqa: S101  what was sent once is too large to be held
                    current.append(again.value)
                one = current[0]
                done = await settle(commit_upload(self._client, one.upload, one.descriptor.digest))
                refused = await self.missing(one.descriptor, done.error if isinstance(done, Err) else None)
                if refused is None:
                    if isinstance(done, Ok):
                        self._sessions.closed(sent.plan)
                    placed = PlacedBlob(sent.plan, one.descriptor, "uploaded", one.descriptor.size)
                    return Success(placed)
                mixed_up = self._learned(one, refused)
                if mixed_up or isinstance(refused.reason, UploadLost | RangeRejected):
                    current.clear()
                    self._sessions.leave(sent.plan)
                if not mixed_up:
                    return Failure(refused)

        return attempted(lambda _: attempt(), self._client.policy(), self._client.clock)

    async def missing(self, descriptor: Descriptor, refused: RegistryError | None) -> RegistryError | None:
        """Why a blob is not there after a commit or a mount: whatever the registry said of that, it is asked again."""
        if refused is not None and isinstance(refused.reason, RateLimited):
            return refused  # who asks for a pause has done nothing, and is left alone
        ask = confirmed_size if refused is None else held_size
        size = await settle(ask(self._client, self._repository, descriptor.digest))
        if isinstance(size, Ok) and size.value in (descriptor.size, -1):
            return None
        if refused is not None or isinstance(size, Err):  # who may not ask takes the registry's word for it
            return refused
        return RegistryError("put_blob", f"{self._repository}@{descriptor.digest}", UploadLost(descriptor.size))

    @operation
    async def _sent(
        self, plan: BlobPlan, layer: SavedLayer, session: Upload | None, trip: Trip
    ) -> Result[Held | Sent, RegistryError]:
        opened = await self._sessions.begin(plan, session)
        if not is_successful(opened):
            return Failure(opened.failure())
        passes: list[LayerPass] = []  # a body that is opened again, after a challenge, is another pass

        def opened_again() -> Chunks:
            passes.append(self._pass(layer, plan))
            return self._watched(plan, passes[-1])

        body = Body(opened_again, _length(plan))
        try:
            out = await settle(fill_upload(self._client, opened.unwrap(), body, trip))
        finally:
            self._sessions.moved(plan, trip.upload or opened.unwrap())
        if isinstance(out, Err):
            self._sessions.leave(plan)
            return Failure(out.error)
        proof = passes[-1].proof
        if proof is None:
            self._sessions.leave(plan)
            broken = ProtocolViolation("the registry acknowledged an upload before it was complete")
            return Failure(RegistryError("put_blob", str(self._repository), broken))
        descriptor = Descriptor(media_type=plan.media_type, digest=proof.digest, size=proof.size)
        return Success(Sent(plan, descriptor, out.value, trip.way))

    @operation
    async def _kept(
        self, plan: BlobPlan, proof: LayerPass, session: Upload | None
    ) -> Result[Held | Sent, RegistryError]:
        parts: list[bytes] = []
        async with aclosing(proof.chunks()) as chunks:
            async for chunk in chunks:
                if not is_successful(chunk):
                    return Failure(chunk.failure())
                parts.append(chunk.unwrap())
        assert proof.proof is not None  # noqa: S101  a pass that ended without a failure has its proof
        descriptor = Descriptor(media_type=plan.media_type, digest=proof.proof.digest, size=proof.proof.size)
        return Success(Held(plan, descriptor, b"".join(parts), session))

    @operation
    async def _put(self, held: Held, session: Upload | None, trip: Trip) -> Result[PlacedBlob, RegistryError]:
        plan, digest = held.plan, held.descriptor.digest
        opened = await self._sessions.begin(plan, session)
        if not is_successful(opened):
            return Failure(opened.failure())
        try:
            delivering = deliver_upload(self._client, opened.unwrap(), digest, held_body(held.content), trip)
            done = await settle(delivering)
        finally:
            self._sessions.moved(plan, trip.upload or opened.unwrap())
        missing = await self.missing(held.descriptor, done.error if isinstance(done, Err) else None)
        if missing is not None:
            self._sessions.leave(plan)
            return Failure(missing)
        if isinstance(done, Ok):
            self._sessions.closed(plan)
        return Success(PlacedBlob(plan, held.descriptor, "uploaded", held.descriptor.size))

    def _learned(self, sent: Sent, refused: RegistryError) -> bool:
        """Whether a registry refuses what it made of chunks, so that it is better given the layer as one."""
        if not isinstance(refused.reason, Refused) or not isinstance(sent.way, Pieces) or is_too_large(refused.reason):
            return False
        host = self._repository.host
        turn = next_way(sent.way, refused.reason, self._client.profiles.of(host), _length(sent.plan), "PATCH")
        if turn is not None:
            self._client.profiles.learn(host, turn.profile)
        return turn is not None

    async def _watched(self, plan: BlobPlan, proof: LayerPass) -> Chunks:
        sent = 0
        async with aclosing(proof.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
                sent += len(chunk.value_or(b""))
                emit(self._on_event, BlobMoved(plan.name, proof.read, sent))

    def _pass(self, layer: SavedLayer, plan: BlobPlan) -> LayerPass:
        return LayerPass(self._archive, layer, doing="push", compression=plan.becomes, level=self._level)


def _length(plan: BlobPlan) -> int | None:
    """How many bytes are sent, where that can be told beforehand."""
    return plan.length if plan.layer is None or plan.layer.compression == plan.becomes else None


def _once(session: Upload | None) -> Iterator[Upload | None]:
    """What a mount left open serves the first attempt; every other one opens its own."""
    return chain((session,), repeat(None))
