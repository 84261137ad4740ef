"""An archive in the making as a place that images go to: blobs are staged beside it, and then packed into it.

Each blob is a file of its own first, because a tar needs to know how large a member is before it begins; it also means
that many come at once, and that an interrupted pull goes on with those that are whole. Packing consumes them: two
copies of an image are more room than many a disk has, so what an interrupted packing had moved is fetched again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.archive_staging import PartialFolder, keep_only, publish
from registry_fp.archive.docker_writer import docker_members, layout_members
from registry_fp.archive.staged_blob import stage_blob, staged_size
from registry_fp.archive.tar_writer import MovedFile, TarContent, write_tar
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import MissingContent, Reason, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import operation
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, OnEvent, emit
from registry_fp.pipelines.store import Origin, Placed

__all__ = ["ArchiveStore"]


@final
class ArchiveStore:
    """What is staged for one archive, as a `Destination`; `pack_docker` or `pack_layout` makes the archive of it.

    `diff_ids` are the layers that are unpacked on their way, by their digests, and what each of them unpacks to; the
    blob `known`, if there is one, is at hand already.
    """

    __slots__ = ("_diff_ids", "_folder", "_known", "_manifests", "_sizes")

    def __init__(
        self, folder: PartialFolder, diff_ids: Mapping[Digest, Digest] | None = None, *, known: Digest | None = None
    ) -> None:
        self._folder = folder
        self._diff_ids = diff_ids or {}
        self._known = known
        self._sizes: dict[Digest, int] = {}
        self._manifests: dict[Digest, RawManifest] = {}

    @property
    def name(self) -> str:
        """The archive's path."""
        return self._folder.target

    @operation
    async def holds(self, manifest: Descriptor) -> Result[bool, RegistryError]:
        """No: what earlier work left is looked at blob by blob."""
        del manifest
        return Success(False)

    @operation
    async def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Result[Placed, RegistryError]:
        """Fetch one blob into a file, unless it is there and still what it should be.

        Fails with `InvalidImage` ("bad layer", "diff_id mismatch"), `LocalIo`, and as the origin does.
        """
        name = str(blob.digest)
        failed = partial(RegistryError, "write_blob", f"{self.name}@{name}")
        content = self._diff_ids.get(blob.digest)
        staged = blob.digest if content is None else content
        path = self._folder.blob(staged)
        emit(on_event, BlobStarted(name, blob.size))
        if blob.digest == self._known:
            return self._fetched(blob, on_event)
        found = await staged_size(path, staged)
        if not is_successful(found):
            return Failure(failed(found.failure()))
        size = found.unwrap()
        if size is not None:
            self._sizes[staged] = size
            emit(on_event, BlobDone(name, "exists", blob.digest, blob.size, 0))
            return Success(Placed(blob, "exists"))
        async with origin.body(blob).opened() as chunks:
            written = await stage_blob(
                path,
                blob.digest,
                chunks,
                content=content,
                failed=failed,
                on_moved=lambda moved: emit(on_event, BlobMoved(name, moved, moved)),
            )
        if not is_successful(written):
            return Failure(written.failure())
        self._sizes[staged] = written.unwrap()
        return self._fetched(blob, on_event)

    @operation
    async def store(self, manifest: RawManifest, tag: str | None) -> Result[None, RegistryError]:
        """Keep a manifest for when the archive is packed, which also names it."""
        del tag
        self._manifests[manifest.digest] = manifest
        return Success(None)

    @operation
    async def pack_layout(self, root: RawManifest, names: Mapping[str, str]) -> Result[None, RegistryError]:
        """Make a tar of an OCI image layout, which lists `root` with these annotations, of what was transferred.

        Fails with `LocalIo`, and `SourceChanged` where somebody else changed what is staged.
        """
        blobs = {f"blobs/{digest.algorithm}/{digest.hex}": self._file(digest) for digest in self._sizes}
        return await self._packed({**blobs, **layout_members([*self._manifests.values()], root, names)})

    @operation
    async def pack_docker(
        self, config: bytes, diff_ids: tuple[Digest, ...], tag: Reference | None
    ) -> Result[None, RegistryError]:
        """Make a `docker save` archive of an image whose layers were transferred, oldest first, and name it `tag`.

        Fails as `pack_layout`, and with `MissingContent` for a layer that was not transferred.
        """
        missing = tuple(digest for digest in diff_ids if digest not in self._sizes)
        if missing:
            return Failure(self._failed(MissingContent(missing)))
        return await self._packed(docker_members(config, [(digest, self._file(digest)) for digest in diff_ids], tag))

    async def _packed(self, members: Mapping[str, TarContent]) -> Result[None, RegistryError]:
        done = await keep_only(self._folder, self._sizes)
        if is_successful(done):
            written = await write_tar(self._folder.archive, members)
            done = await publish(self._folder) if is_successful(written) else written.map(lambda _: None)
        return done.alt(self._failed)

    def _fetched(self, blob: Descriptor, on_event: OnEvent) -> Result[Placed, RegistryError]:
        emit(on_event, BlobDone(str(blob.digest), "fetched", blob.digest, blob.size, blob.size))
        return Success(Placed(blob, "fetched", blob.size))

    def _file(self, digest: Digest) -> MovedFile:
        return MovedFile(self._folder.blob(digest), self._sizes[digest])

    def _failed(self, reason: Reason) -> RegistryError:
        return RegistryError("write_archive", self.name, reason)
