"""Documents of what was moved: by a copy, by a pull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Copied, Descriptor, Placed

__all__ = ["CopiedDocument", "PlacedDocument", "copied_document", "placed_documents", "told"]


@final
@dataclass(frozen=True, slots=True)
class PlacedDocument:
    """One blob; `moved` is how many of its bytes had to be moved."""

    digest: str
    size: int
    media_type: str
    outcome: str
    moved: int


@final
@dataclass(frozen=True, slots=True)
class CopiedDocument:
    """`copy`: digest, media type and size are the root manifest's; `moved` is the sum over the blobs."""

    source: str
    reference: str
    digest: str
    media_type: str
    size: int
    moved: int
    manifests: tuple[str, ...]
    referrers: tuple[str, ...]
    blobs: tuple[PlacedDocument, ...]


def copied_document(copied: Copied) -> CopiedDocument:
    """A copied image."""
    made = copied.manifest
    return CopiedDocument(
        source=str(copied.source),
        reference=str(copied.target),
        digest=str(made.digest),
        media_type=made.media_type,
        size=made.size,
        moved=copied.moved,
        manifests=_digests(copied.manifests),
        referrers=_digests(copied.referrers),
        blobs=placed_documents(copied.blobs),
    )


def placed_documents(blobs: tuple[Placed, ...]) -> tuple[PlacedDocument, ...]:
    """What became of each blob."""
    return tuple(
        PlacedDocument(
            digest=str(each.descriptor.digest),
            size=each.descriptor.size,
            media_type=each.descriptor.media_type,
            outcome=each.outcome,
            moved=each.moved,
        )
        for each in blobs
    )


def told(reference: str, digest: str) -> str:
    """A reference, pinned; one that is pinned already is not pinned twice."""
    return reference if reference.endswith(f"@{digest}") else f"{reference}@{digest}"


def _digests(manifests: tuple[Descriptor, ...]) -> tuple[str, ...]:
    return tuple(str(each.digest) for each in manifests)
