"""Ways: how the bytes of a blob go to a registry, and which way is next where one does not lead there.

A blob goes in one request as long as nothing speaks against it. Chunks cost a request for every few megabytes, and each
is kept in memory until the registry has it; but they pass where a large request does not, and go on where one broke.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, final

from registry_fp.domain.errors import ConnectionLost, RangeRejected, Reason, Refused
from registry_fp.protocol.profile import RegistryProfile

__all__ = [
    "CHUNK",
    "LARGEST_CHUNK",
    "SMALLEST_CHUNK",
    "Pieces",
    "Stream",
    "Turn",
    "Verb",
    "Way",
    "Whole",
    "chunk_size",
    "first_way",
    "is_too_large",
    "next_way",
    "smaller_chunk",
    "with_max_chunk",
]

CHUNK: Final = 16 * 1024 * 1024
"""How many bytes a chunk has where nothing else is known."""

LARGEST_CHUNK: Final = 64 * 1024 * 1024
"""The most bytes of a chunk, whatever a registry asks for: each is held in memory."""

SMALLEST_CHUNK: Final = 64 * 1024
"""Chunks are made no smaller than this; and fewer bytes than this are no progress."""

Verb: TypeAlias = Literal["PATCH", "PUT"]
"""What carries a blob that goes in one request: a PATCH leaves its session open, a PUT closes it."""


@final
@dataclass(frozen=True, slots=True)
class Whole:
    """All bytes in one request, which says how many they are."""


@final
@dataclass(frozen=True, slots=True)
class Stream:
    """All bytes in one request of unknown length, without a `Content-Range`."""


@final
@dataclass(frozen=True, slots=True)
class Pieces:
    """At most `size` bytes in each request."""

    size: int


Way: TypeAlias = Whole | Stream | Pieces
"""How the bytes of a blob go to a registry."""


@final
@dataclass(frozen=True, slots=True)
class Turn:
    """Another way, what the registry showed itself to be, and whether it is worth going at once, without a pause."""

    way: Way
    profile: RegistryProfile
    at_once: bool


def first_way(profile: RegistryProfile, length: int | None, verb: Verb) -> Way:
    """The way on which a blob of so many bytes is most likely to arrive; None is a length that nobody knows yet.

    >>> first_way(RegistryProfile(), 10**12, "PUT"), first_way(RegistryProfile(), None, "PATCH")
    (Whole(), Stream())
    >>> first_way(RegistryProfile(max_body=100_000_000), 10**12, "PUT")
    Pieces(size=16777216)
    """
    if length is None:
        limited = profile.max_body is not None and profile.accepts_chunked
        return Pieces(chunk_size(profile)) if limited or profile.needs_length else Stream()
    if profile.max_body is not None and length > profile.max_body:
        return Pieces(chunk_size(profile))
    if verb == "PUT" or profile.max_chunk is None or length <= profile.max_chunk:
        return Whole()
    # A limit on chunks is one on what has a Content-Range: without one, it is how Docker itself sends layers.
    return Pieces(chunk_size(profile)) if profile.needs_length else Stream()


def chunk_size(profile: RegistryProfile, least: int = 0) -> int:
    """How many bytes a chunk should have; `least` is what this session asks for (`OCI-Chunk-Min-Length`).

    >>> chunk_size(RegistryProfile(max_chunk=4194304)), chunk_size(RegistryProfile(), least=33554432)
    (4194304, 33554432)
    """
    most = min(CHUNK, profile.max_chunk or CHUNK, profile.max_body or CHUNK)
    return min(max(most, profile.min_chunk, least), LARGEST_CHUNK)


def smaller_chunk(size: int, reason: Reason, least: int = 0) -> int | None:
    """The size to try after one that was refused, or under which the connection broke; None: it is small already.

    >>> smaller_chunk(1048576, Refused(413)), smaller_chunk(1048576, ConnectionLost(7)), smaller_chunk(1, Refused(413))
    (524288, 262144, None)
    """
    # Who refuses a chunk says so at once; a connection that broke has cost a pause, and there are few of those.
    wanted = max(size // (2 if is_too_large(reason) else 4), least, SMALLEST_CHUNK)
    return wanted if wanted < size else None


def is_too_large(reason: Reason) -> bool:
    """Whether a registry refuses the size of a request: 413, and on some 416, which is for a wrong offset otherwise.

    >>> is_too_large(Refused(413)), is_too_large(Refused(400))
    (True, False)
    """
    return isinstance(reason, RangeRejected) or (isinstance(reason, Refused) and reason.status in (413, 416))


def with_max_chunk(profile: RegistryProfile, size: int) -> RegistryProfile:
    """The profile of a registry that refused a chunk, and may take one of this size; what is known to be less stays."""
    return replace(profile, max_chunk=min(size, profile.max_chunk or size))


def next_way(way: Way, reason: Reason, profile: RegistryProfile, length: int | None, verb: Verb) -> Turn | None:
    """The way to try after `way` has ended for this reason; None where no other one is better.

    >>> next_way(Whole(), Refused(413), RegistryProfile(), 4194304, "PUT").way
    Pieces(size=2097152)
    """
    if isinstance(way, Pieces):
        return _after_chunks(way, reason, profile, length, verb)
    if isinstance(way, Stream) and isinstance(reason, Refused) and reason.status == 411:
        knowing = replace(profile, needs_length=True)
        return Turn(first_way(knowing, length, verb), knowing, at_once=True)
    if length is not None and length <= SMALLEST_CHUNK:
        return None
    size = min(chunk_size(profile), LARGEST_CHUNK if length is None else max(SMALLEST_CHUNK, length // 2))
    if _at_once(reason):
        ranged = verb == "PATCH" and isinstance(way, Whole) and isinstance(reason, RangeRejected)
        knowing = with_max_chunk(profile, size) if ranged else replace(profile, max_body=size)
        return Turn(Pieces(size), knowing, at_once=True)
    broken = isinstance(reason, ConnectionLost) and reason.bytes_done > 0 and profile.accepts_chunked
    return Turn(Pieces(size), profile, at_once=False) if broken or isinstance(reason, RangeRejected) else None


def _after_chunks(way: Pieces, reason: Reason, profile: RegistryProfile, length: int | None, verb: Verb) -> Turn | None:
    if isinstance(reason, ConnectionLost) or is_too_large(reason):
        size = smaller_chunk(way.size, reason)
        knowing = profile if size is None or not _at_once(reason) else with_max_chunk(profile, size)
        return None if size is None else Turn(Pieces(size), knowing, at_once=_at_once(reason))
    if isinstance(reason, Refused) and profile.accepts_chunked:
        # The bytes were proven before they were sent: what the registry has instead is its own mixture of chunks.
        knowing = replace(profile, accepts_chunked=False)
        whole = first_way(knowing, length, verb)
        return None if isinstance(whole, Pieces) else Turn(whole, knowing, at_once=True)
    return None


def _at_once(reason: Reason) -> bool:
    """Whether it was the size, and nothing else: an offset cannot be wrong before the first byte."""
    return is_too_large(reason) and not (isinstance(reason, RangeRejected) and reason.expected > 0)
