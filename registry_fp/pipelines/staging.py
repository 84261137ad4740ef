"""Staging: blobs come to a repository in two steps, so that a bad one keeps all of them out.

First every blob is staged: found (HEAD), mounted from a neighbour, or sent to an upload session and proven on the way.
Only when all of them stand there are the sessions closed, which is what makes a blob. What fails in between is given
up: no blob is committed, and open sessions are cancelled. The order for each blob is cheapest first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Hashable, Iterator
from contextlib import aclosing
from itertools import chain, repeat
from typing import TypeVar, assert_never

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedLayer
from registry_fp.archive.layer_pass import LayerPass, prove
from registry_fp.archive.opened import OpenArchive, unchanged
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import (
    InvalidImage,
    ProtocolViolation,
    RangeRejected,
    RateLimited,
    RegistryError,
    UploadLost,
)
from registry_fp.domain.reference import Repository
from registry_fp.domain.transient import was_answered
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.blobs import blob_size
from registry_fp.operations.uploads import commit_upload, send_chunk
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, OnEvent, emit
from registry_fp.pipelines.plan import BlobPlan
from registry_fp.pipelines.sessions import Sessions
from registry_fp.pipelines.staged import Awaited, Held, PlacedBlob, Sent, Staged
from registry_fp.protocol.message import Body
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client
from registry_fp.transport.repeat import attempted

__all__ = ["place_all"]

_T = TypeVar("_T")


def place_all(  # noqa: PLR0913  one argument for each thing that a push has chosen
    client: Client,
    archive: OpenArchive,
    plans: tuple[BlobPlan, ...],
    repository: Repository,
    *,
    level: int | None,
    limit: int,
    on_event: OnEvent,
) -> Op[tuple[PlacedBlob, ...]]:
    """Bring every blob to the repository, `limit` at once; all are proven before the first is committed.

    The results keep the order of the plans. Fails with `InvalidImage`, `SourceChanged`, or as the registry does.
    """
    opened: Op[_Yard] = FutureResult.from_value(_Yard(client, archive, repository, level, on_event))
    return bracket(
        lambda: opened,
        lambda yard: (
            traverse(plans, yard.stage, limit=limit)
            .lash(lambda error: _blamed(archive, error))
            .bind(lambda staged: unchanged(archive).map(lambda _: staged))
            .bind(lambda staged: traverse(staged, yard.commit, limit=limit))
            .bind(lambda placed: traverse(placed, yard.join, limit=limit))
        ),
        lambda yard, _ended: yard.clear(),
    )


class _Yard:
    """Where the blobs of one push stand: the sessions that are open, and the flights that this push leads."""

    def __init__(
        self, client: Client, archive: OpenArchive, repository: Repository, level: int | None, on_event: OnEvent
    ) -> None:
        self._client = client
        self._archive = archive
        self._repository = repository
        self._level = level
        self._on_event = on_event
        self._sessions = Sessions(client, repository)
        self._leading: dict[BlobPlan, Hashable] = {}

    @operation
    async def stage(self, plan: BlobPlan) -> Result[Staged, RegistryError]:
        """Find, mount or send one blob, and prove it; unless somebody else on this client is about to."""
        diff_id = None if plan.layer is None else plan.layer.diff_id
        key = (self._repository, diff_id, None if plan.known is None else plan.known.digest, self._recipe(plan))
        landing = self._client.flights.take_off(key)
        if landing is not None:
            # What somebody else sends proves their archive; ours must be sound too before anything is committed.
            proven = await self._proven(plan, None)
            return Failure(proven.failure()) if not is_successful(proven) else Success(Awaited(plan, landing))
        self._leading[plan] = key
        return await self._staged(plan)

    @operation
    async def commit(self, staged: Staged) -> Result[PlacedBlob | Awaited, RegistryError]:
        """Make a blob of what was staged."""
        match staged:
            case PlacedBlob() | Awaited():
                return Success(staged)
            case Held():
                sessions = _once(staged.upload)
                done = await settle(self._persistently(lambda _: self._put(staged, next(sessions))))
            case Sent():
                done = await settle(self._closed(staged))
            case _:
                assert_never(staged)
        return Failure(done.error) if isinstance(done, Err) else Success(await self._placed(done.value))

    @operation
    async def join(self, placed: PlacedBlob | Awaited) -> Result[PlacedBlob, RegistryError]:
        """Wait for a blob that somebody else is sending; if that fails, send it after all."""
        if isinstance(placed, PlacedBlob):
            return Success(placed)
        arrived = await placed.landing
        if arrived is not None:
            became = arrived.model_copy(update={"media_type": placed.plan.media_type})
            return Success(await self._placed(PlacedBlob(placed.plan, became, "exists")))
        out = await settle(self.stage(placed.plan).bind(self.commit).bind(self.join))
        return result_of(out)

    async def clear(self) -> None:
        """Let others do what this push led, and give up what is still open."""
        for key in self._leading.values():
            self._client.flights.land(key, None)
        self._leading.clear()
        await self._sessions.give_up_all()

    async def _staged(self, plan: BlobPlan) -> Result[Staged, RegistryError]:
        emit(self._on_event, BlobStarted(plan.name, plan.length))
        known = plan.known or await self._recalled(plan)
        if known is not None and plan.layer is not None and plan.unnamed:
            # Other bytes may lie under the same name today: they are read, which costs less than to send them.
            read = await prove(self._archive, plan.layer, doing="push")
            if not is_successful(read):
                return Failure(read.failure())
            known = known if read.unwrap().digest == known.digest else None
        upload: Upload | None = None
        if known is not None:
            answer = await self._found(plan, known)
            if not is_successful(answer):
                return Failure(answer.failure())
            found = answer.unwrap()
            if isinstance(found, PlacedBlob):
                proven = await self._proven(plan, known)
                return Failure(proven.failure()) if not is_successful(proven) else Success(await self._placed(found))
            upload = found
        if plan.content is not None and known is not None:
            return Success(Held(plan, known, plan.content, upload))
        sessions = _once(upload)

        def send(attempt: int) -> Op[Held | Sent]:
            if attempt > 1:
                emit(self._on_event, BlobStarted(plan.name, plan.length))
            return self._sent(plan, next(sessions))

        out = await settle(self._persistently(send))
        return result_of(out)

    async def _recalled(self, plan: BlobPlan) -> Descriptor | None:
        if plan.layer is None:
            return None
        became = await self._client.memory.recall(plan.layer.diff_id, self._recipe(plan))
        # What is remembered is the bytes; which family's media type they travel under is this push's choice.
        return None if became is None else became.model_copy(update={"media_type": plan.media_type})

    async def _found(self, plan: BlobPlan, known: Descriptor) -> Result[PlacedBlob | Upload | None, RegistryError]:
        """Cheapest first: is it there, or with a neighbour? A registry's no to the question is no answer to it."""
        size = await settle(blob_size(self._client, self._repository, known.digest))
        if isinstance(size, Err) and not was_answered(size.error):
            return Failure(size.error)
        if isinstance(size, Ok) and size.value is not None and size.value in (known.size, -1):
            return Success(PlacedBlob(plan, known, "exists"))
        neighbours = await self._client.memory.holders(self._repository.host, known.digest)
        for neighbour in (each for each in neighbours if each != self._repository):
            proven = await self._proven(plan, known)
            if not is_successful(proven):
                return Failure(proven.failure())
            mounted = await self._sessions.mount(plan, known.digest, neighbour)
            if not is_successful(mounted):
                break
            session = mounted.unwrap()
            if session is not None or await self._missing(known, None) is None:
                return Success(session or PlacedBlob(plan, known, "mounted"))
        return Success(None)

    async def _proven(self, plan: BlobPlan, known: Descriptor | None) -> Result[None, RegistryError]:
        """A layer that need not be sent must still be its diff_id's: once by reading it, then by memory."""
        if plan.layer is None or (known is not None and await self._recalled(plan) == known):
            return Success(None)
        return (await prove(self._archive, plan.layer, doing="push")).map(lambda _: None)

    @operation
    async def _sent(self, plan: BlobPlan, session: Upload | None) -> Result[Held | Sent, RegistryError]:
        """One attempt to send a layer, proving it on the way; small ones are proven first and kept for later."""
        layer = plan.layer
        assert layer is not None  # noqa: S101  a plan without content is a layer's
        if plan.whole:
            return await self._kept(plan, self._pass(layer, plan), session)
        opened = await self._sessions.begin(plan, session)
        if not is_successful(opened):
            return Failure(opened.failure())
        upload = opened.unwrap()
        passes: list[LayerPass] = []  # a body that is opened again, after a challenge, is another pass

        def opened_again() -> AsyncGenerator[Result[bytes, RegistryError], None]:
            passes.append(self._pass(layer, plan))
            return self._watched(plan, passes[-1])

        body = Body(opened_again, plan.length if layer.compression == plan.becomes else None)
        out = await settle(send_chunk(self._client, upload, body))
        if isinstance(out, Err):
            self._sessions.leave(plan)
            return Failure(out.error)
        proof = passes[-1].proof
        if proof is None:
            self._sessions.leave(plan)
            broken = ProtocolViolation("the registry acknowledged an upload before it was complete")
            return Failure(RegistryError("put_blob", str(self._repository), broken))
        self._sessions.moved(plan, out.value)
        descriptor = Descriptor(media_type=plan.media_type, digest=proof.digest, size=proof.size)
        return Success(Sent(plan, descriptor, out.value))

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
    async def _put(self, held: Held, session: Upload | None) -> Result[PlacedBlob, RegistryError]:
        """One attempt at one PUT."""
        opened = await self._sessions.begin(held.plan, session)
        if not is_successful(opened):
            return Failure(opened.failure())
        done = await settle(commit_upload(self._client, opened.unwrap(), held.descriptor.digest, held.content))
        missing = await self._missing(held.descriptor, done.error if isinstance(done, Err) else None)
        if missing is not None:
            self._sessions.leave(held.plan)
            return Failure(missing)
        if isinstance(done, Ok):
            self._sessions.closed(held.plan)
        return Success(PlacedBlob(held.plan, held.descriptor, "uploaded", held.descriptor.size))

    def _closed(self, sent: Sent) -> Op[PlacedBlob]:
        """Close a session; where the registry has lost it, send the layer again."""
        current: Sent | None = sent

        @operation
        async def attempt() -> Result[PlacedBlob, RegistryError]:
            nonlocal current
            if current is None:
                emit(self._on_event, BlobStarted(sent.plan.name, sent.plan.length))
                again = await settle(self._sent(sent.plan, None))
                if isinstance(again, Err):
                    return Failure(again.error)
                assert isinstance(again.value, Sent)  # noqa: S101  what was sent once is too large to be held
                current = again.value
            descriptor = current.descriptor
            done = await settle(commit_upload(self._client, current.upload, descriptor.digest))
            missing = await self._missing(descriptor, done.error if isinstance(done, Err) else None)
            if missing is None and isinstance(done, Ok):
                self._sessions.closed(sent.plan)
            if missing is None:
                return Success(PlacedBlob(sent.plan, descriptor, "uploaded", descriptor.size))
            if isinstance(missing.reason, UploadLost | RangeRejected):
                current = None
                self._sessions.leave(sent.plan)
            return Failure(missing)

        return self._persistently(lambda _: attempt())

    async def _missing(self, descriptor: Descriptor, refused: RegistryError | None) -> RegistryError | None:
        """Why a blob is not there after a commit or a mount: whatever the registry said of that, it is asked again."""
        if refused is not None and isinstance(refused.reason, RateLimited):
            return refused  # who asks for a pause has done nothing, and is left alone
        size = await settle(blob_size(self._client, self._repository, descriptor.digest))
        if isinstance(size, Ok) and size.value in (descriptor.size, -1):
            return None
        if refused is not None or isinstance(size, Err):  # who may not ask takes the registry's word for it
            return refused
        return RegistryError("put_blob", f"{self._repository}@{descriptor.digest}", UploadLost(descriptor.size))

    async def _placed(self, placed: PlacedBlob) -> PlacedBlob:
        plan, memory = placed.plan, self._client.memory
        self._sessions.leave(plan)
        key = self._leading.pop(plan, None)
        if key is not None:
            self._client.flights.land(key, placed.descriptor)
        if plan.layer is not None:
            await memory.remember(plan.layer.diff_id, self._recipe(plan), placed.descriptor)
        await memory.saw(self._repository, placed.descriptor.digest)
        descriptor = placed.descriptor
        done = BlobDone(plan.name, placed.outcome, descriptor.digest, descriptor.size, placed.sent)
        emit(self._on_event, done)
        return placed

    async def _watched(self, plan: BlobPlan, proof: LayerPass) -> AsyncGenerator[Result[bytes, RegistryError], None]:
        sent = 0
        async with aclosing(proof.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
                sent += len(chunk.value_or(b""))
                emit(self._on_event, BlobMoved(plan.name, proof.read, sent))

    def _pass(self, layer: SavedLayer, plan: BlobPlan) -> LayerPass:
        return LayerPass(self._archive, layer, doing="push", compression=plan.becomes, level=self._level)

    def _persistently(self, attempt: Callable[[int], Op[_T]]) -> Op[_T]:
        return attempted(attempt, self._client.policy(), self._client.clock)

    def _recipe(self, plan: BlobPlan) -> str:
        """How a layer's bytes come about: as they are, or by a codec at a level."""
        if plan.layer is None or plan.layer.compression == plan.becomes:
            return f"as it is: {plan.name if plan.known is None else plan.known.digest}"
        return f"{plan.becomes}:{self._level or 'default'}"


@operation
async def _blamed(archive: OpenArchive, error: RegistryError) -> Result[tuple[Staged, ...], RegistryError]:
    """A layer that is not what it claims to be, in a file that has changed since, is a changed file."""
    changed = await settle(unchanged(archive)) if isinstance(error.reason, InvalidImage) else None
    return Failure(changed.error if isinstance(changed, Err) else error)


def _once(session: Upload | None) -> Iterator[Upload | None]:
    """What a mount left open serves the first attempt; every other one opens its own."""
    return chain((session,), repeat(None))
