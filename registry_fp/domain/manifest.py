"""Manifests: the documents that make an image, or a list of images, out of blobs.

A digest is over bytes, so a manifest is its bytes; the model is a view of them. `RawManifest` keeps both together,
and nothing in this library ever writes a received manifest again from its model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import (
    AmbiguousManifest,
    MalformedDocument,
    MediaTypeMismatch,
    Reason,
    Unsupported,
)
from registry_fp.domain.media_type import (
    DOCKER_CONFIG,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_V1,
    DOCKER_MANIFEST_V1_SIGNED,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Family,
    MediaType,
)
from registry_fp.domain.model import Annotations, Document, parse_model
from registry_fp.domain.strict_json import load_strict

__all__ = ["MANIFEST_LIMIT", "ImageIndex", "ImageManifest", "RawManifest", "parse_manifest", "render_image_manifest"]

MANIFEST_LIMIT: Final = 8 * 1024 * 1024
"""The largest manifest that is read, in bytes (distribution-spec asks registries to take at least 4 megabytes)."""

_SCHEMA_1: Final = frozenset({DOCKER_MANIFEST_V1, DOCKER_MANIFEST_V1_SIGNED})
_MANIFESTS: Final = MANIFEST_TYPES | INDEX_TYPES | _SCHEMA_1
_GENERIC: Final = frozenset({"", "application/json", "application/octet-stream", "text/plain"})


class ImageManifest(Document):
    """One image, or one artifact: a config and layers. Source: image-spec, manifest; Docker schema 2."""

    schema_version: Literal[2]
    media_type: MediaType | None = None
    artifact_type: MediaType | None = None
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Annotations | None = None


class ImageIndex(Document):
    """Many manifests, one for each platform. Source: image-spec, image-index; Docker manifest list."""

    schema_version: Literal[2]
    media_type: MediaType | None = None
    artifact_type: MediaType | None = None
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Annotations | None = None


@final
@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest's exact bytes, what they are called, and the model that reads them."""

    media_type: MediaType
    digest: Digest
    raw: bytes
    model: ImageManifest | ImageIndex

    @property
    def descriptor(self) -> Descriptor:
        """The pointer to these bytes."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.raw))

    @property
    def listed(self) -> tuple[Descriptor, ...]:
        """The manifests that an index lists; an image lists none."""
        if not isinstance(self.model, ImageIndex):
            return ()
        return tuple(each for each in self.model.manifests if each.media_type in _MANIFESTS)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The blobs that it needs: config and layers; of an index, the entries that are no manifests (build caches)."""
        if not isinstance(self.model, ImageIndex):
            return (self.model.config, *self.model.layers)
        return tuple(each for each in self.model.manifests if each.media_type not in _MANIFESTS)


def parse_manifest(
    raw: bytes, content_type: str | None = None, *, algorithm: str = "sha256"
) -> Result[RawManifest, Reason]:
    """A manifest from the bytes that were received, and the media type they travelled under.

    Fails with `LimitExceeded` beyond `MANIFEST_LIMIT`, `MalformedDocument`, `AmbiguousManifest` for a document that
    could be read as two kinds, `MediaTypeMismatch` when the document and `content_type` disagree (distribution-spec,
    end-3), and `Unsupported` for schema 1 and for kinds that this library does not read.
    """
    declared = (content_type or "").partition(";")[0].strip().lower()
    if declared in _SCHEMA_1:
        return Failure(Unsupported("Docker schema 1 manifests"))
    loaded = load_strict(raw, limit=MANIFEST_LIMIT)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document = loaded.unwrap()
    if not isinstance(document, dict):
        return Failure(MalformedDocument("a manifest is a JSON object"))
    kind = _kind(document, declared)
    if not isinstance(kind, str):
        return Failure(kind)
    model: Result[ImageManifest, MalformedDocument] | Result[ImageIndex, MalformedDocument] = (
        parse_model(ImageIndex, raw) if kind in INDEX_TYPES else parse_model(ImageManifest, raw)
    )
    if not is_successful(model):
        return Failure(model.failure())
    return Success(RawManifest(kind, digest_of(raw, algorithm), raw, model.unwrap()))


def _kind(document: dict[str, Any], declared: str) -> str | Reason:
    """The media type that both the document and its transport stand for."""
    version = document.get("schemaVersion")
    if isinstance(version, bool | float):  # 2.0 is 2 to some readers, and an error to others
        return MalformedDocument("schemaVersion: Input should be a whole number")
    names = {name.casefold() for name in document}  # Go's decoder takes `Manifests` for `manifests`
    index, image, legacy = "manifests" in names, not names.isdisjoint({"layers", "config"}), "fslayers" in names
    if version == 1 or (legacy and not index and not image):
        return Unsupported("Docker schema 1 manifests")
    if index + image + legacy > 1:
        return AmbiguousManifest(f"it has both {'manifests' if index else 'fsLayers'} and layers")
    if not index and not image:
        return MalformedDocument("it has neither manifests nor layers")
    own = document.get("mediaType")
    if own is not None and not isinstance(own, str):
        return MalformedDocument("mediaType: Input should be a valid string")
    if own is not None and declared not in _GENERIC and own != declared:
        return MediaTypeMismatch(declared=own, found=declared)
    kind = own or ("" if declared in _GENERIC else declared) or (OCI_INDEX if index else OCI_MANIFEST)
    if kind not in MANIFEST_TYPES | INDEX_TYPES:
        return Unsupported(f"manifests of type {kind[:100]}")
    if (kind in INDEX_TYPES) != index:
        return AmbiguousManifest(f"it says {kind} and has {'manifests' if index else 'layers'}")
    return kind


def render_image_manifest(family: Family, config: Descriptor, layers: tuple[Descriptor, ...]) -> RawManifest:
    """A new image manifest: the same descriptors always give the same bytes.

    >>> blob = Descriptor(media_type="application/octet-stream", digest=digest_of(b"x"), size=1)
    >>> render_image_manifest("oci", blob, (blob,)).media_type
    'application/vnd.oci.image.manifest.v1+json'
    """
    media_type = DOCKER_MANIFEST if family == "docker" else OCI_MANIFEST
    config_type = DOCKER_CONFIG if family == "docker" else OCI_CONFIG
    model = ImageManifest(
        schema_version=2,
        media_type=media_type,
        config=config.model_copy(update={"media_type": config_type}),
        layers=layers,
    )
    document = model.model_dump(mode="json", exclude_none=True)
    raw = json.dumps(document, indent=2, ensure_ascii=False).encode()
    return RawManifest(media_type, digest_of(raw), raw, model)
