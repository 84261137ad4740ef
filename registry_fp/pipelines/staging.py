"""Staging: blobs come to a repository in two steps, so that a bad one keeps all of them out.

First every blob is staged: found (HEAD), mounted from a neighbour, or sent to an upload session and proven on the way.
Only when all of them stand there are the sessions closed, which is what makes a blob. What fails in between is given
up: no blob is committed, and open sessions are cancelled. The order for each blob is cheapest first.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import assert_never

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_pass import prove
from registry_fp.archive.opened import OpenArchive, unchanged
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import (
    InvalidImage,
    RegistryError,
)
from registry_fp.domain.reference import Repository
from registry_fp.domain.transient import was_answered
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.presence import held_size
from registry_fp.pipelines.carrier import Carrier
from registry_fp.pipelines.event import BlobDone, BlobStarted, OnEvent, emit
from registry_fp.pipelines.plan import BlobPlan
from registry_fp.pipelines.sessions import Sessions
from registry_fp.pipelines.staged import Awaited, Held, PlacedBlob, Sent, Staged
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client

__all__ = ["place_all"]


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
        self._carrier = Carrier(client, archive, self._sessions, level, on_event)
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
                done = await settle(self._carrier.put(staged))
            case Sent():
                done = await settle(self._carrier.close(staged))
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
        out = await settle(self._carrier.send(plan, upload))
        return result_of(out)

    async def _recalled(self, plan: BlobPlan) -> Descriptor | None:
        if plan.layer is None:
            return None
        became = await self._client.memory.recall(plan.layer.diff_id, self._recipe(plan))
        # What is remembered is the bytes; which family's media type they travel under is this push's choice.
        return None if became is None else became.model_copy(update={"media_type": plan.media_type})

    async def _found(self, plan: BlobPlan, known: Descriptor) -> Result[PlacedBlob | Upload | None, RegistryError]:
        """Cheapest first: is it there, or with a neighbour? A registry's no to the question is no answer to it."""
        size = await settle(held_size(self._client, self._repository, known.digest))
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
            if session is not None or await self._carrier.missing(known, None) is None:
                return Success(session or PlacedBlob(plan, known, "mounted"))
        return Success(None)

    async def _proven(self, plan: BlobPlan, known: Descriptor | None) -> Result[None, RegistryError]:
        """A layer that need not be sent must still be its diff_id's: once by reading it, then by memory."""
        if plan.layer is None or (known is not None and await self._recalled(plan) == known):
            return Success(None)
        return (await prove(self._archive, plan.layer, doing="push")).map(lambda _: None)

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
