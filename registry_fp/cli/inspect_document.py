"""Documents of `inspect`: an image, or an index of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from registry_fp import Digest, InspectedImage, InspectedIndex
from registry_fp.cli.document import DescriptorDocument, descriptor_document

__all__ = ["ImageDocument", "IndexDocument", "LayerDocument", "image_document", "index_document"]


@final
@dataclass(frozen=True, slots=True)
class LayerDocument:
    """One layer; `size` is as it lies there, and `digest` is null in an archive that does not name it."""

    digest: str | None
    size: int
    media_type: str
    diff_id: str | None
    created_by: str | None


@final
@dataclass(frozen=True, slots=True)
class ImageDocument:
    """One image: `digest` and `media_type` are its manifest's, and null for an archive; `size` is the layers'."""

    kind: Literal["image"]
    name: str
    digest: str | None
    media_type: str | None
    config_digest: str
    platform: str | None
    created: str | None
    size: int
    layers: tuple[LayerDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class IndexDocument:
    """An index, and what it lists."""

    kind: Literal["index"]
    name: str
    digest: str
    media_type: str
    manifests: tuple[DescriptorDocument, ...]


def image_document(image: InspectedImage) -> ImageDocument:
    """An inspected image."""
    layers = tuple(
        LayerDocument(_text(layer.digest), layer.size, layer.media_type, _text(layer.diff_id), layer.created_by)
        for layer in image.layers
    )
    return ImageDocument(
        kind="image",
        name=image.name,
        digest=_text(image.digest),
        media_type=image.media_type,
        config_digest=str(image.config_digest),
        platform=None if image.config is None else str(image.config.platform),
        created=None if image.config is None else image.config.created,
        size=image.size,
        layers=layers,
    )


def index_document(index: InspectedIndex) -> IndexDocument:
    """An inspected index."""
    name = index.name.partition("@")[0]
    manifests = tuple(descriptor_document(f"{name}@{each.digest}", each) for each in index.manifests)
    return IndexDocument("index", index.name, str(index.digest), index.media_type, manifests)


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
