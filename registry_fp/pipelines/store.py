"""Stores: where images lie, as the two ports that content moves between.

A repository, an OCI layout and a `docker save` archive are all places of descriptors and bytes. What moves images is
written once, against these ports; what a place can do cheaply (mount a blob, link a file) it does inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Repository
from registry_fp.effect.operation import Op
from registry_fp.pipelines.event import OnEvent, Outcome
from registry_fp.protocol.message import Body

__all__ = ["Destination", "Origin", "Placed"]


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one blob, and how many of its bytes were moved for it."""

    descriptor: Descriptor
    outcome: Outcome
    moved: int = 0


class Origin(Protocol):
    """Where content comes from."""

    @property
    def name(self) -> str:
        """What it is called in events and errors, without any secret."""
        ...

    @property
    def repository(self) -> Repository | None:
        """The repository that it is, if it is one: its blobs can be mounted by a neighbour on the same host."""
        ...

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """The exact bytes of a manifest, proven against its digest and size.

        Fails with `NotFound` or `MissingContent`, `DigestMismatch`, `SizeMismatch`, or as the place does.
        """
        ...

    def body(self, wanted: Descriptor) -> Body:
        """The bytes of a blob, begun afresh each time; they end in a failure where they are not the descriptor's."""
        ...


class Destination(Protocol):
    """Where content goes. What it has acknowledged stays; until a manifest is stored, nothing points at its blobs."""

    @property
    def name(self) -> str:
        """What it is called in events and errors, without any secret."""
        ...

    def holds(self, manifest: Descriptor) -> Op[bool]:
        """Whether a manifest is there with everything beneath it, so that nothing of it need be looked at."""
        ...

    def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Op[Placed]:
        """Bring one blob there, by the cheapest way that there is; it tells of the bytes that it moves."""
        ...

    def store(self, manifest: RawManifest, tag: str | None) -> Op[None]:
        """Keep a manifest whose content is all there, under its digest, and under a tag if one is given."""
        ...
