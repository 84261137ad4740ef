"""The document of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["DemoDocument", "ShownBlob"]


@final
@dataclass(frozen=True, slots=True)
class ShownBlob:
    """One blob: `archived` bytes in the archive, `size` in the registry, and what each push did with it.

    `diff_id` is the digest of the unpacked layer, and null for the configuration.
    """

    name: str
    digest: str
    diff_id: str | None
    archived: int
    size: int
    first: str
    again: str


@final
@dataclass(frozen=True, slots=True)
class DemoDocument:
    """`demo`: what the registry counted as received, in bytes of blobs, in each push; and what was proven."""

    archive: str
    reference: str
    digest: str
    received: int
    received_again: int
    blobs: tuple[ShownBlob, ...]
    proven_digests: int
    proven_diff_ids: int
    seconds: float
