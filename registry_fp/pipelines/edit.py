"""Edit: an image with another configuration, or with one more layer, and none of its layers moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.new_layer import NewLayer, read_new_layer
from registry_fp.domain.conversion import family_of
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.edit import (
    ImageEdit,
    LayerNote,
    append_to_config,
    check_edit,
    check_note,
    edit_config,
    edit_manifest,
)
from registry_fp.domain.errors import Reason, RegistryError, Unsupported
from registry_fp.domain.image_config import CONFIG_LIMIT
from registry_fp.domain.index_edit import rewrite_index
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.media_type import IMAGE_CONFIGS, Compression, layer_media_type
from registry_fp.domain.platform import is_attestation
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.graph import Graph
from registry_fp.pipelines.overlay import read_whole
from registry_fp.pipelines.rewritten import Names, RewriteOptions, Rewritten, Written, both_names, rewrite_image
from registry_fp.pipelines.store import Origin
from registry_fp.protocol.message import Body, held_body
from registry_fp.transport.port import Client

__all__ = ["append_layer", "edit_image"]


def edit_image(
    client: Client,
    source: str | Reference,
    target: str | Reference,
    edit: ImageEdit,
    *,
    options: RewriteOptions = RewriteOptions(),
) -> Op[Rewritten]:
    """Store an image under the tag `target`, with another configuration or other annotations.

    Only documents are made: layers are there, or come to the target as in `copy`. Of an index every image is edited
    (`options.platform` takes one), and attestations, which tell of the images as they were, are left out. An edit that
    changes nothing keeps the digest. Fails with `Misconfigured` for what cannot stand in a configuration, `Unsupported`
    for an artifact, `BadReference`, `NotFound`, or as `copy` does. Source: image-spec, config.
    """
    change = _PerImage(
        "edit_image", lambda raw: edit_config(raw, edit), lambda image, config: _annotated(image, config, edit)
    )
    return _sound("edit_image", source, target, check_edit(edit)).bind(
        lambda names: rewrite_image("edit_image", client, names, change.made, options)
    )


def append_layer(  # noqa: PLR0913  what is said of the layer, each with a default
    client: Client,
    source: str | Reference,
    target: str | Reference,
    tar: str | os.PathLike[str],
    *,
    note: LayerNote = LayerNote(),
    compression: Compression | None = None,
    level: int | None = None,
    options: RewriteOptions = RewriteOptions(),
) -> Op[Rewritten]:
    """Store an image under the tag `target`, with a tar as one more layer on top.

    The tar is compressed as a pushed layer is, unless it is compressed already; its diff_id and `note` go to the
    configuration. Nothing else moves, as in `edit_image`, and of an index every image gets the layer. Fails with
    `LocalIo`, `InvalidImage` "bad layer" for what is no tar, `Unsupported` (zstd in a Docker manifest, xz, a pipe),
    `Misconfigured`, `SourceChanged`, or as `edit_image` does. Source: image-spec, layer.
    """
    chosen = client.settings.compression if compression is None else compression
    asked = client.settings.level if level is None and compression is None else level

    def with_layer(names: Names, layer: NewLayer) -> Op[Rewritten]:
        change = _PerImage(
            "append_layer",
            lambda raw: append_to_config(raw, layer.diff_id, note),
            lambda image, config: _topped(image, config, layer),
            {layer.digest: layer.body},
        )
        return rewrite_image("append_layer", client, names, change.made, options)

    return _sound("append_layer", source, target, check_note(note)).bind(
        lambda names: read_new_layer(os.fspath(tar), chosen, asked).bind(lambda layer: with_layer(names, layer))
    )


def _sound(doing: str, source: str | Reference, target: str | Reference, checked: Result[None, Reason]) -> Op[Names]:
    """What is asked for, as far as it can be judged before anything is sent."""
    return both_names(doing, source, target).bind_result(
        lambda names: checked.map(lambda _: names).alt(lambda why: RegistryError(doing, str(names.target), why))
    )


def _annotated(image: RawManifest, config: Descriptor, edit: ImageEdit) -> Result[RawManifest, Reason]:
    return edit_manifest(image, config=config, annotations=edit.annotations)


def _topped(image: RawManifest, config: Descriptor, layer: NewLayer) -> Result[RawManifest, Reason]:
    family = family_of(image.media_type)
    if family == "docker" and layer.compression == "zstd":
        return Failure(Unsupported("a layer of zstd in a Docker manifest; convert it to OCI first"))
    media_type = layer_media_type(family, layer.compression)
    descriptor = Descriptor(media_type=media_type, digest=layer.digest, size=layer.size)
    return edit_manifest(image, config=config, layers=(descriptor,))


@final
@dataclass(frozen=True, slots=True)
class _PerImage:
    """A change of every image: of its configuration's bytes, and of the manifest that points at them."""

    doing: str
    config: Callable[[bytes], Result[bytes, Reason]]
    manifest: Callable[[RawManifest, Descriptor], Result[RawManifest, Reason]]
    bodies: Mapping[Digest, Body] = field(default_factory=dict)

    @operation
    async def made(self, origin: Origin, graph: Graph) -> Result[Written, RegistryError]:
        """What a graph becomes; what is in it beside images stays, as far as it is not about one of them."""
        became: dict[Digest, RawManifest] = {}
        bodies = dict(self.bodies)
        others = _attestations(graph)
        for manifest in graph.manifests:
            if isinstance(manifest.model, ImageIndex):
                entries = {old: new.descriptor for old, new in became.items()}
                made = rewrite_index(manifest, became=entries)
            elif manifest.model.config.media_type in IMAGE_CONFIGS and manifest.digest not in others:
                read = await settle(read_whole(origin, manifest.model.config, limit=CONFIG_LIMIT))
                if isinstance(read, Err):
                    return Failure(read.error)
                made = self._image(manifest, manifest.model.config, read.value, bodies)
            elif manifest is graph.root:
                made = Failure(Unsupported("editing the configuration of what is no image"))
            else:
                continue
            if not is_successful(made):
                return Failure(RegistryError(self.doing, f"{origin.name}@{manifest.digest}", made.failure()))
            became[manifest.digest] = made.unwrap()
        return Success(Written(became[graph.root.digest], {each.digest: each for each in became.values()}, bodies))

    def _image(
        self, image: RawManifest, pointer: Descriptor, raw: bytes, bodies: dict[Digest, Body]
    ) -> Result[RawManifest, Reason]:
        config = self.config(raw)
        if not is_successful(config):
            return Failure(config.failure())
        digest = digest_of(config.unwrap(), pointer.digest.algorithm)
        bodies[digest] = held_body(config.unwrap())
        return self.manifest(image, Descriptor(media_type=pointer.media_type, digest=digest, size=len(config.unwrap())))


def _attestations(graph: Graph) -> frozenset[Digest]:
    indexes = (manifest.model for manifest in graph.manifests if isinstance(manifest.model, ImageIndex))
    return frozenset(entry.digest for index in indexes for entry in index.manifests if is_attestation(entry))
