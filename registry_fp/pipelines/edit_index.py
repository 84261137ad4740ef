"""Indexes of many images: made of images that there are, and changed image by image.

The images come to the index's repository first, each as it is; the index is stored last. Until then nobody sees any
of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import NoSuchPlatform, Reason, RegistryError, Unsupported
from registry_fp.domain.image_config import CONFIG_LIMIT, parse_image_config
from registry_fp.domain.index_edit import matches_platform, render_index, rewrite_index
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.media_type import IMAGE_CONFIGS
from registry_fp.domain.platform import Platform, is_attestation, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.domain.rewriting import Changes, checked_text
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.graph import collect
from registry_fp.pipelines.overlay import read_whole
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.rewritten import (
    Names,
    RewriteOptions,
    Rewritten,
    Written,
    both_names,
    chosen_limit,
    current,
    meant_manifest,
    store_written,
    tagged_noun,
)
from registry_fp.pipelines.store import Placed
from registry_fp.pipelines.transfer import transfer
from registry_fp.transport.port import Client

__all__ = ["IndexEdit", "create_index", "edit_index"]


@final
@dataclass(frozen=True, slots=True)
class IndexEdit:
    """What is to be different about an index; first `only` and `without`, then `add`.

    `only` keeps the images for these platforms (none named: all of them), `without` leaves some out. An image that is
    added takes the place of the one for the same platform; of an index that is added, every image is. `annotations` are
    the index's: a text sets one, None removes one.
    """

    add: Sequence[str | Reference] = ()
    only: Sequence[str | Platform] = ()
    without: Sequence[str | Platform] = ()
    annotations: Changes = field(default_factory=dict)


def create_index(
    client: Client,
    images: Sequence[str | Reference],
    target: str | Reference,
    *,
    annotations: Mapping[str, str] | None = None,
    options: RewriteOptions = RewriteOptions(),
) -> Op[Rewritten]:
    """Make an index of images that there are, in any repository, and store it under the tag `target`.

    Each image keeps its bytes and comes to the target's repository as `copy` brings it; its platform is read from its
    configuration. Of an index, every image is taken. Fails with `Misconfigured` where there is no image, or two are for
    one platform, `Unsupported` for what is no image, `BadReference`, `NotFound`, or as `copy` does. Source: image-spec,
    image-index; Docker manifest list.
    """

    def made(goal: Reference, found: Sequence[_Found]) -> Op[Rewritten]:
        index = render_index([each.entry for each in found], annotations or {})
        origin = RepositoryStore(client, goal.repository)
        return _Station("create_index", client, goal, options, annotations or {}).stored(origin, index, found)

    return tagged_noun("create_index", target).bind(
        lambda goal: (
            _Station("create_index", client, goal, options, annotations or {})
            .found(images)
            .bind(lambda found: made(goal, found))
        )
    )


def edit_index(
    client: Client,
    source: str | Reference,
    target: str | Reference,
    edit: IndexEdit,
    *,
    options: RewriteOptions = RewriteOptions(),
) -> Op[Rewritten]:
    """Store an index under the tag `target`, with images added or left out, and other annotations.

    Images come to the target's repository as `copy` brings them; an attestation goes where the image goes that it is
    about. `options.platform` is about what is added. Fails with `NoSuchPlatform` where a named platform is not there,
    `Misconfigured` where nothing would be left or two images are added for one platform, `Unsupported` for a source
    that is no index and for annotations on a Docker manifest list, `BadReference`, `NotFound`, or as `copy` does.
    Source: image-spec, image-index.
    """
    only, without = _platforms(edit.only), _platforms(edit.without)

    def made(names: Names, raw: RawManifest, found: Sequence[_Found]) -> Op[Rewritten]:
        added = [each.entry for each in found]
        index = _filtered(raw, only.unwrap(), without.unwrap()).bind(
            lambda became: rewrite_index(raw, became=became, added=added, annotations=edit.annotations)
        )
        origin = RepositoryStore(client, names.source.repository)
        pinned = names.source.at(raw.digest)
        station = _Station("edit_index", client, names.target, options, edit.annotations)
        return station.stored(origin, index, found).map(lambda stored: replace(stored, source=pinned))

    platforms = only.bind(lambda _: without).alt(lambda error: replace(error, doing="edit_index"))
    return (
        both_names("edit_index", source, target)
        .bind_result(lambda names: platforms.map(lambda _: names))
        .bind(
            lambda names: (
                _Station("edit_index", client, names.target, options, edit.annotations)
                .found(edit.add)
                .bind(
                    lambda found: get_manifest(current(client, names), names.source).bind(
                        lambda raw: made(names, raw, found)
                    )
                )
            )
        )
    )


@final
@dataclass(frozen=True, slots=True)
class _Found:
    """An image that is to be in an index: its entry, what it is made of, and where that is."""

    entry: Descriptor
    manifest: RawManifest
    beneath: tuple[RawManifest, ...]
    origin: RepositoryStore


@final
@dataclass(frozen=True, slots=True)
class _Station:
    """What both verbs do before and after they have their index."""

    doing: str
    client: Client
    target: Reference
    options: RewriteOptions
    annotations: Changes

    @operation
    async def found(self, images: Sequence[str | Reference]) -> Result[tuple[_Found, ...], RegistryError]:
        """Every image that is named; an index is its images."""
        limit = chosen_limit(self.client, self.options, self.target)
        if not is_successful(limit):
            return Failure(RegistryError(self.doing, str(self.target), limit.failure()))
        sound = checked_text("annotations", *self.annotations, *self.annotations.values())
        if not is_successful(sound):
            return Failure(RegistryError(self.doing, str(self.target), sound.failure()))
        at_once = limit.unwrap()
        named = traverse(images, lambda image: reference_noun(self.doing, image), limit=at_once)
        read = await settle(named.bind(lambda names: traverse(names, self._looked_at, limit=at_once)))
        return result_of(read).map(lambda groups: tuple(each for group in groups for each in group))

    @operation
    async def stored(
        self, origin: RepositoryStore, index: Result[RawManifest, Reason], found: Sequence[_Found]
    ) -> Result[Rewritten, RegistryError]:
        """Bring the images, and then the index that lists them."""
        if not is_successful(index):
            return Failure(RegistryError(self.doing, str(self.target), index.failure()))
        limit = chosen_limit(self.client, self.options, self.target).value_or(1)
        destination = RepositoryStore(self.client, self.target.repository)
        blobs: list[Placed] = []
        for each in found:
            bringing = transfer(
                each.manifest,
                each.origin,
                destination,
                limit=limit,
                on_event=self.options.on_event,
                foreign=self.options.foreign,
            )
            brought = await settle(bringing)
            if isinstance(brought, Err):
                return Failure(brought.error)
            blobs += brought.value.blobs
        ours = {manifest.digest: manifest for each in found for manifest in each.beneath}
        done = await settle(
            store_written(self.client, origin, Written(index.unwrap(), ours), self.target, self.options)
        )
        return result_of(done).map(lambda stored: replace(stored, blobs=(*blobs, *stored.blobs)))

    @operation
    async def _looked_at(self, name: Reference) -> Result[tuple[_Found, ...], RegistryError]:
        origin = RepositoryStore(self.client, name.repository)
        limit = chosen_limit(self.client, self.options, name)
        if not is_successful(limit):
            return Failure(RegistryError(self.doing, str(name), limit.failure()))
        read = await settle(
            get_manifest(self.client, name)
            .bind(lambda raw: meant_manifest(self.doing, name, raw, origin, self.options, strict=False))
            .bind(lambda root: collect(origin, root, limit=limit.unwrap(), foreign=self.options.foreign))
        )
        if isinstance(read, Err):
            return Failure(read.error)
        known = {manifest.digest: manifest for manifest in read.value.manifests}
        root = read.value.root
        if isinstance(root.model, ImageIndex):
            if root.blobs:  # a build cache lists blobs
                return Failure(RegistryError(self.doing, str(name), Unsupported("an index entry that is no image")))
            beneath = read.value.manifests[:-1]
            return Success(tuple(_Found(entry, known[entry.digest], beneath, origin) for entry in root.model.manifests))
        if root.model.config.media_type not in IMAGE_CONFIGS:
            return Failure(RegistryError(self.doing, str(name), Unsupported("an index entry that is no image")))
        raw = await settle(read_whole(origin, root.model.config, limit=CONFIG_LIMIT))
        if isinstance(raw, Err):
            return Failure(raw.error)
        config = parse_image_config(raw.value)
        if not is_successful(config):
            return Failure(RegistryError(self.doing, str(name), config.failure()))
        entry = root.descriptor.model_copy(update={"platform": config.unwrap().platform})
        return Success((_Found(entry, root, read.value.manifests, origin),))


def _platforms(texts: Sequence[str | Platform]) -> Result[tuple[Platform, ...], RegistryError]:
    parsed: list[Platform] = []
    for text in texts:
        platform = parse_platform(text)
        if not is_successful(platform):
            return Failure(platform.failure())
        parsed.append(platform.unwrap())
    return Success(tuple(parsed))


def _filtered(
    index: RawManifest, only: Sequence[Platform], without: Sequence[Platform]
) -> Result[dict[Digest, Descriptor | None], Reason]:
    """The entries that are left out; an attestation goes where its image goes."""
    if not isinstance(index.model, ImageIndex):
        return Failure(Unsupported("an image as an index; make one with create_index"))
    entries = [entry for entry in index.model.manifests if not is_attestation(entry)]
    for wanted in (*only, *without):
        if not any(matches_platform(entry, wanted) for entry in entries):
            there = (str(entry.platform) for entry in entries if entry.platform is not None)
            return Failure(NoSuchPlatform(str(wanted), tuple(dict.fromkeys(there))))

    def is_kept(entry: Descriptor) -> bool:
        named = not only or any(matches_platform(entry, wanted) for wanted in only)
        return named and not any(matches_platform(entry, wanted) for wanted in without)

    return Success({entry.digest: None for entry in entries if not is_kept(entry)})
