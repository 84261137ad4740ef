"""Documents of what happens while an image is moved."""

from __future__ import annotations

from typing import Any, assert_never

from registry_fp import BlobDone, BlobMoved, BlobStarted, Event, ImageRead, ManifestStored

__all__ = ["event_document"]


def event_document(event: Event) -> dict[str, Any]:
    """One line of ndjson; the last line of each image is the document of what was pushed, pulled or copied."""
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
