"""Conversion: the same image under Docker's media types, or under the OCI's.

The blobs are the same bytes in both families, configuration included; only manifests and indexes are written again,
and so they have other digests: what an index lists is converted before the index. Everything that is not a media type
stays as it is. Sources: image-spec, media-types, "Compatibility Matrix"; Docker image manifest V2, schema 2.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Reason, Unsupported
from registry_fp.domain.manifest import MANIFEST_LIMIT, ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import (
    DOCKER_CONFIG,
    DOCKER_FOREIGN_LAYER,
    DOCKER_FOREIGN_LAYER_GZIP,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_FOREIGN_LAYER,
    OCI_FOREIGN_LAYER_GZIP,
    OCI_FOREIGN_LAYER_ZSTD,
    OCI_INDEX,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    Family,
    MediaType,
)
from registry_fp.domain.platform import ATTESTED
from registry_fp.domain.rewriting import render_like
from registry_fp.domain.strict_json import load_strict

__all__ = ["convert_manifest", "family_of"]

_NO_CHILDREN: Final[Mapping[Digest, RawManifest]] = {}

_TO_OCI: Final[dict[MediaType, MediaType]] = {
    DOCKER_MANIFEST: OCI_MANIFEST,
    DOCKER_INDEX: OCI_INDEX,
    DOCKER_CONFIG: OCI_CONFIG,
    DOCKER_LAYER: OCI_LAYER,
    DOCKER_LAYER_GZIP: OCI_LAYER_GZIP,
    DOCKER_LAYER_ZSTD: OCI_LAYER_ZSTD,
    DOCKER_FOREIGN_LAYER: OCI_FOREIGN_LAYER,
    DOCKER_FOREIGN_LAYER_GZIP: OCI_FOREIGN_LAYER_GZIP,
}
# Only some readers of Docker's manifests know a layer of zstd, and Docker is none of them.
_TO_DOCKER: Final = {oci: docker for docker, oci in _TO_OCI.items() if oci != OCI_LAYER_ZSTD}
_TYPES: Final[dict[Family, dict[MediaType, MediaType]]] = {"oci": _TO_OCI, "docker": _TO_DOCKER}


def family_of(media_type: MediaType) -> Family:
    """Whose media type a manifest or an index has.

    >>> family_of(DOCKER_INDEX)
    'docker'
    """
    return "docker" if media_type in _TO_OCI else "oci"


def convert_manifest(
    manifest: RawManifest, to: Family, children: Mapping[Digest, RawManifest] = _NO_CHILDREN
) -> Result[RawManifest, Reason]:
    """The manifest or index under the media types of `to`; one that has no others stays the bytes that it is.

    `children` are what the entries of an index became, by the digests that they had; an entry without one stays. Media
    types that belong to neither family, unknown fields and their order, annotations and urls are kept. Fails with
    `Unsupported` where Docker's manifests cannot say it: artifacts, a subject, layers of zstd, an entry of an index
    without a platform.
    """
    loaded = load_strict(manifest.raw, limit=MANIFEST_LIMIT)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document: dict[str, Any] = loaded.unwrap()
    written = _typed(document, manifest.media_type, _TYPES[to].get(manifest.media_type, manifest.media_type))
    if isinstance(manifest.model, ImageIndex):
        became = {str(old): new for old, new in children.items()}
        written["manifests"] = [_entry(listed, became) for listed in document["manifests"]]
    else:
        written["config"] = _mapped(document["config"], to)
        written["layers"] = [_mapped(layer, to) for layer in document["layers"]]
    if written == document:
        return Success(manifest)
    lost = _unsayable(written) if to == "docker" else None
    if lost is not None:
        return Failure(Unsupported(f"{lost} in Docker's media types"))
    return parse_manifest(render_like(written, manifest.raw), algorithm=manifest.digest.algorithm)


def _typed(document: Mapping[str, Any], was: MediaType, becomes: MediaType) -> dict[str, Any]:
    """The document under its new media type, which is told first where it was not told at all."""
    if was == becomes:
        return dict(document)
    if "mediaType" in document:
        return {**document, "mediaType": becomes}
    return {"schemaVersion": document["schemaVersion"], "mediaType": becomes, **document}


def _mapped(descriptor: Mapping[str, Any], to: Family) -> dict[str, Any]:
    media_type = descriptor["mediaType"]
    return {**descriptor, "mediaType": _TYPES[to].get(media_type, media_type)}


def _entry(listed: Mapping[str, Any], became: Mapping[str, RawManifest]) -> dict[str, Any]:
    entry = dict(listed)
    child = became.get(listed["digest"])
    if child is not None:
        entry |= {"mediaType": child.media_type, "digest": str(child.digest), "size": len(child.raw)}
        if listed.get("data") is not None:  # the manifest itself, embedded
            entry["data"] = b64encode(child.raw).decode("ascii")
    annotations = listed.get("annotations") or {}
    about = became.get(annotations.get(ATTESTED, ""))
    if about is not None:
        entry["annotations"] = {**annotations, ATTESTED: str(about.digest)}
    return entry


def _unsayable(document: Mapping[str, Any]) -> str | None:
    """What Docker's manifests have no words for."""
    if document.get("artifactType") is not None or document.get("subject") is not None:
        return "an artifact, or a manifest with a subject,"
    if "manifests" in document:
        missing = any(entry.get("platform") is None for entry in document["manifests"])
        return "an entry without a platform" if missing else None
    if document["config"]["mediaType"] != DOCKER_CONFIG:
        return "an artifact"
    zstd = any(layer["mediaType"] in (OCI_LAYER_ZSTD, OCI_FOREIGN_LAYER_ZSTD) for layer in document["layers"])
    return "a layer of zstd" if zstd else None
