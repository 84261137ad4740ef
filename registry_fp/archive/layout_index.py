"""What an OCI image layout lists: its marker, its `index.json`, and how the image that is meant is chosen.

Source: image-spec, image-layout ("oci-layout file", "index.json file").
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.tar_header import brief
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import InvalidImage, MalformedDocument, Reason
from registry_fp.domain.manifest import parse_manifest
from registry_fp.domain.media_type import OCI_INDEX
from registry_fp.domain.model import Annotations, parse_model
from registry_fp.domain.platform import is_attestation
from registry_fp.domain.reference import parse_reference
from registry_fp.domain.strict_json import load_strict

__all__ = [
    "CONTAINERD_NAME",
    "INDEX_JSON",
    "INDEX_JSON_LIMIT",
    "LAYOUT_MARKER",
    "LAYOUT_MARKER_LIMIT",
    "OCI_LAYOUT",
    "REF_NAME",
    "blob_name",
    "entry_name",
    "parse_index_json",
    "parse_layout_marker",
    "pick_listed",
    "whole_image",
    "with_entry",
]

OCI_LAYOUT: Final = "oci-layout"
"""The file that says that a folder is a layout."""

LAYOUT_MARKER: Final = b'{"imageLayoutVersion":"1.0.0"}'
"""The content of a new `oci-layout` file."""

LAYOUT_MARKER_LIMIT: Final = 64 * 1024
"""The largest `oci-layout` file that is read, in bytes."""

INDEX_JSON: Final = "index.json"

INDEX_JSON_LIMIT: Final = 4 * 1024 * 1024
"""The largest `index.json` that is read, in bytes."""

REF_NAME: Final = "org.opencontainers.image.ref.name"
"""The annotation that names an entry (image-spec, annotations)."""

CONTAINERD_NAME: Final = "io.containerd.image.name"
"""The annotation in which containerd and Docker write the full reference."""

_LISTED: Final = 10  # of the images, in an error
_DIGITS: Final = re.compile(r"(?:(?:sha256|sha512):)?[0-9a-f]{4,128}", re.ASCII)


def blob_name(descriptor: Descriptor) -> str:
    """Where content is in a layout: `blobs/<algorithm>/<hex>`."""
    return f"blobs/{descriptor.digest.algorithm}/{descriptor.digest.hex}"


def parse_layout_marker(raw: bytes) -> Result[None, Reason]:
    """Whether an `oci-layout` file is of the one version that there is; fails with `InvalidImage` ("bad oci-layout").

    >>> parse_layout_marker(b'{"imageLayoutVersion": "2.0.0"}').failure().detail
    'its version is 2.0.0, and 1.0.0 is what can be read'
    """
    loaded = load_strict(raw, limit=LAYOUT_MARKER_LIMIT)
    document: Any = loaded.value_or(None)
    version = document.get("imageLayoutVersion") if isinstance(document, dict) else None
    if version == "1.0.0":
        return Success(None)
    if not isinstance(version, str):
        return Failure(InvalidImage("bad oci-layout", OCI_LAYOUT, "it says no imageLayoutVersion"))
    shown = brief(version.encode("unicode_escape").decode("ascii"))
    return Failure(InvalidImage("bad oci-layout", OCI_LAYOUT, f"its version is {shown}, and 1.0.0 is what can be read"))


def parse_index_json(raw: bytes) -> Result[tuple[Descriptor, ...], Reason]:
    """The descriptors of an `index.json`; `"manifests": null` is an empty list to the programs that write it.

    Fails with `InvalidImage` ("bad index.json") and `LimitExceeded`.

    >>> parse_index_json(b'{"schemaVersion": 2, "manifests": null}').unwrap()
    ()
    """
    return _loaded(raw).bind(_listed).bind(_descriptors)


def pick_listed(listed: Sequence[Descriptor], image: str | int | None) -> Result[Descriptor, InvalidImage]:
    """The entry that is meant: by position, by name, by digest or a beginning of one; without a choice, the only one.

    Entries that are one manifest under several names are one image. Fails with `InvalidImage` ("no images", "several
    images", "no such image"), which lists what there is.
    """
    if not listed:
        return Failure(InvalidImage("no images", INDEX_JSON))
    found = list(listed) if image is None else _chosen(listed, image)
    if len({each.digest for each in found}) == 1:
        return Success(found[0])
    there = _listing(listed, found)
    if found:
        return Failure(InvalidImage("several images", detail=there))
    return Failure(InvalidImage("no such image", detail=f"{_plain(str(image))}; there are these: {there}"))


def whole_image(raw: bytes, listed: Sequence[Descriptor]) -> Descriptor | None:
    """The one image that an `index.json` is the index of, if it lists nothing but its platforms, each once and unnamed.

    Source: image-spec, image-layout: `index.json` "is the entry point", and an image index like every other.
    """
    images = [str(each.platform) for each in listed if not is_attestation(each)]
    listed_once = len(listed) > 1 and len(set(images)) == len(images) > 0
    if not listed_once or any(each.platform is None or _names(each) for each in listed):
        return None
    return parse_manifest(raw, OCI_INDEX).map(lambda index: index.descriptor).value_or(None)


def entry_name(entry: Descriptor) -> str:
    """What people call an entry of `index.json`: its full name, its ref name, or the beginning of its digest."""
    names = entry.annotations or Annotations()
    named = names.get(CONTAINERD_NAME) or names.get(REF_NAME)
    return f"{entry.digest.algorithm}:{entry.digest.short}" if named is None else _plain(named)


def with_entry(raw: bytes | None, entry: Descriptor) -> Result[bytes, Reason]:
    """An `index.json` that lists one more; an entry of the same name is replaced, and all else stays as it is.

    Without a name, it is listed only where no entry has its digest; with one, it takes the place of an entry that has
    its digest and no name. Entries of one ref name with two full names (containerd's) are two images. None is a layout
    that has no index yet. Fails as `parse_index_json`.
    """
    fresh = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    loaded = Success(fresh) if raw is None else _loaded(raw)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document: dict[str, Any] = loaded.unwrap()
    listed = _listed(document)
    if not is_successful(listed):
        return Failure(listed.failure())
    known = _descriptors(listed.unwrap())  # an index that we cannot read is not one that we may write
    if not is_successful(known):
        return Failure(known.failure())
    name = (entry.annotations or Annotations()).get(REF_NAME)
    document["manifests"] = _merged(list(zip(listed.unwrap(), known.unwrap(), strict=True)), entry, name)
    return Success(json.dumps(document, indent=2, ensure_ascii=False).encode())


def _merged(listed: list[tuple[Any, Descriptor]], entry: Descriptor, name: str | None) -> list[Any]:
    written = entry.model_dump(mode="json", exclude_none=True)
    if name is None:
        there = any(known.digest == entry.digest for _, known in listed)
        return [item for item, _ in listed] + ([] if there else [written])
    kept: list[Any] = []
    placed = False
    for item, known in listed:
        if not _gives_way(known, entry):
            kept.append(item)
        elif not placed:
            kept.append(written)
            placed = True
    return kept if placed else [*kept, written]


def _gives_way(known: Descriptor, entry: Descriptor) -> bool:
    """Whether a named entry takes the place of one that is there.

    A ref name is often a tag alone, which images of several repositories have: two full names are two images.
    """
    its, ours = known.annotations or Annotations(), entry.annotations or Annotations()
    if REF_NAME not in its:
        return known.digest == entry.digest
    full = {names[CONTAINERD_NAME] for names in (its, ours) if CONTAINERD_NAME in names}
    return its[REF_NAME] == ours[REF_NAME] and len(full) < 2


def _loaded(raw: bytes) -> Result[Any, Reason]:
    return load_strict(raw, limit=INDEX_JSON_LIMIT).alt(_bad)


def _listed(document: Any) -> Result[list[Any], Reason]:
    listed = document.get("manifests") if isinstance(document, dict) else ""
    if listed is None:
        return Success([])
    if not isinstance(listed, list):
        return Failure(InvalidImage("bad index.json", INDEX_JSON, "it has no list of manifests"))
    return Success(listed)


def _descriptors(listed: list[Any]) -> Result[tuple[Descriptor, ...], Reason]:
    descriptors: list[Descriptor] = []
    for item in listed:
        descriptor = parse_model(Descriptor, json.dumps(item).encode())
        if not is_successful(descriptor):
            return Failure(_bad(descriptor.failure()))
        descriptors.append(descriptor.unwrap())
    return Success(tuple(descriptors))


def _bad(reason: Reason) -> Reason:
    return InvalidImage("bad index.json", INDEX_JSON, reason.why) if isinstance(reason, MalformedDocument) else reason


def _chosen(listed: Sequence[Descriptor], image: str | int) -> list[Descriptor]:
    text = str(image)
    if text.isdecimal() and text.isascii() and len(text) <= 9 and int(text) < len(listed):
        return [listed[int(text)]]
    if isinstance(image, int):
        return []
    exact = [each for each in listed if text in _names(each)]
    if exact:
        return exact
    wanted = parse_reference(text).value_or(None)
    meant = [
        each
        for each in listed
        if wanted is not None and any(parse_reference(name).value_or(None) == wanted for name in _names(each))
    ]
    if meant or _DIGITS.fullmatch(text) is None:
        return meant
    algorithm, colon, digits = text.rpartition(":")
    return [
        each
        for each in listed
        if each.digest.hex.startswith(digits) and (not colon or each.digest.algorithm == algorithm)
    ]


def _names(entry: Descriptor) -> tuple[str, ...]:
    annotations = entry.annotations or Annotations()
    return tuple(annotations[key] for key in (REF_NAME, CONTAINERD_NAME) if key in annotations)


def _listing(listed: Sequence[Descriptor], found: Sequence[Descriptor]) -> str:
    shown = [f"{position}: {entry_name(each)}" for position, each in enumerate(listed) if not found or each in found]
    more = len(shown) - _LISTED
    return ", ".join([*shown[:_LISTED], f"and {more} more"] if more > 0 else shown)


def _plain(text: str) -> str:
    return brief(text.encode("unicode_escape").decode("ascii"))
