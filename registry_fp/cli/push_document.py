"""Documents of pushes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Pushed

__all__ = ["PushedAllDocument", "PushedBlobDocument", "PushedDocument", "pushed_document"]


@final
@dataclass(frozen=True, slots=True)
class PushedBlobDocument:
    """One blob of a pushed image; `sent` is how many bytes went over the wire for it."""

    name: str
    digest: str
    size: int
    media_type: str
    outcome: str
    sent: int


@final
@dataclass(frozen=True, slots=True)
class PushedDocument:
    """`push`: digest, media type and size are the manifest's; `sent` is the sum over the blobs."""

    reference: str
    digest: str
    media_type: str
    size: int
    sent: int
    blobs: tuple[PushedBlobDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class PushedAllDocument:
    """`push --all-tags`."""

    pushed: tuple[PushedDocument, ...]


def pushed_document(pushed: Pushed) -> PushedDocument:
    """A pushed image."""
    made = pushed.manifest
    blobs = tuple(
        PushedBlobDocument(
            name=blob.name,
            digest=str(blob.descriptor.digest),
            size=blob.descriptor.size,
            media_type=blob.descriptor.media_type,
            outcome=blob.outcome,
            sent=blob.sent,
        )
        for blob in pushed.blobs
    )
    return PushedDocument(str(pushed.reference), str(made.digest), made.media_type, made.size, pushed.sent, blobs)
