"""Where the embedded registry keeps things: the port, and its form in memory.

Content is bytes under a digest, stored once for all repositories. A link says that a repository knows a piece of
content, or what a tag points at. The other form, a directory, is in `directory_storage`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final, Literal, Protocol, final

from registry_fp.domain.digest import Digest, new_hasher

__all__ = ["PIECE", "Link", "MemoryStorage", "Sink", "Storage"]

PIECE: Final = 256 * 1024
"""How many bytes a stored blob is read at a time."""


@final
@dataclass(frozen=True, slots=True, order=True)
class Link:
    """What a repository knows: a blob (no value), a manifest (its media type), or a tag (its digest)."""

    repository: str
    kind: Literal["blob", "manifest", "tag"]
    key: str
    value: str = ""


class Sink(Protocol):
    """Content on its way in. It ends with `keep` or `discard`."""

    async def append(self, piece: bytes) -> None:
        """Take the next bytes. They are taken as a whole even when the caller is cancelled meanwhile."""
        ...

    @property
    def size(self) -> int:
        """How many bytes were taken."""
        ...

    async def digest(self, algorithm: str) -> Digest:
        """The digest of what was taken; at no cost for the algorithm that the sink was made for."""
        ...

    async def keep(self, digest: Digest) -> None:
        """Make it content, under this digest."""
        ...

    async def discard(self) -> None:
        """Forget it."""
        ...


class Storage(Protocol):
    """What the registry needs of a store."""

    async def open(self) -> tuple[Link, ...]:
        """Get ready, drop what unfinished uploads left behind, and tell every link that is known."""
        ...

    async def close(self) -> None:
        """Let go of threads and files."""
        ...

    def new_sink(self, algorithm: str) -> Sink:
        """A place for new content, hashed with `algorithm` as it comes in."""
        ...

    async def size(self, digest: Digest) -> int | None:
        """How many bytes the content has; None where there is none."""
        ...

    def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to, but not including, `stop`."""
        ...

    async def forget(self, digest: Digest) -> None:
        """Drop content that no link needs any more."""
        ...

    async def link(self, link: Link) -> None:
        """Remember a link, in place of one with the same repository, kind and key."""
        ...

    async def unlink(self, link: Link) -> None:
        """Forget a link."""
        ...


@final
class MemoryStorage:
    """Content in memory, gone with the object."""

    def __init__(self) -> None:
        self._content: dict[Digest, bytearray] = {}
        self._links: dict[tuple[str, str, str], Link] = {}

    async def open(self) -> tuple[Link, ...]:
        """Tell every link that is known: a registry object can be closed and entered again."""
        return tuple(self._links.values())

    async def close(self) -> None:
        """Nothing to let go of."""

    def new_sink(self, algorithm: str) -> Sink:
        """A buffer that grows."""
        return _MemorySink(self._content, algorithm)

    async def size(self, digest: Digest) -> int | None:
        """How many bytes the content has."""
        content = self._content.get(digest)
        return None if content is None else len(content)

    async def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes, `PIECE` at a time."""
        content = self._content[digest]
        for offset in range(start, stop, PIECE):
            yield bytes(content[offset : min(offset + PIECE, stop)])

    async def forget(self, digest: Digest) -> None:
        """Drop the content."""
        self._content.pop(digest, None)

    async def link(self, link: Link) -> None:
        """Remember a link."""
        self._links[link.repository, link.kind, link.key] = link

    async def unlink(self, link: Link) -> None:
        """Forget a link."""
        self._links.pop((link.repository, link.kind, link.key), None)


@final
class _MemorySink:
    def __init__(self, content: dict[Digest, bytearray], algorithm: str) -> None:
        self._content = content
        self._algorithm = algorithm
        self._hasher = new_hasher(algorithm)
        self._taken = bytearray()

    async def append(self, piece: bytes) -> None:
        self._hasher.update(piece)
        self._taken += piece

    @property
    def size(self) -> int:
        return len(self._taken)

    async def digest(self, algorithm: str) -> Digest:
        if algorithm == self._algorithm:
            return Digest(algorithm, self._hasher.hexdigest())
        hasher = new_hasher(algorithm)
        hasher.update(memoryview(self._taken))
        return Digest(algorithm, hasher.hexdigest())

    async def keep(self, digest: Digest) -> None:
        self._content.setdefault(digest, self._taken)

    async def discard(self) -> None:
        self._taken = bytearray()
