"""A repository as a place that images come from, and go to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import NotConfirmed, NotFound, RegistryError, SizeMismatch
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference, Repository
from registry_fp.domain.transient import was_answered
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.download import blob_chunks
from registry_fp.operations.manifests import get_manifest, head_manifest
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, OnEvent, emit
from registry_fp.pipelines.placement import upload_blob
from registry_fp.pipelines.referrer import store_referrer
from registry_fp.pipelines.store import Origin, Placed
from registry_fp.protocol.message import Body
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
        """A manifest by its digest. Fails as `get_manifest`, and with `SizeMismatch`. Source: end-3."""
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
        """A blob's proven bytes, streamed; a cut connection is resumed. Source: end-2."""
        return Body(lambda: blob_chunks(self.client, self.repository, wanted), wanted.size)

    @operation
    async def holds(self, manifest: Descriptor) -> Result[bool, RegistryError]:
        """Whether the manifest is there: a registry keeps what a manifest points at as long as it keeps the manifest.

        A refusal to say is no. Fails where there is no answer at all. Source: end-3.
        """
        shown = await settle(head_manifest(self.client, self._pinned(manifest)))
        if isinstance(shown, Err):
            return Success(False) if was_answered(shown.error) else Failure(shown.error)
        return Success(shown.value.size == manifest.size)

    @operation
    async def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Result[Placed, RegistryError]:
        """Find, mount or stream one blob. Fails as `upload_blob`."""
        name = str(blob.digest)
        emit(on_event, BlobStarted(name, blob.size))
        neighbours = [] if origin.repository is None else [origin.repository]
        neighbours += await self.client.memory.holders(self.repository.host, blob.digest)
        content = origin.body(blob)

        async def watched() -> AsyncGenerator[Result[bytes, RegistryError], None]:
            moved = 0
            chunks = content.open()
            try:
                async for chunk in chunks:
                    yield chunk
                    moved += len(chunk.value_or(b""))
                    emit(on_event, BlobMoved(name, moved, moved))
            finally:
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

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
        shown = await settle(head_manifest(self.client, name))
        if isinstance(shown, Err) and not isinstance(shown.error.reason, NotFound):
            return Failure(shown.error)
        if isinstance(shown, Err) or shown.value.digest != digest_of(manifest.raw, shown.value.digest.algorithm):
            missing = NotConfirmed(f"the manifest {manifest.digest}")
            return Failure(RegistryError("put_manifest", str(name), missing))
        return Success(None)

    def _pinned(self, manifest: Descriptor) -> Reference:
        return Reference(self.repository, tag=None, digest=manifest.digest)
