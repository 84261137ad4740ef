"""Documents of `inspect`: an image, or an index of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from registry_fp import Descriptor, Digest, InspectedImage, InspectedIndex
from registry_fp.cli.document import DescriptorDocument, descriptor_document

__all__ = [
    "HistoryDocument",
    "ImageDocument",
    "IndexDocument",
    "LayerDocument",
    "RunDocument",
    "image_document",
    "index_document",
]


@final
@dataclass(frozen=True, slots=True)
class LayerDocument:
    """One layer; `size` is as it lies there, and `digest` is null in an archive that does not name it.

    `unpacked` is its size as a plain tar, where it lies there plain.
    """

    digest: str | None
    size: int
    media_type: str
    diff_id: str | None
    created_by: str | None
    unpacked: int | None


@final
@dataclass(frozen=True, slots=True)
class RunDocument:
    """What a container of an image runs, and how."""

    user: str | None
    env: tuple[str, ...]
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    working_dir: str | None
    labels: Mapping[str, str]
    exposed_ports: tuple[str, ...]
    volumes: tuple[str, ...]
    stop_signal: str | None


@final
@dataclass(frozen=True, slots=True)
class HistoryDocument:
    """One step of how an image was made; one with `empty_layer` made no layer."""

    created: str | None
    created_by: str | None
    author: str | None
    comment: str | None
    empty_layer: bool


@final
@dataclass(frozen=True, slots=True)
class ImageDocument:
    """One image: `digest` and `media_type` are its manifest's, and null for an archive; `size` is the layers'.

    `unpacked` is their size as plain tars, null where that is not known of all of them. An artifact has an
    `artifact_type`, and neither `platform` nor `config`. `subject` is the digest of what it refers to.
    """

    kind: Literal["image"]
    name: str
    digest: str | None
    media_type: str | None
    config_digest: str
    platform: str | None
    created: str | None
    size: int
    layers: tuple[LayerDocument, ...]
    unpacked: int | None
    artifact_type: str | None
    subject: str | None
    annotations: Mapping[str, str]
    config: RunDocument | None
    history: tuple[HistoryDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class IndexDocument:
    """An index, and what it lists."""

    kind: Literal["index"]
    name: str
    digest: str
    media_type: str
    manifests: tuple[DescriptorDocument, ...]
    artifact_type: str | None
    subject: str | None
    annotations: Mapping[str, str]


def image_document(image: InspectedImage) -> ImageDocument:
    """An inspected image."""
    layers = tuple(
        LayerDocument(
            _text(layer.digest), layer.size, layer.media_type, _text(layer.diff_id), layer.created_by, layer.unpacked
        )
        for layer in image.layers
    )
    history = tuple(
        HistoryDocument(each.created, each.created_by, each.author, each.comment, bool(each.empty_layer))
        for each in image.history
    )
    return ImageDocument(
        kind="image",
        name=image.name,
        digest=_text(image.digest),
        media_type=image.media_type,
        config_digest=str(image.config_digest),
        platform=None if image.platform is None else str(image.platform),
        created=image.created,
        size=image.size,
        layers=layers,
        unpacked=image.unpacked,
        artifact_type=image.artifact_type,
        subject=_subject(image.subject),
        annotations=dict(image.annotations or {}),
        config=_run(image),
        history=history,
    )


def index_document(index: InspectedIndex) -> IndexDocument:
    """An inspected index."""
    name = index.name.partition("@")[0]
    manifests = tuple(descriptor_document(f"{name}@{each.digest}", each) for each in index.manifests)
    return IndexDocument(
        kind="index",
        name=index.name,
        digest=str(index.digest),
        media_type=index.media_type,
        manifests=manifests,
        artifact_type=index.artifact_type,
        subject=_subject(index.subject),
        annotations=dict(index.annotations or {}),
    )


def _run(image: InspectedImage) -> RunDocument | None:
    config = None if image.config is None else image.config.config
    if config is None:
        return None
    return RunDocument(
        user=config.user,
        env=image.env,
        entrypoint=config.entrypoint,
        cmd=config.cmd,
        working_dir=config.working_dir,
        labels=dict(image.labels),
        exposed_ports=_names((config.model_extra or {}).get("ExposedPorts")),
        volumes=_names((config.model_extra or {}).get("Volumes")),
        stop_signal=config.stop_signal,
    )


def _names(listed: Any) -> tuple[str, ...]:
    """What Go writes as an object of empty objects: a set."""
    return tuple(str(name) for name in listed) if isinstance(listed, dict) else ()


def _subject(subject: Descriptor | None) -> str | None:
    return None if subject is None else str(subject.digest)


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
