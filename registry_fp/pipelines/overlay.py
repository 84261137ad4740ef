"""Overlays: an origin with manifests and blobs of our own laid over it.

An image that is edited is the image that it was, except for a few documents: so nothing but those is made, and the
whole is moved as any other image is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Repository
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.store import Origin
from registry_fp.protocol.message import Body

__all__ = ["Overlay", "read_whole"]


@final
@dataclass(frozen=True, slots=True)
class Overlay:
    """An `Origin` that has what is laid over it, and what is beneath."""

    beneath: Origin
    manifests: Mapping[Digest, RawManifest] = field(repr=False)
    bodies: Mapping[Digest, Body] = field(repr=False)

    @property
    def name(self) -> str:
        """What lies beneath."""
        return self.beneath.name

    @property
    def repository(self) -> Repository | None:
        """Where the rest comes from."""
        return self.beneath.repository

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """Ours, or the one beneath. Fails as that place does."""
        own = self.manifests.get(wanted.digest)
        return self.beneath.manifest(wanted) if own is None else FutureResult.from_value(own)

    def body(self, wanted: Descriptor) -> Body:
        """Ours, or what is beneath."""
        return self.bodies.get(wanted.digest) or self.beneath.body(wanted)


@operation
async def read_whole(origin: Origin, blob: Descriptor, *, limit: int) -> Result[bytes, RegistryError]:
    """A small blob, proven; fails with `LimitExceeded` beyond `limit` bytes, or as the origin does."""
    beyond = RegistryError("get_blob", f"{origin.name}@{blob.digest}", LimitExceeded("bytes in a small blob", limit))
    if blob.size > limit:
        return Failure(beyond)
    parts: list[bytes] = []
    async with origin.body(blob).opened() as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            parts.append(chunk.unwrap())
    return Success(b"".join(parts))
