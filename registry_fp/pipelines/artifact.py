"""Artifacts pushed: files become blobs, and a manifest says what they are called and what they are about.

    measure every file -> place every blob -> store the manifest -> list it, where the registry does not

A file is read once for its digest, and once more on its way if the repository does not have it: nothing is held in
memory, and nothing is sent that is there already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.artifact import (
    EMPTY,
    EMPTY_DESCRIPTOR,
    UNKNOWN_ARTIFACT,
    UNKNOWN_CONFIG,
    parse_media_type,
    render_artifact,
)
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import BadReference, Misconfigured, NotConfirmed, Reason, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.media_type import MediaType
from registry_fp.domain.model import Annotations
from registry_fp.domain.reference import Reference, Repository
from registry_fp.domain.transient import lacks_content
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.shown import is_shown
from registry_fp.pipelines.artifact_file import AnyFile, FilesOrigin, measure_files, named_files
from registry_fp.pipelines.event import ImageRead, ManifestStored, OnEvent, emit, ignore
from registry_fp.pipelines.referrer import ListedBy, store_referrer
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.store import Placed
from registry_fp.protocol.message import Body, held_body
from registry_fp.transport.port import Client

__all__ = ["ArtifactOptions", "PushedArtifact", "push_artifact", "store_artifact"]


@final
@dataclass(frozen=True, slots=True)
class ArtifactOptions:
    """What can be said of an artifact; None leaves it to what is usual, or to the client's settings.

    Without a type it is of type `application/vnd.unknown.artifact.v1`, or of its config's. Without a `config` it has
    the empty one. `subject` is the manifest that it is about, in the same repository; as a descriptor it need not be
    there yet. No time is added to the annotations, so the same files always give the same digest.
    """

    artifact_type: MediaType | None = None
    annotations: Mapping[str, str] = Annotations()
    config: bytes | None = None
    config_type: MediaType | None = None
    subject: str | Reference | Descriptor | None = None
    concurrency: int | None = None
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class PushedArtifact:
    """An artifact that is stored, and was confirmed to be; `listed_by` tells who lists it under its subject."""

    reference: Reference
    manifest: Descriptor
    blobs: tuple[Placed, ...]
    subject: Descriptor | None = None
    listed_by: ListedBy | None = None

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.manifest.digest

    @property
    def sent(self) -> int:
        """How many bytes of blobs went over the wire."""
        return sum(blob.moved for blob in self.blobs)


_USUAL: Final = ArtifactOptions()


def push_artifact(
    client: Client, files: AnyFile | Sequence[AnyFile], to: str | Reference, *, options: ArtifactOptions = _USUAL
) -> Op[PushedArtifact]:
    """Push files of any size as one artifact, under a tag: the bytes of the manifest are those of `oras push`.

    Fails with `BadReference`, `InvalidImage` ("bad name": a title that is no path below a folder, or stands twice),
    `Misconfigured` and `LocalIo` before any request; with `SourceChanged` where a file is written to meanwhile,
    `NotFound` for a subject that is not there, `NotConfirmed`, `Conflict`, `Denied`, `Refused`, or as the transport
    does. Sources: image-spec, manifest, "Guidelines for Artifact Usage"; end-7a.
    """

    def tagged(name: Reference) -> Op[PushedArtifact]:
        if name.digest is not None:
            reason = BadReference(str(name), "a push names a tag; the digest is what comes out of it")
            return FutureResult.from_failure(RegistryError("push_artifact", str(name), reason))
        return store_artifact(client, files, name.repository, name.tag, options=options)

    return reference_noun("push_artifact", to).bind(tagged)


@operation
async def store_artifact(
    client: Client,
    files: AnyFile | Sequence[AnyFile],
    repository: Repository,
    tag: str | None,
    *,
    options: ArtifactOptions = _USUAL,
) -> Result[PushedArtifact, RegistryError]:
    """What `push_artifact` and `attach` are made of: with no tag, the manifest's digest is its only name."""
    checked = named_files(files).bind(lambda named: _fault(options).map(lambda _: named))
    if not is_successful(checked):
        return Failure(RegistryError("push_artifact", str(repository), checked.failure()))
    limit = options.concurrency or client.settings.concurrency
    measured = await settle(measure_files(checked.unwrap(), limit=limit))
    if isinstance(measured, Err):
        return Failure(replace(measured.error, doing="push_artifact"))
    subject = await settle(_subject(client, repository, options.subject))
    if isinstance(subject, Err):
        return Failure(subject.error)
    config, content = _config(options)
    kind = options.artifact_type or (UNKNOWN_ARTIFACT if options.config is None else None)
    # Without a type of its own an artifact need not have a layer, and `oras` gives it none.
    layers = measured.value.layers or ((EMPTY_DESCRIPTOR,) if kind is not None else ())
    rendered = render_artifact(kind, config, layers, subject=subject.value, annotations=options.annotations)
    if not is_successful(rendered):
        return Failure(RegistryError("push_artifact", str(repository), rendered.failure()))
    manifest = rendered.unwrap()
    origin = FilesOrigin({**measured.value.bodies, config.digest: content, EMPTY_DESCRIPTOR.digest: held_body(EMPTY)})

    target = Reference(repository, tag, manifest.digest if tag is None else None)
    blobs = {blob.digest: blob for blob in (config, *layers)}

    def sent() -> Op[PushedArtifact]:
        store = RepositoryStore(client, repository)
        emit(options.on_event, ImageRead(str(target), tuple((str(blob.digest), blob.size) for blob in blobs.values())))
        return traverse(blobs.values(), lambda blob: store.place(blob, origin, options.on_event), limit=limit).bind(
            lambda placed: _stored(client, target, manifest, placed, options)
        )

    def once_more(error: RegistryError) -> Op[PushedArtifact]:
        # A registry may lose a blob that it has just acknowledged; what it has is not sent again.
        return sent() if lacks_content(error) else FutureResult.from_failure(error)

    out = await settle(sent().lash(once_more))
    return Failure(out.error) if isinstance(out, Err) else Success(out.value)


@operation
async def _stored(
    client: Client, name: Reference, manifest: RawManifest, blobs: tuple[Placed, ...], options: ArtifactOptions
) -> Result[PushedArtifact, RegistryError]:
    pinned = Reference(name.repository, None, manifest.digest)
    listed = await settle(store_referrer(client, name, manifest))
    if isinstance(listed, Err):
        return Failure(listed.error)
    for each in {pinned, name}:
        shown = await settle(is_shown(client, each, manifest))
        if isinstance(shown, Err):
            return Failure(shown.error)
        if not shown.value:
            missing = NotConfirmed(f"the manifest {manifest.digest}")
            return Failure(RegistryError("put_manifest", str(each), missing))
    emit(options.on_event, ManifestStored(name, manifest.descriptor))
    return Success(PushedArtifact(name, manifest.descriptor, blobs, manifest.model.subject, listed.value))


@operation
async def _subject(
    client: Client, repository: Repository, subject: str | Reference | Descriptor | None
) -> Result[Descriptor | None, RegistryError]:
    """What the artifact is about, proven by its bytes unless the caller vouches for it."""
    if subject is None:
        return Success(None)
    if isinstance(subject, Descriptor):
        return Success(Descriptor(media_type=subject.media_type, digest=subject.digest, size=subject.size))

    def found(name: Reference) -> Op[Descriptor | None]:
        if name.repository != repository:
            reason = BadReference(str(name), f"a subject is in the same repository, {repository}")
            return FutureResult.from_failure(RegistryError("push_artifact", str(name), reason))
        return get_manifest(client.at_origin(), name).map(lambda raw: raw.descriptor)

    out = await settle(reference_noun("push_artifact", subject).bind(found))
    return Failure(out.error) if isinstance(out, Err) else Success(out.value)


def _config(options: ArtifactOptions) -> tuple[Descriptor, Body]:
    if options.config is None:
        return EMPTY_DESCRIPTOR, held_body(EMPTY)
    kind, content = options.config_type or UNKNOWN_CONFIG, options.config
    return Descriptor(media_type=kind, digest=digest_of(content), size=len(content)), held_body(content)


def _fault(options: ArtifactOptions) -> Result[None, Reason]:
    if options.concurrency is not None and options.concurrency < 1:
        return Failure(Misconfigured("concurrency", f"it is at least 1, not {options.concurrency}"))
    if options.config_type is not None and options.config is None:
        return Failure(Misconfigured("config_type", "it is the type of a config, and there is none"))
    for kind in (options.artifact_type, options.config_type):
        if kind is not None and not is_successful(parse_media_type(kind)):
            return Failure(parse_media_type(kind).failure())
    return Success(None)
