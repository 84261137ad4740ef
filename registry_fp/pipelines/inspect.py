"""Inspect: what an image is, in a registry or in an archive, without moving its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, read_image
from registry_fp.archive.opened import with_archive
from registry_fp.archive.source import DockerSave
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.image_config import CONFIG_LIMIT, ImageConfig, parse_image_config
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import DOCKER_CONFIG, OCI_CONFIG, MediaType, layer_media_type
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.blobs import get_blob
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.transport.port import Client

__all__ = ["Inspected", "InspectedImage", "InspectedIndex", "InspectedLayer", "inspect"]

_V = TypeVar("_V")


@final
@dataclass(frozen=True, slots=True)
class InspectedLayer:
    """One layer: `size` is in bytes as it lies there; `digest` is None in an archive that does not name it."""

    digest: Digest | None
    size: int
    media_type: MediaType
    diff_id: Digest | None
    created_by: str | None


@final
@dataclass(frozen=True, slots=True)
class InspectedImage:
    """One image. `digest` is its manifest's, which an archive does not have; `config` is None for an artifact."""

    name: str
    digest: Digest | None
    media_type: MediaType | None
    config_digest: Digest
    config: ImageConfig | None
    layers: tuple[InspectedLayer, ...]

    @property
    def size(self) -> int:
        """The bytes of all layers together, as they lie there."""
        return sum(layer.size for layer in self.layers)


@final
@dataclass(frozen=True, slots=True)
class InspectedIndex:
    """Many images under one name, one for each platform."""

    name: str
    digest: Digest
    media_type: MediaType
    manifests: tuple[Descriptor, ...]


Inspected: TypeAlias = InspectedImage | InspectedIndex
"""What a name can stand for."""


def inspect(client: Client, noun: str | Reference | DockerSave) -> Op[Inspected]:
    """What an image is: platform, configuration, history and layers; or, for an index, what it lists.

    A `str` is a reference; an archive is named by `docker_save`. Fails like `get_manifest` and `get_blob`, with
    `MalformedDocument` for a configuration that cannot be read, or like `push` for an archive.
    """
    if isinstance(noun, DockerSave):
        return with_archive(noun, lambda archive: read_image(archive).map(_saved))
    return reference_noun("inspect", noun).bind(
        lambda name: get_manifest(client, name).bind(lambda raw: _remote(client, name, raw))
    )


def _remote(client: Client, name: Reference, raw: RawManifest) -> Op[Inspected]:
    match raw.model:
        case ImageIndex(manifests=manifests):
            return FutureResult.from_value(InspectedIndex(str(name), raw.digest, raw.media_type, manifests))
        case ImageManifest() as manifest:
            return _image(client, name, raw, manifest)


@operation
async def _image(
    client: Client, name: Reference, raw: RawManifest, manifest: ImageManifest
) -> Result[Inspected, RegistryError]:
    config: ImageConfig | None = None
    if manifest.config.media_type in (DOCKER_CONFIG, OCI_CONFIG):
        blob = await settle(get_blob(client, name.repository, manifest.config.digest, limit=CONFIG_LIMIT))
        if isinstance(blob, Err):
            return Failure(blob.error)
        parsed = parse_image_config(blob.value)
        if not is_successful(parsed):
            return Failure(RegistryError("inspect", str(name), parsed.failure()))
        config = parsed.unwrap()
    made = _made_by(config)
    diff_ids = config.rootfs.diff_ids if config is not None else ()
    layers = tuple(
        InspectedLayer(layer.digest, layer.size, layer.media_type, _at(diff_ids, index), _at(made, index))
        for index, layer in enumerate(manifest.layers)
    )
    return Success(InspectedImage(str(name), raw.digest, raw.media_type, manifest.config.digest, config, layers))


def _saved(image: SavedImage) -> Inspected:
    made = _made_by(image.config)
    layers = tuple(
        InspectedLayer(
            layer.digest,
            layer.length,
            layer_media_type(image.family, layer.compression),
            layer.diff_id,
            _at(made, index),
        )
        for index, layer in enumerate(image.layers)
    )
    return InspectedImage(image.name, None, None, image.config_digest, image.config, layers)


def _made_by(config: ImageConfig | None) -> tuple[str | None, ...]:
    """For each layer, the history entry that made it: those that made none are passed over."""
    history = config.history if config is not None and config.history is not None else ()
    return tuple(entry.created_by for entry in history if not entry.empty_layer)


def _at(values: tuple[_V, ...], index: int) -> _V | None:
    return values[index] if index < len(values) else None
