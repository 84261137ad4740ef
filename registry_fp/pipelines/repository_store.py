"""A repository as a place that images come from, and go to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.embedded import embedded_manifest
from registry_fp.domain.errors import NotConfirmed, RegistryError, SizeMismatch, TimedOut
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.media_type import INDEX_TYPES
from registry_fp.domain.reference import Reference, Repository
from registry_fp.domain.transient import was_answered
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.download import blob_chunks
from registry_fp.operations.manifests import get_manifest, head_manifest
from registry_fp.operations.shown import is_shown
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, OnEvent, emit
from registry_fp.pipelines.placement import upload_blob
from registry_fp.pipelines.referrer import store_referrer
from registry_fp.pipelines.store import Origin, Placed
from registry_fp.pipelines.walk import walk
from registry_fp.protocol.message import Body, Chunks
from registry_fp.transport.port import Client

__all__ = ["RepositoryStore"]


@final
@dataclass(frozen=True, slots=True)
class RepositoryStore:
    """One repository of a registry; both an `Origin` and a `Destination`."""

    client: Client
    repository: Repository

    @property
    def name(self) -> str:
        """The repository's name."""
        return str(self.repository)

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """A manifest by its digest; one that its descriptor carries is not asked for.

        Fails as `get_manifest`, as `embedded`, and with `SizeMismatch`. Source: end-3; image-spec, descriptor.
        """
        carried = embedded_manifest(wanted)
        if not is_successful(carried):
            return FutureResult.from_failure(
                RegistryError("get_manifest", str(self._pinned(wanted)), carried.failure())
            )
        known = carried.unwrap()
        if known is not None:
            return FutureResult.from_value(known)
        return get_manifest(self.client, self._pinned(wanted)).bind(
            lambda raw: (
                FutureResult.from_value(raw)
                if len(raw.raw) == wanted.size
                else FutureResult.from_failure(
                    RegistryError("get_manifest", str(self._pinned(wanted)), SizeMismatch(wanted.size, len(raw.raw)))
                )
            )
        )

    def body(self, wanted: Descriptor) -> Body:
        """A blob's proven bytes, streamed; a connection that is cut, or stalls for half the idle limit, is resumed.

        Source: end-2.
        """
        idle = self.client.settings.idle_timeout / 2  # so that who waits for the bytes has not given up by then
        return Body(lambda: blob_chunks(self.client, self.repository, wanted, idle=idle), wanted.size)

    @operation
    async def holds(self, manifest: Descriptor) -> Result[bool, RegistryError]:
        """Whether the manifest is there; of an index also every one that it lists, as some registries go without those.

        What an image points at a registry keeps as long as the image. A refusal to say is no. Fails where there is no
        answer at all. Source: end-3.
        """

        def beneath(wanted: Descriptor) -> Op[RawManifest | None]:
            if wanted.media_type in INDEX_TYPES:
                return itself.manifest(wanted)
            return self._shown(wanted).map(lambda _: None)

        itself = replace(self, client=self.client.at_origin())  # a mirror can have what the registry has no more
        limit = self.client.settings.concurrency
        there: Op[object] = self._shown(manifest)
        if manifest.media_type in INDEX_TYPES:
            there = there.bind(lambda _: itself.manifest(manifest)).bind(
                lambda root: walk(self.name, root, beneath, limit=limit)
            )
        out = await settle(there)
        if isinstance(out, Err):
            return Success(False) if was_answered(out.error) else Failure(out.error)
        return Success(True)

    @operation
    async def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Result[Placed, RegistryError]:
        """Find, mount or stream one blob.

        An upload waits for the origin no longer than the client's idle limit: a session that nothing comes into is
        given up. Fails as `upload_blob`, and with `TimedOut` of an origin that gives nothing.
        """
        name = str(blob.digest)
        emit(on_event, BlobStarted(name, blob.size))
        neighbours = [] if origin.repository is None else [origin.repository]
        neighbours += await self.client.memory.holders(self.repository.host, blob.digest)
        content = origin.body(blob)

        async def watched() -> Chunks:
            moved = 0
            async with content.opened() as chunks:
                while (chunk := await self._given(chunks, blob, origin)) is not None:
                    yield chunk
                    moved += len(chunk.value_or(b""))
                    emit(on_event, BlobMoved(name, moved, moved))

        body = Body(watched, blob.size)
        sending = upload_blob(self.client, self.repository, blob, body, neighbours=neighbours)
        if origin.repository is None:
            out = await settle(sending)
        else:
            async with self.client.transit:  # two connections each, so they could all wait for a second one
                out = await settle(sending)
        if isinstance(out, Err):
            return Failure(out.error)
        await self.client.memory.saw(self.repository, blob.digest)
        moved = blob.size if out.value == "uploaded" else 0
        emit(on_event, BlobDone(name, out.value, blob.digest, blob.size, moved))
        return Success(Placed(blob, out.value, moved))

    @operation
    async def store(self, manifest: RawManifest, tag: str | None) -> Result[None, RegistryError]:
        """Put a manifest, and see to it that its subject lists it; under a tag, it is confirmed that the tag shows it.

        Fails as `store_referrer`, and with `NotConfirmed`. Source: end-7a, end-3.
        """
        pinned = self._pinned(manifest.descriptor)
        name = pinned if tag is None else Reference(self.repository, tag=tag)
        stored = await settle(store_referrer(self.client, name, manifest))
        if isinstance(stored, Err):
            return Failure(stored.error)
        if tag is None:
            return Success(None)
        shown = await settle(is_shown(self.client, name, manifest))
        if isinstance(shown, Err):
            return Failure(shown.error)
        if not shown.value:
            missing = NotConfirmed(f"the manifest {manifest.digest}")
            return Failure(RegistryError("put_manifest", str(name), missing))
        return Success(None)

    async def _given(self, chunks: Chunks, blob: Descriptor, origin: Origin) -> Result[bytes, RegistryError] | None:
        limit = None if origin.repository is None else self.client.settings.idle_timeout
        scope = asyncio.timeout(limit)
        try:
            async with scope:
                return await anext(chunks, None)
        except TimeoutError:
            if limit is None or not scope.expired():  # a TimeoutError of anybody else's is a bug
                raise
            return Failure(RegistryError("get_blob", f"{origin.name}@{blob.digest}", TimedOut("read", limit)))

    def _shown(self, manifest: Descriptor) -> Op[Descriptor]:
        """The descriptor that the registry shows for a manifest, if that has the size that it should have."""
        pinned = self._pinned(manifest)

        def sized(shown: Descriptor) -> Result[Descriptor, RegistryError]:
            if shown.size == manifest.size:
                return Success(shown)
            return Failure(RegistryError("head_manifest", str(pinned), SizeMismatch(manifest.size, shown.size)))

        return head_manifest(self.client, pinned).bind_result(sized)

    def _pinned(self, manifest: Descriptor) -> Reference:
        return Reference(self.repository, tag=None, digest=manifest.digest)
