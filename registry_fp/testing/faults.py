"""Faults: what goes wrong, at which request, as values.

Which fault befalls a request is decided here, without doing anything; `conversation` lets it happen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, final

__all__ = [
    "Action",
    "Answer",
    "Corrupt",
    "Drop",
    "DropAfter",
    "Fault",
    "NotStored",
    "Stall",
    "WrongDigestHeader",
    "choose",
]


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this instead, without reading the body: a 500, a 429 with Retry-After, a captive portal's page.

    When it is `late`, the registry has acted by then, as behind a proxy that lost its patience.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    late: bool = False


@final
@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer: before the registry acted, or after it (`late`), when all is stored.

    With `reset` the peer gets a TCP RST, without it a FIN.
    """

    late: bool = False
    reset: bool = True


@final
@dataclass(frozen=True, slots=True)
class DropAfter:
    """Close the connection in the middle of a body.

    That is after so many bytes of a PATCH, PUT or POST were read and kept, or of a GET's answer were sent.
    """

    count: int


@final
@dataclass(frozen=True, slots=True)
class Stall:
    """Stop reading or sending after so many body bytes, until the client goes away or the registry closes.

    The registry learns that a client has gone only while the unread part of the body fits its buffer.
    """

    after: int = 0


@final
@dataclass(frozen=True, slots=True)
class Corrupt:
    """Flip one bit of the answer's body, at this offset."""

    at: int = 0


@final
@dataclass(frozen=True, slots=True)
class WrongDigestHeader:
    """Answer with a `Docker-Content-Digest` that is not the content's."""


@final
@dataclass(frozen=True, slots=True)
class NotStored:
    """Answer 201 to a commit (end-4b, end-6) or a manifest (end-7), and forget it."""


Action: TypeAlias = Answer | Drop | DropAfter | Stall | Corrupt | WrongDigestHeader | NotStored


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """An action, and the requests it befalls: all that match every given condition, or the `nth` of those (from 1).

    `endpoint` is the specification's id, with its letter or without (`end-4` is all of end-4a, 4b and 4c); `path` is a
    regular expression searched in the path.
    """

    action: Action
    method: str | None = None
    endpoint: str | None = None
    path: str = ""
    nth: tuple[int, ...] = ()


def choose(
    faults: tuple[Fault, ...], tallies: tuple[int, ...], method: str, endpoint: str, path: str
) -> tuple[Action | None, tuple[int, ...]]:
    """What befalls a request, if anything, and how many requests each fault has matched by then.

    >>> second = Fault(Drop(), endpoint="end-4", nth=(2,))
    >>> choose((second,), (1,), "POST", "end-4a", "/v2/app/blobs/uploads/")
    (Drop(late=False, reset=True), (2,))
    """
    matched = tuple(_matches(fault, method, endpoint, path) for fault in faults)
    counted = tuple(tally + match for tally, match in zip(tallies, matched, strict=True))
    due = (
        fault.action
        for fault, match, tally in zip(faults, matched, counted, strict=True)
        if match and (not fault.nth or tally in fault.nth)
    )
    return next(due, None), counted


def _matches(fault: Fault, method: str, endpoint: str, path: str) -> bool:
    return (
        fault.method in {None, method}
        and fault.endpoint in {None, endpoint, endpoint.rstrip("abc")}
        and re.search(fault.path, path) is not None
    )
