"""An OCI image layout as a place that images come from, and, where it is a folder, go to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, aclosing
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_blob import PartialBlob, blob_is_there
from registry_fp.archive.layout_edit import create_layout, list_in_layout
from registry_fp.archive.layout_files import FolderFiles, LayoutFiles, read_file
from registry_fp.archive.layout_index import CONTAINERD_NAME, REF_NAME, blob_name
from registry_fp.archive.layout_read import proven_chunks
from registry_fp.archive.off_loop import guarded, off_loop
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import (
    DigestMismatch,
    LocalIo,
    MissingContent,
    Reason,
    RegistryError,
    SizeMismatch,
)
from registry_fp.domain.manifest import MANIFEST_LIMIT, RawManifest, parse_manifest
from registry_fp.domain.media_type import is_foreign
from registry_fp.domain.model import Annotations
from registry_fp.effect.aside import aside
from registry_fp.effect.bracket import finish
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, OnEvent, Outcome, emit
from registry_fp.pipelines.store import Origin, Placed
from registry_fp.pipelines.walk import walk
from registry_fp.protocol.message import Body, Chunks, held_body

__all__ = ["LayoutOrigin", "LayoutStore", "layout_store"]

_AHEAD: Final = 1024 * 1024  # bytes that may wait to be written
_AT_ONCE: Final = 4  # manifests that are read


@final
class LayoutOrigin:
    """A layout, in a folder or in an open archive, as an `Origin`."""

    __slots__ = ("files",)

    def __init__(self, files: LayoutFiles) -> None:
        self.files: LayoutFiles = files

    @property
    def name(self) -> str:
        """The path."""
        return self.files.path

    @property
    def repository(self) -> None:
        """A layout is no repository."""
        return None

    @operation
    async def manifest(self, wanted: Descriptor) -> Result[RawManifest, RegistryError]:
        """A manifest, proven against its descriptor.

        Fails with `MissingContent`, `SizeMismatch`, `DigestMismatch`, as `parse_manifest`, and with `LocalIo`.
        """
        read = await read_file(
            self.files,
            blob_name(wanted),
            partial(_manifest, wanted),
            missing=MissingContent((wanted.digest,)),
            limit=MANIFEST_LIMIT,
        )
        return read.alt(lambda reason: RegistryError("read_manifest", f"{self.name}@{wanted.digest}", reason))

    def body(self, wanted: Descriptor) -> Body:
        """A blob's proven bytes."""
        return Body(lambda: self._chunks(wanted), wanted.size)

    async def absent(self, blobs: Iterable[Descriptor]) -> Result[tuple[Digest, ...], RegistryError]:
        """Which of these blobs are not there; fails as the files do."""
        missing: list[Digest] = []
        for blob in blobs:
            with ExitStack() as held:
                found = await self.files.window(blob_name(blob), held)
            if not is_successful(found):
                return Failure(RegistryError("read_blob", f"{self.name}@{blob.digest}", found.failure()))
            if found.unwrap() is None:
                missing.append(blob.digest)
        return Success(tuple(missing))

    async def _chunks(self, wanted: Descriptor) -> Chunks:
        async with aclosing(proven_chunks(self.files, wanted)) as chunks:
            async for chunk in chunks:
                yield chunk.alt(lambda reason: RegistryError("read_blob", f"{self.name}@{wanted.digest}", reason))


@final
class LayoutStore:
    """A layout folder as an `Origin` and a `Destination`; made by `layout_store`.

    Blobs are streamed to another name in the folder, proven on the way by the origin that gives them, brought to the
    disk, and renamed. A blob that is there with the right size is taken as it is, because it got its name only when it
    was proven; a small one is read again, and `validate` reads all.
    Several stores, also in other processes, can write to one folder at the same time.
    """

    __slots__ = ("_flights", "_origin", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._origin = LayoutOrigin(FolderFiles(path))
        self._flights: SingleFlight[Placed] = SingleFlight()

    @property
    def name(self) -> str:
        """The folder's path."""
        return self._path

    @property
    def repository(self) -> None:
        """A layout is no repository."""
        return None

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """A manifest, proven against its descriptor. Fails as `LayoutOrigin.manifest`."""
        return self._origin.manifest(wanted)

    def body(self, wanted: Descriptor) -> Body:
        """A blob's proven bytes."""
        return self._origin.body(wanted)

    @operation
    async def holds(self, manifest: Descriptor) -> Result[bool, RegistryError]:
        """Whether a manifest is there with what is beneath it, large blobs by their size; foreign layers do not count.

        Fails with `LocalIo`.
        """
        walked = await settle(
            self.manifest(manifest).bind(lambda root: walk(self.name, root, self.manifest, limit=_AT_ONCE))
        )
        if isinstance(walked, Err):
            return Failure(walked.error) if isinstance(walked.error.reason, LocalIo) else Success(False)
        for each in walked.value.manifests.values():
            there = await off_loop(self._path, partial(self._all_there, each.blobs))
            if not is_successful(there):
                return Failure(self._failed("read_blob", each.descriptor, there.failure()))
            if not there.unwrap():
                return Success(False)
        return Success(True)

    @operation
    async def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Result[Placed, RegistryError]:
        """Fetch one blob, unless it is there.

        Fails with `DigestMismatch` and `SizeMismatch` where the origin gives other bytes, with `LocalIo`, and as the
        origin does; what was written is then removed.
        """
        landing = self._flights.take_off(blob.digest)
        if landing is not None:
            outcome = await landing
            if outcome is not None and outcome.descriptor.size == blob.size:
                return Success(Placed(blob, "exists"))
            return await self._fetched(blob, origin, on_event)
        outcome = None
        try:
            placed = await self._fetched(blob, origin, on_event)
            outcome = placed.value_or(None)
            return placed
        finally:
            self._flights.land(blob.digest, outcome)

    @operation
    async def store(self, manifest: RawManifest, tag: str | None) -> Result[None, RegistryError]:
        """Keep a manifest's exact bytes; under a tag, `index.json` lists it with that as its ref name.

        Without one it is only a blob, as the manifests of an index are; `enter` lists it. Fails with `LocalIo`, and as
        `enter`.
        """
        body = held_body(manifest.raw)
        written = await self._written("write_manifest", manifest.descriptor, body, lambda _size: None)
        if not is_successful(written):
            return Failure(written.failure())
        return Success(None) if tag is None else await self._entered(manifest.descriptor, tag, None)

    @operation
    async def enter(
        self, manifest: Descriptor, name: str | None = None, *, reference: str | None = None
    ) -> Result[None, RegistryError]:
        """List a manifest in `index.json`, under a ref name and, for containerd and Docker, under its full reference.

        An entry of the same name is replaced; without a name the manifest is listed once. Fails with `InvalidImage`,
        `LimitExceeded` and `LocalIo`. Source: image-spec, image-layout, "index.json".
        """
        return await self._entered(manifest, name, reference)

    async def _entered(
        self, manifest: Descriptor, name: str | None, reference: str | None
    ) -> Result[None, RegistryError]:
        names = {key: text for key, text in ((REF_NAME, name), (CONTAINERD_NAME, reference)) if text is not None}
        known = {**(manifest.annotations or {}), **names}
        entry = manifest.model_copy(update={"annotations": Annotations(known) if known else None})
        listed = await list_in_layout(self._path, entry)
        return listed.alt(lambda reason: self._failed("write_manifest", manifest, reason))

    async def _fetched(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Result[Placed, RegistryError]:
        name = str(blob.digest)
        emit(on_event, BlobStarted(name, blob.size))
        written = await self._written(
            "write_blob", blob, origin.body(blob), lambda size: emit(on_event, BlobMoved(name, size, size))
        )
        if not is_successful(written):
            return Failure(written.failure())
        moved = blob.size if written.unwrap() else 0
        outcome: Outcome = "fetched" if written.unwrap() else "exists"
        emit(on_event, BlobDone(name, outcome, blob.digest, blob.size, moved))
        return Success(Placed(blob, outcome, moved))

    async def _written(
        self, doing: str, wanted: Descriptor, body: Body, moved: Callable[[int], None]
    ) -> Result[bool, RegistryError]:
        """Bring bytes under their name; False if they are there already, and the body was not opened."""
        blob = PartialBlob(self._path, wanted)
        failed = partial(self._failed, doing, wanted)

        def write(chunk: bytes) -> Result[None, Reason]:
            return guarded(self._path, partial(blob.write, chunk))

        async def discard() -> None:
            await off_loop(self._path, blob.discard)

        try:
            begun = await off_loop(self._path, blob.begin)
            if not is_successful(begun) or not begun.unwrap():
                return begun.alt(failed)
            async with aside(write, ahead=_AHEAD) as writing, body.opened() as chunks:
                given = 0
                async for chunk in chunks:
                    if not is_successful(chunk):
                        return Failure(chunk.failure())
                    so_far = await writing.give(chunk.unwrap())
                    if not is_successful(so_far):
                        return Failure(failed(so_far.failure()))
                    given += len(chunk.unwrap())
                    moved(given)
                written = await writing.end()
            if not is_successful(written):
                return Failure(failed(written.failure()))
            return (await off_loop(self._path, blob.commit)).map(lambda _: True).alt(failed)
        finally:
            await finish(discard())

    def _all_there(self, blobs: Sequence[Descriptor]) -> Result[bool, Reason]:
        needed = (each for each in blobs if not is_foreign(each.media_type))
        return Success(all(blob_is_there(f"{self._path}/{blob_name(each)}", each) for each in needed))

    def _failed(self, doing: str, wanted: Descriptor, reason: Reason) -> RegistryError:
        return RegistryError(doing, f"{self._path}@{wanted.digest}", reason)


@operation
async def layout_store(path: str | os.PathLike[str]) -> Result[LayoutStore, RegistryError]:
    """A layout folder to write to, and to read from; it is made where there is none, with the folders above it.

    Fails with `InvalidImage` ("bad oci-layout", "bad index.json") where the folder is something else, and with
    `LocalIo`. Source: image-spec, image-layout.
    """
    name = os.fspath(path)
    made = await create_layout(name)
    return made.map(lambda _: LayoutStore(name)).alt(lambda reason: RegistryError("layout_store", name, reason))


def _manifest(wanted: Descriptor, raw: bytes) -> Result[RawManifest, Reason]:
    if len(raw) != wanted.size:
        return Failure(SizeMismatch(wanted.size, len(raw)))
    actual = digest_of(raw, wanted.digest.algorithm)
    if actual != wanted.digest:
        return Failure(DigestMismatch(wanted.digest, actual))
    return parse_manifest(raw, wanted.media_type, algorithm=wanted.digest.algorithm)
