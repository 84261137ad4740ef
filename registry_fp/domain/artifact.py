"""Artifacts: files that are no image, in a manifest that says what they are, and what it is about.

Source: image-spec, manifest, "Guidelines for Artifact Usage".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from returns.result import Failure, Result, Success

from registry_fp.domain.compact_json import render_compact
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import Misconfigured, Reason
from registry_fp.domain.manifest import RawManifest, parse_manifest
from registry_fp.domain.media_type import OCI_EMPTY, OCI_MANIFEST, MediaType

__all__ = [
    "EMPTY",
    "EMPTY_DESCRIPTOR",
    "UNKNOWN_ARTIFACT",
    "UNKNOWN_CONFIG",
    "parse_media_type",
    "render_artifact",
]

EMPTY: Final = b"{}"
"""The content of a config, or of a layer, that has nothing to say."""

EMPTY_DESCRIPTOR: Final = Descriptor(media_type=OCI_EMPTY, digest=digest_of(EMPTY), size=len(EMPTY), data="e30=")
"""What points at `EMPTY` (image-spec, manifest, "Guidance for an Empty Descriptor"), with the content inside."""

UNKNOWN_ARTIFACT: Final = "application/vnd.unknown.artifact.v1"
"""The type of an artifact that nobody gave one."""

UNKNOWN_CONFIG: Final = "application/vnd.unknown.config.v1+json"
"""The type of an artifact's config that nobody gave one."""

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}", re.ASCII)


def parse_media_type(text: str) -> Result[MediaType, Misconfigured]:
    """A media type by the grammar of RFC 6838, 4.2, which artifacts must keep to (image-spec, manifest).

    >>> parse_media_type("application/spdx+json").unwrap()
    'application/spdx+json'
    >>> parse_media_type("sbom").failure().why
    'a media type is type/subtype, as in application/spdx+json'
    """
    if _MEDIA_TYPE.fullmatch(text) is not None:
        return Success(text)
    return Failure(Misconfigured("media type", "a media type is type/subtype, as in application/spdx+json"))


def render_artifact(
    artifact_type: MediaType | None,
    config: Descriptor,
    layers: tuple[Descriptor, ...],
    *,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Result[RawManifest, Reason]:
    """The manifest of an artifact; the same arguments always give the same bytes, and they are those of `oras push`.

    An artifact without files should have the layer `EMPTY_DESCRIPTOR` (image-spec, manifest). Fails with
    `LimitExceeded` where there is too much of it for a manifest.
    """
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    if artifact_type is not None:
        document["artifactType"] = artifact_type
    document["config"] = _plain(config)
    document["layers"] = [_plain(layer) for layer in layers]
    if subject is not None:
        document["subject"] = _plain(subject)
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return parse_manifest(render_compact(document), OCI_MANIFEST)


def _plain(descriptor: Descriptor) -> dict[str, Any]:
    plain: dict[str, Any] = descriptor.model_dump(mode="json", exclude_none=True)
    if descriptor.annotations is not None:
        plain["annotations"] = dict(sorted(descriptor.annotations.items()))
    return plain
