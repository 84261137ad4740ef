"""Indexes: made of descriptors, and changed entry by entry.

What an entry says beyond its digest stays as it is. An attestation is about one image of the index, which it names by
its digest: where that image goes, or becomes another one, the attestation would tell of something that is not there,
and goes along.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from returns.result import Failure, Result, Success

from registry_fp.domain.conversion import family_of
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Misconfigured, Reason, Unsupported
from registry_fp.domain.manifest import MANIFEST_LIMIT, ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import DOCKER_INDEX, OCI_INDEX
from registry_fp.domain.platform import ATTESTED, Platform, is_attestation, parse_platform
from registry_fp.domain.rewriting import Changes, changed, checked_text, described, pointed, rewrite, with_field

__all__ = ["matches_platform", "render_index", "rewrite_index"]

_NOTHING: Final[Mapping[Any, Any]] = {}
_EMPTY: Final = Misconfigured("index", "nothing would be left in it")


def render_index(entries: Sequence[Descriptor], annotations: Changes = _NOTHING) -> Result[RawManifest, Reason]:
    """A new index: Docker's manifest list where all entries are Docker's and nothing is annotated, else the OCI's.

    The same entries always give the same bytes, and each stands once. Fails with `Misconfigured` where there is no
    entry, or where two are for one platform, and with `LimitExceeded`.
    """
    different = tuple({entry.digest: entry for entry in entries}.values())
    docker = not annotations and all(family_of(entry.media_type) == "docker" for entry in different)
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": DOCKER_INDEX if docker else OCI_INDEX}
    document["manifests"] = [described(entry) for entry in different]
    document = with_field(document, "annotations", changed({}, annotations))
    if not different:
        return Failure(_EMPTY)
    return _sound(different, annotations).bind(
        lambda _: parse_manifest(json.dumps(document, indent=2, ensure_ascii=False).encode())
    )


def rewrite_index(
    index: RawManifest,
    *,
    became: Mapping[Digest, Descriptor | None] = _NOTHING,
    added: Sequence[Descriptor] = (),
    annotations: Changes = _NOTHING,
) -> Result[RawManifest, Reason]:
    """An index whose entries became other ones (None: are left out), with more entries, and with other annotations.

    An added entry takes the place of the one for the same platform; one that is there already is not added. Fails with
    `Misconfigured` where nothing would be left, or two added entries are for one platform, with `Unsupported` for
    annotations on a Docker manifest list, which has none, and with `LimitExceeded`.
    """
    if annotations and family_of(index.media_type) == "docker":
        return Failure(Unsupported("annotations on a Docker manifest list; convert it to OCI first"))
    entries = index.model.manifests if isinstance(index.model, ImageIndex) else ()
    there = {entry.digest for entry in entries}
    new = {entry.digest: entry for entry in added if entry.digest not in there}
    kept = [entry for entry in entries if _successor(entry, became) is not None]
    by_platform = {key: entry for entry in new.values() if (key := _key(entry)) is not None}
    successors = {entry.digest: by_platform[key] for entry in kept if (key := _key(entry)) in by_platform and key}
    gone = {entry.digest for entry in entries if _successor(entry, became) != entry.digest} | successors.keys()
    names_gone = {str(digest) for digest in gone}
    orphaned = {entry.digest for entry in kept if _about(entry) in names_gone}
    placed: set[Digest] = set()

    def listed(entry: Descriptor, before: Mapping[str, Any]) -> dict[str, Any] | None:
        after = successors.get(entry.digest)
        if after is not None:
            first = after.digest not in placed
            placed.add(after.digest)
            return described(after) if first else None
        after = None if entry.digest in orphaned else became.get(entry.digest, entry)
        return None if after is None else pointed(before, after) if after.digest != entry.digest else dict(before)

    def change(document: dict[str, Any]) -> dict[str, Any]:
        pairs = zip(entries, document["manifests"], strict=True)
        manifests = [after for entry, before in pairs if (after := listed(entry, before)) is not None]
        manifests += [described(entry) for entry in new.values() if entry.digest not in placed]
        written = {**document, "manifests": manifests}
        return with_field(written, "annotations", changed(document.get("annotations"), annotations))

    if not new and len(orphaned) == len(kept):
        return Failure(_EMPTY)
    return (
        _sound(tuple(new.values()), annotations)
        .bind(lambda _: rewrite(index.raw, change, limit=MANIFEST_LIMIT))
        .bind(
            lambda raw: (
                Success(index)
                if raw == index.raw
                else parse_manifest(raw, index.media_type, algorithm=index.digest.algorithm)
            )
        )
    )


def matches_platform(entry: Descriptor, wanted: Platform) -> bool:
    """Whether an entry of an index is an image for a platform, in every part that `wanted` names.

    >>> arm = Platform(os="linux", architecture="aarch64")
    >>> image = Descriptor(media_type=OCI_INDEX, digest=Digest("sha256", "0" * 64), size=1, platform=arm)
    >>> matches_platform(image, Platform(os="linux", architecture="arm64", variant="v8"))
    True
    """
    has, asked = _key(entry), _parts(wanted)
    return has is not None and has[:3] == asked[:3] and asked[3] in (None, has[3])


_Parts: TypeAlias = tuple[str, str, str | None, str | None, tuple[str, ...]]


def _parts(platform: Platform) -> _Parts:
    """What tells a platform from another one, in one spelling."""
    known = parse_platform(platform).value_or(platform)
    return known.os, known.architecture, known.variant, known.os_version, known.os_features or ()


def _key(entry: Descriptor) -> _Parts | None:
    """What an entry is for; None where that is no platform, so that it never takes another one's place."""
    return None if entry.platform is None or is_attestation(entry) else _parts(entry.platform)


def _successor(entry: Descriptor, became: Mapping[Digest, Descriptor | None]) -> Digest | None:
    after = became.get(entry.digest, entry)
    return None if after is None else after.digest


def _about(entry: Descriptor) -> str | None:
    return None if entry.annotations is None else entry.annotations.get(ATTESTED)


def _sound(added: Sequence[Descriptor], annotations: Changes) -> Result[None, Reason]:
    keys = Counter(key for entry in added if (key := _key(entry)) is not None)
    for key, count in keys.items():
        if count > 1:
            return Failure(Misconfigured("index", f"{count} images for {'/'.join(part for part in key[:3] if part)}"))
    return checked_text("annotations", *annotations, *annotations.values())
