"""Taking a download to its end, as whoever uses one does."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from returns.result import Success

from registry_fp import Client, Descriptor, Digest, parse_repository
from registry_fp.domain.digest import Hasher
from registry_fp.domain.errors import RegistryError
from registry_fp.operations.download import blob_chunks


@dataclass(frozen=True, slots=True)
class Taken:
    """The bytes that came, and the failure that came last, if one did."""

    content: bytes
    error: RegistryError | None


async def take(
    client: Client, repository: str, wanted: Digest | Descriptor, *, start: int = 0, seen: Hasher | None = None
) -> Taken:
    """Everything that a download gives."""
    parts: list[bytes] = []
    name = parse_repository(repository).unwrap()
    async with aclosing(blob_chunks(client, name, wanted, start=start, seen=seen)) as chunks:
        async for chunk in chunks:
            if not isinstance(chunk, Success):
                assert [left async for left in chunks] == []  # a failure is the last item
                return Taken(b"".join(parts), chunk.failure())
            parts.append(chunk.unwrap())
    return Taken(b"".join(parts), None)
