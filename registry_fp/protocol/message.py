"""Requests and responses as values.

A request says everything that the transport has to know about it: what it is for (so that a failure can say so),
whether it may be sent again, how much of an answer is worth keeping, and how long to wait for one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, final

from returns.result import Result, Success
from yarl import URL

from registry_fp.domain.errors import Reason, RegistryError

__all__ = [
    "ANSWER_LIMIT",
    "Body",
    "Chunks",
    "Incoming",
    "Method",
    "Repeat",
    "Request",
    "Response",
    "Security",
    "held_body",
]

ANSWER_LIMIT: Final = 1024 * 1024
"""How many bytes of an ordinary answer are read."""

_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

Repeat: TypeAlias = Literal["always", "until answered", "never"]
"""Whether a request may be sent again after a transient failure: at any time, only while no answer has begun to be
consumed, or not at all (an upload's PATCH and its closing PUT, whose effect depends on the state they met)."""

Chunks: TypeAlias = AsyncGenerator[Result[bytes, RegistryError], None]
"""A stream of bytes; after a failure it ends, and without one it is complete. Who opens it closes it (`aclosing`)."""


@final
@dataclass(frozen=True, slots=True)
class Body:
    """What a request sends: `open` begins the content afresh each time; `length` in bytes, if known beforehand."""

    open: Callable[[], Chunks]
    length: int | None

    def opened(self) -> AbstractAsyncContextManager[Chunks]:
        """The content from its beginning, closed afterwards, also where it was not read to its end."""
        return aclosing(self.open())


def held_body(content: bytes) -> Body:
    """Bytes in memory, as a body."""

    async def chunks() -> Chunks:
        yield Success(content)

    return Body(chunks, len(content))


@final
@dataclass(frozen=True, slots=True)
class Request:
    """One request; `url` is used exactly as it is.

    `patience` is how many times longer than usual an answer may take to begin. A `stray` request goes where a server
    led away from the origin that was asked: no credentials of that origin go along, and it comes no nearer to us than
    `sender`, the address that this server answered from, if it is known. Headers can hold credentials and a URL the
    secret of an upload, so neither shows itself.
    """

    doing: str
    target: str
    method: Method
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | bytes | None = field(default=None, repr=False)
    repeat: Repeat = "always"
    limit: int = ANSWER_LIMIT
    patience: float = 1.0
    stray: bool = False
    sender: str | None = None

    def failed(self, reason: Reason, *, attempts: int = 1) -> RegistryError:
        """The error that this request ends in, for this reason."""
        return RegistryError(self.doing, self.target, reason, attempts)

    def with_header(self, name: str, value: str) -> Request:
        """The same request with one more header."""
        return replace(self, headers={**self.headers, name: value})


@final
@dataclass(frozen=True, slots=True)
class Security:
    """The TLS of a connection: its version, and, where the certificate was checked, who made it and until when.

    `until` is Unix time in seconds.
    """

    version: str
    authority: str | None = None
    until: float | None = None


def _unknown() -> Security | None:
    return None


@final
@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still arriving. Header names are in lower case; repeated ones are joined by a comma.

    `peer` is the address that it came from; None where that is not known, as behind a proxy. `mirror` is the mirror
    that answered, if one did. `security` finds out about the TLS that it came by; None where there was none.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    url: URL = field(repr=False)
    chunks: Chunks = field(repr=False)
    attempts: int = 1
    peer: str | None = None
    mirror: str | None = None
    security: Callable[[], Security | None] = field(default=_unknown, repr=False)


@final
@dataclass(frozen=True, slots=True)
class Response:
    """An answer that has arrived.

    Header names are in lower case; `url` is what answered, for relative locations, and `peer` as in `Incoming`.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    url: URL = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    attempts: int = 1
    peer: str | None = None

    @property
    def length(self) -> int | None:
        """What `Content-Length` says, in bytes; None where it says nothing that can be read."""
        text = self.headers.get("content-length", "")
        return int(text) if _LENGTH.fullmatch(text) else None
