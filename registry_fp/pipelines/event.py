"""Events: what happens while an image is moved, as values, while it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.reference import Reference
from registry_fp.effect.log import log_of

__all__ = [
    "BlobDone",
    "BlobMoved",
    "BlobStarted",
    "Event",
    "ImageRead",
    "ManifestStored",
    "OnEvent",
    "Outcome",
    "emit",
    "ignore",
]

_log: Final = log_of(__name__)

Outcome: TypeAlias = Literal["uploaded", "mounted", "fetched", "exists", "referenced"]
"""What became of a blob: its bytes were sent to a registry, it was taken from a neighbouring repository, its bytes were
fetched to disk, it was there already, or only its descriptor was kept (a layer that may not be distributed)."""


@final
@dataclass(frozen=True, slots=True)
class ImageRead:
    """An image is sound; these are its blobs, as (name, bytes where it comes from), each different one once.

    `target` is what it will be called: a reference, or the path of a file or folder.
    """

    target: str
    blobs: tuple[tuple[str, int], ...]


@final
@dataclass(frozen=True, slots=True)
class BlobStarted:
    """Work on a blob begins, or begins again after a transient failure; `length` is in bytes of the source."""

    blob: str
    length: int


@final
@dataclass(frozen=True, slots=True)
class BlobMoved:
    """So many bytes of the source have been read, and so many bytes sent, since the blob was last started."""

    blob: str
    read: int
    sent: int


@final
@dataclass(frozen=True, slots=True)
class BlobDone:
    """A blob is where it should be; `sent` bytes went over the wire for it in the attempt that succeeded."""

    blob: str
    outcome: Outcome
    digest: Digest
    size: int
    sent: int


@final
@dataclass(frozen=True, slots=True)
class ManifestStored:
    """A manifest is stored under its name, and confirmed."""

    reference: Reference
    manifest: Descriptor


Event: TypeAlias = ImageRead | BlobStarted | BlobMoved | BlobDone | ManifestStored
"""What can happen; closed, so that `match` is exhaustive."""

OnEvent: TypeAlias = Callable[[Event], None]
"""Whoever watches. It is called in the event loop, so it must not block; what it raises is logged and forgotten."""


def ignore(_event: Event) -> None:
    """Watch nothing."""


def emit(on_event: OnEvent, event: Event) -> None:
    """Tell a watcher; one that fails must not fail the work that it watches."""
    try:
        on_event(event)
    except Exception:
        _log.exception("a watcher of events failed on %r", event)
