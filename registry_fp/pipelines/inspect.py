"""Inspect: what an image is, in a registry or on disk, without moving its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, assert_never, final

from returns.future import FutureResult

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.image_config import History, ImageConfig
from registry_fp.domain.manifest import ImageIndex, ImageManifest
from registry_fp.domain.media_type import DOCKER_LAYER, OCI_LAYER, MediaType
from registry_fp.domain.model import Annotations
from registry_fp.domain.platform import Platform, is_attestation
from registry_fp.effect.operation import Op
from registry_fp.pipelines.image_view import ImageNoun, ImageView, IndexView, with_view
from registry_fp.transport.port import Client

__all__ = ["Inspected", "InspectedImage", "InspectedIndex", "InspectedLayer", "inspect"]

_V = TypeVar("_V")

_CREATED: Final = "org.opencontainers.image.created"


@final
@dataclass(frozen=True, slots=True)
class InspectedLayer:
    """One layer: `size` is in bytes as it lies there; `digest` is None in an archive that does not name it.

    `unpacked` is its size as a plain tar, where that can be known without reading it: where it lies there plain.
    """

    digest: Digest | None
    size: int
    media_type: MediaType
    diff_id: Digest | None
    created_by: str | None
    unpacked: int | None = None


@final
@dataclass(frozen=True, slots=True)
class InspectedImage:
    """One image, or one artifact, whose `config` is None.

    `digest` and `media_type` are its manifest's, which a `docker save` archive does not have, and so are
    `artifact_type`, `annotations` and `subject` (what it refers to).
    """

    name: str
    digest: Digest | None
    media_type: MediaType | None
    config_digest: Digest
    config: ImageConfig | None
    layers: tuple[InspectedLayer, ...]
    artifact_type: MediaType | None = None
    annotations: Annotations | None = None
    subject: Descriptor | None = None

    @property
    def size(self) -> int:
        """The bytes of all layers together, as they lie there."""
        return sum(layer.size for layer in self.layers)

    @property
    def unpacked(self) -> int | None:
        """The bytes of all layers together as plain tars; None where one of them is not known."""
        known = [layer.unpacked for layer in self.layers if layer.unpacked is not None]
        return sum(known) if len(known) == len(self.layers) else None

    @property
    def platform(self) -> Platform | None:
        """What it runs on; None for an artifact."""
        return None if self.config is None else self.config.platform

    @property
    def created(self) -> str | None:
        """When it was made, as its configuration says (RFC 3339), or else as its annotations do."""
        stated = None if self.config is None else self.config.created
        return stated or (None if self.annotations is None else self.annotations.get(_CREATED))

    @property
    def env(self) -> tuple[str, ...]:
        """The environment of its containers, as `NAME=value`."""
        run = None if self.config is None else self.config.config
        return () if run is None else run.env or ()

    @property
    def labels(self) -> Annotations:
        """Its labels."""
        run = None if self.config is None else self.config.config
        return Annotations() if run is None or run.labels is None else run.labels

    @property
    def history(self) -> tuple[History, ...]:
        """How it was made, oldest first, with the steps that made no layer."""
        return () if self.config is None else self.config.history or ()


@final
@dataclass(frozen=True, slots=True)
class InspectedIndex:
    """Many images under one name, one for each platform."""

    name: str
    digest: Digest
    media_type: MediaType
    manifests: tuple[Descriptor, ...]
    artifact_type: MediaType | None = None
    annotations: Annotations | None = None
    subject: Descriptor | None = None

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms of its images; what is about an image (an attestation) has none."""
        images = (each for each in self.manifests if not is_attestation(each))
        return tuple(each.platform for each in images if each.platform is not None)


Inspected: TypeAlias = InspectedImage | InspectedIndex
"""What a name can stand for."""


def inspect(client: Client, noun: ImageNoun, *, platform: str | Platform | None = None) -> Op[Inspected]:
    """What an image is: platform, configuration, history and layers; or, for an index, what it lists.

    A `str` is a reference; what is on disk is named by `docker_save`, `oci_layout` or `archive`. With a `platform`
    ("local" for this machine's), it is the image of an index that runs on it. Fails like `get_manifest` and `get_blob`,
    with `NoSuchPlatform`, with `MalformedDocument` for a configuration that cannot be read, or like `push` for what is
    on disk.
    """
    return with_view(client, noun, platform, "inspect", lambda view: FutureResult.from_value(_inspected(view)))


def _inspected(view: ImageView | IndexView) -> Inspected:
    match view:
        case ImageView():
            return _image(view)
        case IndexView(name=name, raw=raw, index=index):
            return InspectedIndex(
                name, raw.digest, raw.media_type, index.manifests, index.artifact_type, index.annotations, index.subject
            )
        case _:
            assert_never(view)


def _image(view: ImageView) -> InspectedImage:
    made = _made_by(view.config)
    layers = tuple(
        InspectedLayer(
            layer.digest,
            layer.size,
            layer.media_type,
            layer.diff_id,
            _at(made, position),
            layer.size if layer.media_type in (DOCKER_LAYER, OCI_LAYER) else None,
        )
        for position, layer in enumerate(view.layers)
    )
    raw = view.raw
    if raw is None or isinstance(raw.model, ImageIndex):
        return InspectedImage(view.name, None, None, view.config_digest, view.config, layers)
    manifest = raw.model
    return InspectedImage(
        view.name,
        raw.digest,
        raw.media_type,
        view.config_digest,
        view.config,
        layers,
        artifact_type=_artifact_type(manifest, view.config),
        annotations=manifest.annotations,
        subject=manifest.subject,
    )


def _artifact_type(manifest: ImageManifest, config: ImageConfig | None) -> MediaType | None:
    """What an artifact says that it is: for those of before OCI 1.1, by its configuration's media type."""
    return manifest.artifact_type or (manifest.config.media_type if config is None else None)


def _made_by(config: ImageConfig | None) -> tuple[str | None, ...]:
    """For each layer, the history entry that made it: those that made none are passed over."""
    history = config.history if config is not None and config.history is not None else ()
    return tuple(entry.created_by for entry in history if not entry.empty_layer)


def _at(values: tuple[_V, ...], index: int) -> _V | None:
    return values[index] if index < len(values) else None
