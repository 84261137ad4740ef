"""Blobs on their way to one registry, and what it saw of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from returns.result import Result, Success

from registry_fp import Client, Descriptor, RegistryError, digest_of, parse_repository, settle
from registry_fp.effect.exits import Err, Ok
from registry_fp.pipelines.placement import Arrival, upload_blob
from registry_fp.protocol.message import Body
from tests.acceptance.reader import Reader

KIB = 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """Content, and how often it was opened to be sent."""

    content: bytes
    opened: list[int]

    @property
    def descriptor(self) -> Descriptor:
        """What it is called."""
        return Descriptor(media_type="application/octet-stream", digest=digest_of(self.content), size=len(self.content))

    def body(self, piece: int = 50_000) -> Body:
        """The content in pieces of an odd size."""

        async def chunks() -> AsyncGenerator[Result[bytes, RegistryError], None]:
            self.opened.append(1)
            for start in range(0, len(self.content), piece):
                yield Success(self.content[start : start + piece])

        return Body(chunks, len(self.content))


def blob(size: int, seed: int = 7) -> Blob:
    """Bytes that repeat nowhere, so that none can stand for another."""
    return Blob(Random(seed).randbytes(size), [])  # noqa: S311  content, and no secret


async def uploaded(client: Client, host: str, one: Blob, path: str = "app") -> Ok[Arrival] | Err[RegistryError]:
    """Send it."""
    repository = parse_repository(f"{host}/{path}").unwrap()
    return await settle(upload_blob(client, repository, one.descriptor, one.body()))


def teach(client: Client, host: str, **facts: Any) -> None:
    """What the client is to know of the registry."""
    client.profiles.learn(host, replace(client.profiles.of(host), **facts))


def holds(host: str, one: Blob, path: str = "app") -> bool:
    """Whether the registry gives out these bytes, asked by none of our own code."""
    name = f"sha256:{hashlib.sha256(one.content).hexdigest()}"
    return Reader(host).get(f"{path}/blobs/{name}").body == one.content
