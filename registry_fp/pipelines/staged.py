"""Staged: where a blob stands between being found or sent, and being committed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeAlias, final

from registry_fp.domain.descriptor import Descriptor
from registry_fp.pipelines.event import Outcome
from registry_fp.pipelines.plan import BlobPlan
from registry_fp.protocol.upload import Upload
from registry_fp.protocol.way import Way

__all__ = ["Awaited", "Held", "PlacedBlob", "Sent", "Staged"]


@final
@dataclass(frozen=True, slots=True)
class PlacedBlob:
    """A blob that is in the repository, how it came there, and how many bytes were sent for it."""

    plan: BlobPlan
    descriptor: Descriptor
    outcome: Outcome
    sent: int = 0


@final
@dataclass(frozen=True, slots=True)
class Held:
    """Proven bytes in memory, still to be sent; `upload` is a session that a mount left open for them."""

    plan: BlobPlan
    descriptor: Descriptor
    content: bytes = field(repr=False)
    upload: Upload | None


@final
@dataclass(frozen=True, slots=True)
class Sent:
    """Proven bytes in an upload session, still to be committed, and the way by which they came there."""

    plan: BlobPlan
    descriptor: Descriptor
    upload: Upload
    way: Way


@final
@dataclass(frozen=True, slots=True)
class Awaited:
    """Somebody else on this client is sending the same blob to the same repository."""

    plan: BlobPlan
    landing: asyncio.Future[Descriptor | None] = field(repr=False)


Staged: TypeAlias = PlacedBlob | Held | Sent | Awaited
"""A blob that need not be sent, or one whose commit is still to come."""
