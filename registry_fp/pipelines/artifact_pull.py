"""Artifacts pulled: the files of an artifact come into a folder, all of them or none.

get the manifest -> check every title -> fetch and prove every blob, out of sight -> give the files their names
"""

from __future__ import annotations

import os
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.archive.artifact_folder import OpenFolder, check_places, place_staged, stage, with_folder
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, Misconfigured, Reason, RegistryError, Unsupported
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.media_type import OCI_EMPTY
from registry_fp.domain.reference import Reference
from registry_fp.domain.title import TITLE, distinct_titles
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.blobs import consume_blob
from registry_fp.operations.elsewhere import from_elsewhere
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, ImageRead, OnEvent, emit, ignore
from registry_fp.protocol.message import Chunks
from registry_fp.transport.port import Client

__all__ = ["PullArtifactOptions", "PulledArtifact", "PulledFile", "pull_artifact"]


@final
@dataclass(frozen=True, slots=True)
class PullArtifactOptions:
    """What can be chosen for one pull of an artifact; None leaves it to the client's settings."""

    concurrency: int | None = None
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file that was written: its title, where it is now, and what it is."""

    title: str
    path: Path
    descriptor: Descriptor


@final
@dataclass(frozen=True, slots=True)
class PulledArtifact:
    """An artifact whose files are there; `untitled` are its blobs without a name, which were not fetched."""

    reference: Reference
    manifest: Descriptor
    files: tuple[PulledFile, ...]
    untitled: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.manifest.digest


@final
@dataclass(frozen=True, slots=True)
class _Named:
    """An artifact whose titles are sound: each blob and the relative path that it goes to."""

    manifest: RawManifest
    layers: tuple[tuple[Descriptor, str], ...]
    untitled: tuple[Descriptor, ...]


_USUAL: Final = PullArtifactOptions()


def pull_artifact(
    client: Client,
    name: str | Reference,
    folder: str | os.PathLike[str],
    *,
    options: PullArtifactOptions = _USUAL,
) -> Op[PulledArtifact]:
    """Write the files of an artifact below a folder, under the titles of its layers; files that are there are replaced.

    Every title is checked before anything is fetched. Files get their names when all of them are there, proven and on
    the disk; until then, and after a failure, nothing is seen of them. Fails with `InvalidImage` ("bad name": a title
    that is absolute, leads out of the folder or through a symbolic link, is no name on some system, or stands twice;
    or none at all), `Unsupported` for an index, `DigestMismatch`, `SizeMismatch`, `LocalIo`, `NotFound`, or as the
    transport does. Source: image-spec, annotations, `org.opencontainers.image.title`.
    """

    def into(asked: Client, ref: Reference, found: _Named) -> Op[PulledArtifact]:
        path = os.fspath(folder)
        return with_folder(path, lambda opened: _fetched(asked, ref, found, opened, options)).map(
            lambda files: PulledArtifact(ref, found.manifest.descriptor, files, found.untitled)
        )

    def pulled(ref: Reference) -> Op[PulledArtifact]:
        if _limit(client, options) < 1:
            reason = Misconfigured("concurrency", f"it is at least 1, not {options.concurrency}")
            return FutureResult.from_failure(RegistryError("pull_artifact", str(ref), reason))
        return from_elsewhere(
            client,
            lambda asked: (
                get_manifest(asked, ref)
                .bind_result(lambda raw: _named(raw).alt(lambda why: RegistryError("pull_artifact", str(ref), why)))
                .bind(lambda found: into(asked, ref, found))
            ),
        )

    return reference_noun("pull_artifact", name).bind(pulled)


def _named(manifest: RawManifest) -> Result[_Named, Reason]:
    if isinstance(manifest.model, ImageIndex):
        return Failure(Unsupported("the files of an index: pull one of its manifests, by its digest"))
    titled: list[tuple[Descriptor, str]] = []
    untitled: list[Descriptor] = []
    for layer in manifest.model.layers:
        title = None if layer.annotations is None else layer.annotations.get(TITLE)
        if title is None:
            untitled.append(layer)
        else:
            titled.append((layer, title))
    if not titled and any(layer.media_type != OCI_EMPTY for layer in untitled):
        return Failure(InvalidImage("bad name", None, "no layer has a title, so there are no files in it"))
    return distinct_titles(title for _, title in titled).map(
        lambda paths: _Named(
            manifest,
            tuple((layer, path) for (layer, _), path in zip(titled, paths, strict=True)),
            tuple(untitled),
        )
    )


@operation
async def _fetched(
    client: Client, ref: Reference, found: _Named, folder: OpenFolder, options: PullArtifactOptions
) -> Result[tuple[PulledFile, ...], RegistryError]:
    paths = [path for _, path in found.layers]
    numbered = [(str(number), layer, path) for number, (layer, path) in enumerate(found.layers)]
    emit(options.on_event, ImageRead(folder.path, tuple((path, layer.size) for layer, path in found.layers)))

    def fetch(each: tuple[str, Descriptor, str]) -> Op[None]:
        name, layer, path = each
        emit(options.on_event, BlobStarted(path, layer.size))
        return consume_blob(
            client, ref.repository, layer, lambda chunks: _staged(folder, name, path, chunks, options.on_event)
        ).map(lambda _: emit(options.on_event, BlobDone(path, "fetched", layer.digest, layer.size, 0)))

    out = await settle(
        check_places(folder, paths)
        .bind(lambda _: traverse(numbered, fetch, limit=_limit(client, options)))
        .bind(lambda _: place_staged(folder, [(name, path) for name, _, path in numbered]))
    )
    if isinstance(out, Err):
        return Failure(out.error)
    return Success(tuple(PulledFile(path, Path(folder.path, path), layer) for layer, path in found.layers))


def _limit(client: Client, options: PullArtifactOptions) -> int:
    return client.settings.concurrency if options.concurrency is None else options.concurrency


async def _staged(
    folder: OpenFolder, name: str, path: str, chunks: Chunks, on_event: OnEvent
) -> Result[None, RegistryError]:
    async def watched() -> Chunks:
        read = 0
        async for chunk in chunks:
            yield chunk
            read += len(chunk.value_or(b""))
            emit(on_event, BlobMoved(path, read, 0))

    async with aclosing(watched()) as counted:
        return result_of(await settle(stage(folder, name, counted)))
