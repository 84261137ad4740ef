"""Push: an image on disk becomes an image in a registry.

    validate -> extract -> upload_all -> put_manifest

Each station takes only what the one before it gives, so a skipped station does not type-check. What can be seen in
the archive is refused before any request; what only a pass over a layer can show (its diff_id) is proven for every
layer before the first blob is committed; and the manifest, without which nothing points anywhere, comes last. An OCI
layout is ready to be pushed, and goes another way: see `push_layout`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, SavedLayer, read_image
from registry_fp.archive.layout import OpenLayout, with_source
from registry_fp.archive.opened import OpenArchive
from registry_fp.archive.source import ImageSource
from registry_fp.codec.compressor import new_compressor
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import (
    BadReference,
    DigestMismatch,
    Misconfigured,
    NotConfirmed,
    Reason,
    RegistryError,
)
from registry_fp.domain.manifest import render_image_manifest
from registry_fp.domain.media_type import Compression, Family
from registry_fp.domain.platform import Platform
from registry_fp.domain.reference import Reference
from registry_fp.domain.transient import lacks_content
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import put_manifest as store_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.shown import is_shown
from registry_fp.pipelines.event import ImageRead, ManifestStored, OnEvent, Outcome, emit, ignore
from registry_fp.pipelines.layout_presence import Missing
from registry_fp.pipelines.noticed import noticed
from registry_fp.pipelines.plan import plan_blobs
from registry_fp.pipelines.push_layout import push_layout
from registry_fp.pipelines.staged import PlacedBlob
from registry_fp.pipelines.staging import place_all
from registry_fp.transport.notices import NO_NOTICES, Notices
from registry_fp.transport.port import Client

__all__ = [
    "Extracted",
    "PushOptions",
    "Pushed",
    "PushedBlob",
    "Uploaded",
    "Validated",
    "extract",
    "push",
    "push_as_it_is",
    "put_manifest",
    "upload_all",
    "validate",
]


@final
@dataclass(frozen=True, slots=True)
class PushOptions:
    """What can be chosen for one push; None leaves it to the client's settings.

    `compression` and `level` are for layers that lie uncompressed in a `docker save` archive. A layout is pushed as it
    is: `platform` takes one image of an index (None: all), and `missing` says what becomes of an index of which only a
    part is there.
    """

    compression: Compression | None = None
    level: int | None = None
    concurrency: int | None = None
    missing: Missing = "strict"
    platform: str | Platform | None = None
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class Validated:
    """An archive whose image is sound, as far as that can be seen without reading its layers."""

    archive: OpenArchive
    image: SavedImage


@final
@dataclass(frozen=True, slots=True)
class Extracted:
    """Every blob by its byte range, with its digest where the archive tells it; nothing is copied.

    `layers` are the different ones: a layer that stands twice in the image is one blob.
    """

    archive: OpenArchive
    image: SavedImage
    layers: tuple[SavedLayer, ...]


@final
@dataclass(frozen=True, slots=True)
class Uploaded:
    """Every blob is acknowledged by the registry, and every layer is proven to be its diff_id's."""

    target: Reference
    family: Family
    config: Descriptor
    layers: tuple[Descriptor, ...]
    blobs: tuple[PlacedBlob, ...]


@final
@dataclass(frozen=True, slots=True)
class PushedBlob:
    """One blob of a pushed image: what it is, what became of it, and how many bytes were sent for it."""

    name: str
    descriptor: Descriptor
    outcome: Outcome
    sent: int


@final
@dataclass(frozen=True, slots=True)
class Pushed:
    """An image that is stored, and was confirmed to be.

    `dropped` are the entries of a layout's index that were left out, because their content is not there. `notices` are
    what the registry said beside its answers: its quota, and warnings that were not known before.
    """

    reference: Reference
    manifest: Descriptor
    blobs: tuple[PushedBlob, ...]
    dropped: tuple[Descriptor, ...] = ()
    notices: Notices = NO_NOTICES

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.manifest.digest

    @property
    def sent(self) -> int:
        """How many bytes of blobs went over the wire."""
        return sum(blob.sent for blob in self.blobs)

    @property
    def summary(self) -> str:
        """What became of the blobs, in one line."""
        counts = {outcome: sum(blob.outcome == outcome for blob in self.blobs) for outcome in _OUTCOMES}
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        return f"{len(self.blobs)} blobs: {told}; {self.sent} bytes sent"


_OUTCOMES: Final[tuple[Outcome, ...]] = ("uploaded", "mounted", "exists", "referenced")


def push(
    client: Client, source: ImageSource, to: str | Reference, *, options: PushOptions = PushOptions()
) -> Op[Pushed]:
    """Push one image of a `docker save` archive or of an OCI layout to a registry, under a tag.

    Blobs that the repository has are not sent, small ones go in one PUT, large ones are compressed, hashed and sent in
    one pass; memory does not depend on their size. What a layout lists is pushed as it is, with all its platforms.
    Fails with `BadReference`, `Misconfigured` and `LocalIo` first; with `TarUnreadable`, `InvalidImage`,
    `MissingContent` or `NoSuchPlatform` before any request, or before anything is committed; with `SourceChanged`,
    `NotConfirmed`, `Unauthenticated`, `Denied`, `Refused`, or as the transport does. Sources: distribution-spec,
    "Push"; Docker image specification v1.2; image-spec, image-layout.
    """

    def railway(archive: OpenArchive, target: Reference) -> Op[Pushed]:
        return (
            validate(archive)
            .bind(extract)
            .bind(lambda image: upload_all(client, image, target, options=options))
            .bind(lambda sent: put_manifest(client, sent, options=options))
        )

    def healed(archive: OpenArchive, target: Reference) -> Op[Pushed]:
        # A registry may lose a blob that it has just acknowledged: once more, and what it has is not sent.
        return railway(archive, target).lash(
            lambda error: railway(archive, target) if lacks_content(error) else FutureResult.from_failure(error)
        )

    def saved(archive: OpenArchive, target: Reference) -> Op[Pushed]:
        if options.platform is None:
            return healed(archive, target)
        one = Misconfigured("platform", "a docker save archive is for one platform; an OCI layout can be for several")
        return FutureResult.from_failure(RegistryError("push", str(target), one))

    def pushed(target: Reference) -> Op[Pushed]:
        done = with_source(
            source,
            saved=lambda archive: saved(archive, target),
            layout=lambda layout: push_as_it_is(client, layout, target, options=options),
        )
        return noticed(client, (target.repository.host,), done, lambda each, said: replace(each, notices=said))

    return _target(to).bind(pushed)


def validate(archive: OpenArchive) -> Op[Validated]:
    """First station: the archive's image is chosen, and sound in every way that can be seen without its layers' bytes.

    Fails with `TarUnreadable`, `InvalidImage`, `MalformedDocument`, `LimitExceeded`, `SourceChanged` or `LocalIo`.
    """
    return read_image(archive).map(lambda image: Validated(archive, image))


def extract(sound: Validated) -> Op[Extracted]:
    """Second station: every blob by its byte range, each different one once. Nothing is read or copied."""
    # By what is claimed and where it lies: two members that claim one diff_id are both read.
    different = {(layer.diff_id, layer.offset): layer for layer in sound.image.layers}
    return FutureResult.from_value(Extracted(sound.archive, sound.image, tuple(different.values())))


@operation
async def upload_all(
    client: Client, image: Extracted, to: str | Reference, *, options: PushOptions = PushOptions()
) -> Result[Uploaded, RegistryError]:
    """Third station: every blob is in the repository of `to`, and every layer was proven before any was committed.

    Fails with `Misconfigured`, `InvalidImage`, `SourceChanged`, or as the registry and the transport do; open uploads
    are then given up.
    """
    found = await settle(_target(to))
    if isinstance(found, Err):
        return Failure(found.error)
    target = found.value
    chosen = _chosen(client, options)
    if not is_successful(chosen):
        return Failure(RegistryError("push", str(target), chosen.failure()))
    compression, level, limit = chosen.unwrap()
    family, plans = plan_blobs(image.image, image.layers, compression, small=client.settings.small_blob)
    emit(options.on_event, ImageRead(str(target), tuple((plan.name, plan.length) for plan in plans)))
    placing = place_all(
        client, image.archive, plans, target.repository, level=level, limit=limit, on_event=options.on_event
    )
    placed = await settle(placing)
    if isinstance(placed, Err):
        return Failure(placed.error)
    config, *rest = placed.value
    became = {layer.diff_id: blob.descriptor for layer, blob in zip(image.layers, rest, strict=True)}
    layers = tuple(became[layer.diff_id] for layer in image.image.layers)
    return Success(Uploaded(target, family, config.descriptor, layers, placed.value))


@operation
async def put_manifest(
    client: Client, sent: Uploaded, *, options: PushOptions = PushOptions()
) -> Result[Pushed, RegistryError]:
    """Last station: the manifest is stored, and the registry shows it under its digest and under its tag.

    Fails with `NotConfirmed` where it does not, `Refused`, `Denied`, or as the transport does. Source: end-7a, end-3.
    """
    manifest = render_image_manifest(sent.family, sent.config, sent.layers)
    stored = await settle(store_manifest(client, sent.target, manifest))
    # A registry that tells a wrong digest may have stored the right manifest: what it shows decides.
    if isinstance(stored, Err) and not isinstance(stored.error.reason, DigestMismatch):
        return Failure(stored.error)
    for name in (replace(sent.target, tag=None, digest=manifest.digest), sent.target):
        shown = await settle(is_shown(client, name, manifest))
        if isinstance(shown, Err):
            return Failure(shown.error)
        if not shown.value:
            return Failure(RegistryError("put_manifest", str(name), NotConfirmed(f"the manifest {manifest.digest}")))
    emit(options.on_event, ManifestStored(sent.target, manifest.descriptor))
    blobs = tuple(PushedBlob(each.plan.name, each.descriptor, each.outcome, each.sent) for each in sent.blobs)
    return Success(Pushed(sent.target, manifest.descriptor, blobs))


def push_as_it_is(
    client: Client, layout: OpenLayout, target: Reference, *, options: PushOptions = PushOptions()
) -> Op[Pushed]:
    """Push the image of a layout that its source chooses: its blobs have their digests, so none is written anew.

    Fails with `Misconfigured`, and as `push_layout`.
    """
    chosen = _chosen(client, options)
    if options.compression is not None:
        chosen = Failure(Misconfigured("compression", "the blobs of an OCI layout are pushed as they are"))
    if not is_successful(chosen):
        return FutureResult.from_failure(RegistryError("push", str(target), chosen.failure()))
    return push_layout(
        client,
        layout,
        target,
        limit=chosen.unwrap()[2],
        missing=options.missing,
        platform=options.platform,
        on_event=options.on_event,
    ).map(
        lambda done: Pushed(
            target,
            done.transferred.manifest,
            tuple(
                PushedBlob(str(blob.descriptor.digest), blob.descriptor, blob.outcome, blob.moved)
                for blob in done.transferred.blobs
            ),
            done.dropped,
        )
    )


def _target(to: str | Reference) -> Op[Reference]:
    return reference_noun("push", to).bind_result(_tagged)


def _tagged(name: Reference) -> Result[Reference, RegistryError]:
    if name.digest is None:
        return Success(name)
    reason = BadReference(str(name), "a push names a tag; the digest is what comes out of it")
    return Failure(RegistryError("push", str(name), reason))


def _chosen(client: Client, options: PushOptions) -> Result[tuple[Compression, int | None, int], Reason]:
    """The codec, its level and the concurrency; a level belongs to the codec that it was chosen for."""
    settings = client.settings
    compression = settings.compression if options.compression is None else options.compression
    level = settings.level if options.level is None and options.compression is None else options.level
    limit = settings.concurrency if options.concurrency is None else options.concurrency
    if limit < 1:
        return Failure(Misconfigured("concurrency", f"it is at least 1, not {limit}"))
    return new_compressor(compression, level).map(lambda _: (compression, level, limit))
