"""What a name leads to, wherever it lies: an index, or an image whose configuration is read and whose layers can be.

A registry, an OCI layout and a `docker save` archive are looked at in the same way from here on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, SavedLayer, read_image
from registry_fp.archive.layer_pass import LayerPass
from registry_fp.archive.layout import OpenLayout, chosen_entry, with_source
from registry_fp.archive.layout_index import entry_name
from registry_fp.archive.opened import OpenArchive
from registry_fp.archive.source import AnyArchive, DockerSave, ImageSource, OciLayout
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.image_config import CONFIG_LIMIT, ImageConfig, parse_image_config
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import DOCKER_CONFIG, OCI_CONFIG, MediaType, layer_media_type
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.elsewhere import from_elsewhere
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.image_choice import check_platform, one_image
from registry_fp.pipelines.layout_store import LayoutOrigin
from registry_fp.pipelines.overlay import read_whole
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.store import Origin
from registry_fp.protocol.message import Body, Chunks
from registry_fp.transport.port import Client

__all__ = ["ImageNoun", "ImageView", "IndexView", "LayerView", "with_view"]

T = TypeVar("T")

ImageNoun: TypeAlias = str | Reference | ImageSource
"""What names an image: a reference, as text or parsed; or where it is on disk."""


@final
@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer: `size` in bytes as it lies there; `digest` is None in an archive that does not name it."""

    digest: Digest | None
    size: int
    media_type: MediaType
    diff_id: Digest | None
    body: Body = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class ImageView:
    """One image; `raw` is its manifest, which a `docker save` archive has not; `config` is None for an artifact."""

    name: str
    raw: RawManifest | None
    config_digest: Digest
    config: ImageConfig | None
    layers: tuple[LayerView, ...]


@final
@dataclass(frozen=True, slots=True)
class IndexView:
    """An index, and its entries."""

    name: str
    raw: RawManifest
    index: ImageIndex


@final
@dataclass(frozen=True, slots=True)
class _Look:
    """How something is looked at: for which platform, and for which verb.

    A platform that was named must be an image's own also where it is in no index; this machine's need not (`strict`).
    """

    wanted: Platform | None
    doing: str
    strict: bool


def with_view(
    client: Client,
    noun: ImageNoun,
    platform: str | Platform | None,
    doing: str,
    use: Callable[[ImageView | IndexView], Op[T]],
) -> Op[T]:
    """What `use` makes of what a name leads to; with a `platform`, of the image of an index that runs on it.

    Fails as `get_manifest` or as `push` does for what is on disk, with `BadReference`, `NoSuchPlatform`, with
    `MalformedDocument` for a configuration that cannot be read, and as `use`.
    """
    return _parsed(platform, doing).bind(
        lambda wanted: _viewed(client, noun, _Look(wanted, doing, strict=platform != "local"), use)
    )


def _viewed(client: Client, noun: ImageNoun, look: _Look, use: Callable[[ImageView | IndexView], Op[T]]) -> Op[T]:
    if isinstance(noun, DockerSave | OciLayout | AnyArchive):
        return with_source(
            noun,
            saved=lambda archive: (
                read_image(archive)
                .bind_result(partial(_fitting, look))
                .bind(lambda image: use(_saved(archive, image, look)))
            ),
            layout=lambda layout: _in_layout(layout, look).bind(use),
        )
    return reference_noun(look.doing, noun).bind(
        lambda name: from_elsewhere(
            client,
            lambda asked: (
                get_manifest(asked, name)
                .bind(partial(_view, RepositoryStore(asked, name.repository), str(name), look))
                .bind(use)
            ),
        )
    )


def _in_layout(layout: OpenLayout, look: _Look) -> Op[ImageView | IndexView]:
    origin = LayoutOrigin(layout.files)
    return FutureResult.from_result(chosen_entry(layout)).bind(
        lambda entry: origin.manifest(entry).bind(partial(_view, origin, entry_name(entry), look))
    )


def _view(origin: Origin, name: str, look: _Look, raw: RawManifest) -> Op[ImageView | IndexView]:
    if look.wanted is None:
        return _look_at(origin, name, look, raw)
    chosen = one_image(look.doing, origin, name, raw, look.wanted, strict=look.strict)
    return chosen.bind(lambda image: _look_at(origin, _name_of(image, raw, name), look, image))


def _name_of(image: RawManifest, root: RawManifest, name: str) -> str:
    return name if image is root else f"{name.partition('@')[0]}@{image.digest}"


def _look_at(origin: Origin, name: str, look: _Look, raw: RawManifest) -> Op[ImageView | IndexView]:
    match raw.model:
        case ImageManifest() as manifest:
            return _image(origin, name, look, raw, manifest)
        case ImageIndex() as index:
            return FutureResult.from_value(IndexView(name, raw, index))


@operation
async def _image(
    origin: Origin, name: str, look: _Look, raw: RawManifest, manifest: ImageManifest
) -> Result[ImageView | IndexView, RegistryError]:
    config: ImageConfig | None = None
    if manifest.config.media_type in (DOCKER_CONFIG, OCI_CONFIG):
        blob = await settle(read_whole(origin, manifest.config, limit=CONFIG_LIMIT))
        if isinstance(blob, Err):
            return Failure(blob.error)
        parsed = parse_image_config(blob.value)
        if not is_successful(parsed):
            return Failure(RegistryError(look.doing, name, parsed.failure()))
        config = parsed.unwrap()
    diff_ids = () if config is None else config.rootfs.diff_ids
    known = diff_ids if len(diff_ids) == len(manifest.layers) else (None,) * len(manifest.layers)
    layers = tuple(
        LayerView(layer.digest, layer.size, layer.media_type, diff_id, origin.body(layer))
        for layer, diff_id in zip(manifest.layers, known, strict=True)
    )
    return Success(ImageView(name, raw, manifest.config.digest, config, layers))


def _fitting(look: _Look, image: SavedImage) -> Result[SavedImage, RegistryError]:
    """An image of an archive, if it is for the platform that was named."""
    if look.wanted is None or not look.strict:
        return Success(image)
    alone = Descriptor(media_type=OCI_CONFIG, digest=image.config_digest, size=0, platform=image.config.platform)
    fits = check_platform(alone, look.wanted).map(lambda _: image)
    return fits.alt(lambda reason: RegistryError(look.doing, image.name, reason))


def _saved(archive: OpenArchive, image: SavedImage, look: _Look) -> ImageView | IndexView:
    layers = tuple(
        LayerView(
            layer.digest,
            layer.length,
            layer_media_type(image.family, layer.compression),
            layer.diff_id,
            Body(partial(_layer_chunks, archive, layer, look.doing), layer.length),
        )
        for layer in image.layers
    )
    return ImageView(image.name, None, image.config_digest, image.config, layers)


def _layer_chunks(archive: OpenArchive, layer: SavedLayer, doing: str) -> Chunks:
    # As it lies: a plain layer is given out plain.
    return LayerPass(archive, layer, doing=doing, compression="none").chunks()


def _parsed(platform: str | Platform | None, doing: str) -> Op[Platform | None]:
    if platform is None:
        return FutureResult.from_value(None)
    parsed = parse_platform(platform).alt(lambda error: replace(error, doing=doing))
    return FutureResult.from_result(parsed.map(lambda found: found))
