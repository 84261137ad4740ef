"""The referrers index: a list of what points at a manifest, which clients keep where the registry does not.

It belongs to everybody: what others have written into it, known or unknown, stays as it is.
Source: distribution-spec, "Pushing Manifests with Subject" and "Referrers Tag Schema".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from returns.result import Failure, Result

from registry_fp.domain.compact_json import render_compact
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import MalformedDocument, Reason
from registry_fp.domain.manifest import ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import OCI_INDEX
from registry_fp.domain.strict_json import load_strict

__all__ = ["Entries", "entries_of", "entry_for", "render_referrers"]

Entries: TypeAlias = dict[str, Mapping[str, Any]]
"""Entries of an index by the text of their digest, as plain JSON, each once and in order."""


def entries_of(index: RawManifest) -> Result[Entries, Reason]:
    """What an index lists; fails with `MalformedDocument` where it is no index."""
    if not isinstance(index.model, ImageIndex):
        return Failure(MalformedDocument("a list of referrers is an index, and this is another manifest"))
    return load_strict(index.raw, limit=len(index.raw)).map(lambda document: _by_digest(document["manifests"]))


def entry_for(manifest: RawManifest) -> Mapping[str, Any]:
    """How a manifest with a subject is listed: with its type (its config's, where it has none) and its annotations."""
    model = manifest.model
    kind = model.artifact_type or (None if isinstance(model, ImageIndex) else model.config.media_type)
    told = {name: value for name, value in (("artifact_type", kind), ("annotations", model.annotations)) if value}
    listed: Descriptor = manifest.descriptor.model_copy(update=told)
    plain: dict[str, Any] = listed.model_dump(mode="json", exclude_none=True)
    if "annotations" in plain:
        plain["annotations"] = dict(sorted(plain["annotations"].items()))
    return plain


def render_referrers(before: RawManifest | None, entries: Iterable[Mapping[str, Any]]) -> Result[RawManifest, Reason]:
    """An index of these entries, with everything else as it was before.

    Fails with `LimitExceeded` where there are too many for a manifest.
    """
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX}
    if before is not None:
        document = load_strict(before.raw, limit=len(before.raw)).value_or(document)
    kind = OCI_INDEX if before is None else before.media_type
    return parse_manifest(render_compact({**document, "manifests": list(entries)}), kind)


def _by_digest(entries: list[dict[str, Any]]) -> Entries:
    found: Entries = {}
    for entry in entries:
        found.setdefault(entry["digest"], entry)
    return found
