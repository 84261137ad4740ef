"""Documents of copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Copied, Descriptor
from registry_fp.cli.placed_document import PlacedDocument, placed_documents

__all__ = ["CopiedAllDocument", "CopiedDocument", "copied_document"]


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


@final
@dataclass(frozen=True, slots=True)
class CopiedAllDocument:
    """`copy --all-tags`."""

    copied: tuple[CopiedDocument, ...]


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


def _digests(manifests: tuple[Descriptor, ...]) -> tuple[str, ...]:
    return tuple(str(each.digest) for each in manifests)
