"""Documents of pushes: what was pushed, and what happens meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never, final

from registry_fp import BlobDone, BlobMoved, BlobStarted, Event, ImageRead, ManifestStored, Pushed

__all__ = ["PushedAllDocument", "PushedBlobDocument", "PushedDocument", "event_document", "pushed_document"]


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


def event_document(event: Event) -> dict[str, Any]:
    """One line of a push's ndjson; the last line of each image is its `PushedDocument`."""
    match event:
        case ImageRead(target=target, blobs=blobs):
            listed = [{"name": name, "size": size} for name, size in blobs]
            return {"event": "image_read", "reference": target, "blobs": listed}
        case BlobStarted(blob=blob, length=length):
            return {"event": "blob_started", "blob": blob, "length": length}
        case BlobMoved(blob=blob, read=read, sent=sent):
            return {"event": "blob_moved", "blob": blob, "read": read, "sent": sent}
        case BlobDone(blob=blob, outcome=outcome, digest=digest, size=size, sent=sent):
            told = {"outcome": outcome, "digest": str(digest), "size": size, "sent": sent}
            return {"event": "blob_done", "blob": blob, **told}
        case ManifestStored(reference=reference, manifest=manifest):
            told = {"digest": str(manifest.digest), "media_type": manifest.media_type, "size": manifest.size}
            return {"event": "manifest_stored", "reference": str(reference), **told}
        case _:
            assert_never(event)
