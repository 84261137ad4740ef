"""Documents of blobs that were moved, in whatever way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Placed

__all__ = ["PlacedDocument", "placed_documents"]


@final
@dataclass(frozen=True, slots=True)
class PlacedDocument:
    """One blob; `moved` is how many of its bytes had to be moved."""

    digest: str
    size: int
    media_type: str
    outcome: str
    moved: int


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
