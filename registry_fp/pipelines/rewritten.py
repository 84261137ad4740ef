"""Rewritten images: read, changed as documents, and stored under a name, while their layers stay where they are.

    collect -> change (pure, or with a few small blobs) -> transfer

What cannot be changed so is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import BadReference, Misconfigured, Reason, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.event import OnEvent, ignore
from registry_fp.pipelines.graph import Graph, collect
from registry_fp.pipelines.image_choice import one_image
from registry_fp.pipelines.overlay import Overlay
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.store import Origin, Placed
from registry_fp.pipelines.transfer import transfer
from registry_fp.protocol.message import Body
from registry_fp.transport.limit import connections_to
from registry_fp.transport.port import Client

__all__ = [
    "Change",
    "Names",
    "RewriteOptions",
    "Rewritten",
    "Written",
    "both_names",
    "chosen_limit",
    "current",
    "meant_manifest",
    "rewrite_image",
    "store_written",
    "tagged_noun",
]


@final
@dataclass(frozen=True, slots=True)
class RewriteOptions:
    """What can be chosen for one conversion or edit; None leaves it to the client's settings.

    `platform` takes one image of an index (None: the index with all of them). `foreign` moves the bytes of layers that
    may not be distributed, too.
    """

    platform: str | Platform | None = None
    foreign: bool = False
    concurrency: int | None = None
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class Names:
    """What an image is read from, and the tag that it is stored under."""

    source: Reference
    target: Reference


@final
@dataclass(frozen=True, slots=True)
class Written:
    """What a change made: the new root, and every manifest and blob that is new, by digest."""

    root: RawManifest
    manifests: Mapping[Digest, RawManifest] = field(default_factory=dict, repr=False)
    bodies: Mapping[Digest, Body] = field(default_factory=dict, repr=False)


Change: TypeAlias = Callable[[Origin, Graph], Op[Written]]
"""What becomes of an image, or of an index with all its images."""


@final
@dataclass(frozen=True, slots=True)
class Rewritten:
    """An image that is stored as it was to become; `source` is pinned to what it was made of."""

    source: Reference | None
    target: Reference
    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Placed, ...]

    @property
    def digest(self) -> Digest:
        """The digest of what it became."""
        return self.manifest.digest

    @property
    def moved(self) -> int:
        """How many bytes of blobs went through this process."""
        return sum(blob.moved for blob in self.blobs)


@operation
async def rewrite_image(
    doing: str, client: Client, names: Names, change: Change, options: RewriteOptions
) -> Result[Rewritten, RegistryError]:
    """Read an image, change it, and store it under its new name.

    Fails with `Misconfigured`, `BadReference`, `NoSuchPlatform` and `NotFound`, as `change` and `transfer` do.
    """
    source, target = names.source, names.target
    limit = chosen_limit(client, options, source, target)
    if not is_successful(limit):
        return Failure(RegistryError(doing, str(target), limit.failure()))
    origin = RepositoryStore(client, source.repository)
    read = await settle(
        get_manifest(current(client, names), source).bind(
            lambda raw: meant_manifest(doing, source, raw, origin, options, strict=True)
        )
    )
    if isinstance(read, Err):
        return Failure(read.error)
    graph = await settle(collect(origin, read.value, limit=limit.unwrap(), foreign=options.foreign))
    if isinstance(graph, Err):
        return Failure(graph.error)
    written = await settle(change(origin, graph.value))
    if isinstance(written, Err):
        return Failure(written.error)
    stored = await settle(store_written(client, origin, written.value, target, options))
    if isinstance(stored, Err):
        return Failure(stored.error)
    return Success(replace(stored.value, source=source.at(read.value.digest)))


def store_written(
    client: Client, origin: Origin, written: Written, target: Reference, options: RewriteOptions
) -> Op[Rewritten]:
    """Bring what a change made, and everything of the origin beneath it, to its new name. Fails as `transfer` does."""
    limit = chosen_limit(client, options, target)
    if not is_successful(limit):
        return FutureResult.from_failure(RegistryError("transfer", str(target), limit.failure()))
    return transfer(
        written.root,
        Overlay(origin, written.manifests, written.bodies),
        RepositoryStore(client, target.repository),
        tag=target.tag,
        limit=limit.unwrap(),
        on_event=options.on_event,
        foreign=options.foreign,
    ).map(lambda done: Rewritten(None, target, done.manifest, done.manifests, done.blobs))


def current(client: Client, names: Names) -> Client:
    """The client that reads what is to be changed: a repository that is written to is not read from a mirror."""
    return client.at_origin() if names.source.repository == names.target.repository else client


def both_names(doing: str, source: str | Reference, target: str | Reference) -> Op[Names]:
    """The two names that are meant; fails with `BadReference`, also where the target is pinned to a digest."""
    return reference_noun(doing, source).bind(
        lambda name: tagged_noun(doing, target).map(lambda goal: Names(name, goal))
    )


def tagged_noun(doing: str, target: str | Reference) -> Op[Reference]:
    """A name whose digest is yet to come; fails with `BadReference`."""

    def tagged(name: Reference) -> Result[Reference, RegistryError]:
        if name.digest is None:
            return Success(name)
        reason = BadReference(str(name), "the target is a tag; its digest is what comes out of it")
        return Failure(RegistryError(doing, str(name), reason))

    return reference_noun(doing, target).bind_result(tagged)


def chosen_limit(client: Client, options: RewriteOptions, *names: Reference) -> Result[int, Reason]:
    """How many blobs move at once between these names; fails with `Misconfigured` where nothing could."""
    limit = client.settings.concurrency if options.concurrency is None else options.concurrency
    if limit < 1:
        return Failure(Misconfigured("concurrency", f"it is at least 1, not {limit}"))
    if min(connections_to(client.settings, name.repository.host) for name in names) < 2:
        return Failure(Misconfigured("connections", "what is copied is read and written at once, which takes two"))
    return Success(limit)


def meant_manifest(  # noqa: PLR0913  what is looked at, for what, and who asks
    doing: str, name: Reference, raw: RawManifest, origin: Origin, options: RewriteOptions, *, strict: bool
) -> Op[RawManifest]:
    """The manifest itself, or the one image that `options.platform` takes.

    An image that is in no index is taken as it is, unless `strict`. Fails with `BadReference`, as `one_image`, and
    as the origin does.
    """
    wanted: Result[Platform | None, RegistryError] = (
        Success(None) if options.platform is None else parse_platform(options.platform)
    )
    return FutureResult.from_result(wanted.alt(lambda error: replace(error, doing=doing))).bind(
        lambda platform: one_image(
            doing, origin, str(name), raw, platform, strict=strict and options.platform != "local"
        )
    )
