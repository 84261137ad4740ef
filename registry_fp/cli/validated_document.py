"""Documents of `validate`: what was read to its last byte, and is what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

__all__ = ["ValidatedDocument", "ValidatedImageDocument"]


@final
@dataclass(frozen=True, slots=True)
class ValidatedImageDocument:
    """One image, or one index with all its images, that is sound; `kind` says where it lies.

    `digest` is its manifest's, null in an archive, which has none. `manifests` and `blobs` are how many were proven,
    and `size` is how many bytes they have; `foreign` are the digests of layers that may not be distributed, and were
    not asked for.
    """

    name: str
    digest: str | None
    kind: Literal["registry", "layout", "archive"]
    manifests: int
    blobs: int
    size: int
    foreign: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class ValidatedDocument:
    """`validate`: a reference stands for one image, an archive or a layout may hold several."""

    name: str
    images: tuple[ValidatedImageDocument, ...]
