"""Names in a layout: what each manifest that an `index.json` lists is called, by all its entries together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_index import CONTAINERD_NAME, REF_NAME, entry_name
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage
from registry_fp.domain.model import Annotations
from registry_fp.domain.reference import Reference, parse_reference, parse_tag

__all__ = ["LayoutName", "listed_names"]

LayoutName: TypeAlias = Reference | str
"""A name with its tag; or a tag alone, which says nothing of the repository."""


def listed_names(
    listed: Sequence[Descriptor],
) -> Result[Mapping[Digest, tuple[str, tuple[LayoutName, ...]]], InvalidImage]:
    """For each manifest what people call it, and every name that it is listed under, which may be none.

    containerd's full name counts before the ref name, which is often its tag. Fails with `InvalidImage` ("bad tag").
    Source: image-spec, annotations, `org.opencontainers.image.ref.name`.
    """
    found: dict[Digest, tuple[str, dict[LayoutName, None]]] = {}
    for entry in listed:
        _, names = found.setdefault(entry.digest, (entry_name(entry), {}))
        annotations = entry.annotations or Annotations()
        text = annotations.get(CONTAINERD_NAME) or annotations.get(REF_NAME)
        if text is None:
            continue
        name = _name(text)
        if not is_successful(name):
            return Failure(name.failure())
        names[name.unwrap()] = None
    return Success({digest: (called, tuple(names)) for digest, (called, names) in found.items()})


def _name(text: str) -> Result[LayoutName, InvalidImage]:
    if is_successful(parse_tag(text)):
        return Success(text)
    parsed = parse_reference(text)
    shown = text[:200].encode("unicode_escape").decode("ascii")
    if not is_successful(parsed):
        return Failure(InvalidImage("bad tag", shown, "it is no name that a registry takes"))
    if parsed.unwrap().tag is None:
        return Failure(InvalidImage("bad tag", shown, "it has no tag"))
    return Success(parsed.unwrap())
