"""Outlines: as much of a manifest as a registry has to understand.

A registry stores bytes and must not care for what it does not know; but it has to know what a manifest points at.
Read here without `domain`'s models, because the registry judges the client that uses them.
Source: distribution-spec, "Pushing Manifests"; image-spec, manifest and image-index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from returns.result import Success

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.media_type import DOCKER_FOREIGN_LAYER_GZIP, INDEX_TYPES, MANIFEST_TYPES
from registry_fp.domain.strict_json import load_strict

__all__ = ["MANIFEST_LIMIT", "Outline", "Pointer", "read_outline"]

MANIFEST_LIMIT: Final = 4 * 1024 * 1024
"""The largest manifest that is taken, in bytes: what the specification asks a registry to take, and no more."""


@final
@dataclass(frozen=True, slots=True)
class Pointer:
    """A digest and a size that a manifest names."""

    digest: Digest
    size: int


@final
@dataclass(frozen=True, slots=True)
class Outline:
    """What must be present (`blobs`, `children`), and what the referrers API tells of a manifest (end-12)."""

    media_type: str
    size: int
    blobs: tuple[Pointer, ...]
    children: tuple[Pointer, ...]
    subject: Digest | None
    artifact_type: str
    annotations: Mapping[str, str]

    def descriptor(self, digest: Digest) -> dict[str, Any]:
        """The manifest's entry in a list of referrers; empty fields are left out (end-12)."""
        facts = {"mediaType": self.media_type, "digest": str(digest), "size": self.size}
        more = {"artifactType": self.artifact_type, "annotations": dict(self.annotations)}
        return facts | {name: value for name, value in more.items() if value}


def read_outline(raw: bytes, content_type: str) -> Outline | str:
    """The outline of a manifest that travelled under this Content-Type, or what is wrong with it.

    >>> read_outline(b'{"schemaVersion": 2, "layers": []}', "application/vnd.oci.image.manifest.v1+json")
    'config is missing'
    >>> read_outline(b'{"mediaType": "text/a"}', "text/b")
    'mediaType is text/a, and Content-Type is text/b'
    """
    declared = content_type.partition(";")[0].strip()
    loaded = load_strict(raw, limit=MANIFEST_LIMIT)
    if not isinstance(loaded, Success):
        return f"not strict JSON: {loaded.failure()}"
    document = loaded.unwrap()
    if not isinstance(document, dict):
        return "a manifest is an object"
    own = document.get("mediaType", declared)
    if not declared or own != declared:
        return f"mediaType is {own}, and Content-Type is {declared or 'missing'}"
    if "manifests" in document and "layers" in document:
        return "it has both manifests and layers"
    return _outlined(document, declared, len(raw))


def _outlined(document: dict[str, Any], media_type: str, size: int) -> Outline | str:
    required = ("config", "layers") if media_type in MANIFEST_TYPES else ("manifests",) * (media_type in INDEX_TYPES)
    for name in required:
        if name not in document:
            return f"{name} is missing"
    config, subject = ([document[name]] if name in document else [] for name in ("config", "subject"))
    lists = {name: document.get(name, []) for name in ("layers", "blobs", "manifests")}
    fields = {"config": config, "subject": subject, **lists}
    for name, found in fields.items():
        why = _fault(found)
        if why is not None:
            return f"{name}: {why}"
    annotations = document.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(isinstance(text, str) for text in annotations.values()):
        return "annotations: an object of strings"
    fallback = config[0]["mediaType"] if config else ""
    stored = [entry for name in ("config", "layers", "blobs") for entry in fields[name] if not _is_foreign(entry)]
    return Outline(
        media_type=media_type,
        size=size,
        blobs=_pointers(stored),
        children=_pointers(fields["manifests"]),
        subject=next((pointer.digest for pointer in _pointers(subject)), None),
        artifact_type=str(document.get("artifactType") or fallback),
        annotations=annotations,
    )


def _fault(entries: Any) -> str | None:
    if not isinstance(entries, list):
        return "an array of descriptors"
    for entry in entries:
        if not isinstance(entry, dict):
            return "a descriptor is an object"
        digest, size, media_type = (entry.get(name) for name in ("digest", "size", "mediaType"))
        if not isinstance(media_type, str) or not media_type:
            return "a descriptor has a mediaType"
        if not isinstance(digest, str) or not isinstance(parse_digest(digest), Success):
            return f"not a digest: {digest}"
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            return f"not a size: {size}"
    return None


def _is_foreign(entry: Mapping[str, Any]) -> bool:
    # Image-spec, layer: such layers need not be in the registry; clients have long told them by their urls alone.
    kind = entry["mediaType"]
    return bool(entry.get("urls")) or kind == DOCKER_FOREIGN_LAYER_GZIP or ".nondistributable." in kind


def _pointers(entries: list[dict[str, Any]]) -> tuple[Pointer, ...]:
    return tuple(Pointer(parse_digest(entry["digest"]).unwrap(), entry["size"]) for entry in entries)
