"""Parts of a blob: what an answer brings of it, and whether that goes on where the last one broke.

Source: distribution-spec, "Pulling blobs" (end-2); RFC 9110, 14 and 15.3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import ConnectionLost, Reason, SizeMismatch
from registry_fp.protocol.content_range import parse_content_range
from registry_fp.protocol.message import Incoming, Response

__all__ = ["BRINGS_A_PART", "Identity", "Known", "Part", "part_of"]

BRINGS_A_PART: Final = frozenset({200, 206, 416})
"""The statuses that `part_of` understands; any other is a refusal."""


@final
@dataclass(frozen=True, slots=True)
class Identity:
    """What answers call their content: two that call it differently are not parts of one whole."""

    etag: str | None = None
    digest: str | None = None

    def agrees_with(self, other: Identity) -> bool:
        """Whether nothing is said differently by both.

        >>> Identity(etag='"a"').agrees_with(Identity(digest="sha256:b")), Identity('"a"').agrees_with(Identity('"b"'))
        (True, False)
        """
        pairs = ((self.etag, other.etag), (self.digest, other.digest))
        return all(one is None or two is None or one == two for one, two in pairs)

    def or_else(self, other: Identity) -> Identity:
        """What it says itself, and what only the other one says."""
        return Identity(self.etag or other.etag, self.digest or other.digest)


@final
@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a blob while it comes: its first `done` bytes are here, of `size` if anybody said so."""

    done: int
    size: int | None
    identity: Identity = field(default_factory=Identity)


@final
@dataclass(frozen=True, slots=True)
class Part:
    """What an answer brings: its first `skip` bytes are here already, and it ends before byte `stop` of the blob.

    `stop` is None where only the end of the answer tells, and then `framed` says whether that end is one that can be
    told from a connection that broke.
    """

    skip: int
    stop: int | None
    framed: bool
    known: Known

    def end(self, done: int, skipped: int) -> Reason | None:
        """What is wrong if the answer ended properly when so many bytes of the blob were there; None is nothing.

        An answer that was to bring only a part, and brought it, is nothing wrong.
        """
        size = self.known.size
        if self.stop is not None:
            return ConnectionLost(done) if done < self.stop else None
        if size is None or done == size:
            return None
        return SizeMismatch(size, done if skipped == self.skip else skipped) if self.framed else ConnectionLost(done)


def part_of(incoming: Incoming, known: Known, *, ranged: bool) -> Result[Part | None, Reason]:
    """What a 200, a 206 or a 416 brings of the blob, of which `known` is here; `ranged` if only the rest was asked for.

    None: it is not the rest, and this registry should be asked for the whole. Fails with `SizeMismatch` where it is
    a blob of another size.
    """
    said = _identity(incoming.headers)
    if incoming.status == 200:
        size = Response(200, incoming.headers, incoming.url).length
        if known.size is not None and size is not None and size != known.size:
            return Failure(SizeMismatch(known.size, size))
        if size is not None and known.done > size:
            return Failure(SizeMismatch(size, known.done))
        framed = incoming.headers.get("transfer-encoding", "").strip().lower() == "chunked"
        after = Known(known.done, size if known.size is None else known.size, said.or_else(known.identity))
        return Success(Part(known.done, size, framed, after))
    found = parse_content_range(incoming.headers.get("content-range", "")) if incoming.status == 206 else None
    if found is None or not ranged or found.first != known.done or not known.identity.agrees_with(said):
        return Success(None)
    size = found.total if known.size is None else known.size
    if size is not None and (found.stop > size or found.total not in {None, size}):
        return Success(None)
    return Success(Part(0, found.stop, True, Known(known.done, size, known.identity.or_else(said))))


def _identity(headers: Mapping[str, str]) -> Identity:
    return Identity(headers.get("etag") or None, headers.get("docker-content-digest") or None)
