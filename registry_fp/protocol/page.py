"""Pages of a listing: tags (end-8), referrers (end-12), repositories.

A registry may cut a listing short and name the rest in a `Link` header (RFC 8288). This file says what a page is, and
where the next one is; getting it is somebody else's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar, final
from urllib.parse import quote

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, ProtocolViolation
from registry_fp.protocol.location import resolve_location, same_origin, shown, with_parameter
from registry_fp.protocol.message import Request

__all__ = ["PAGES_LIMIT", "PAGE_LIMIT", "Page", "following_page", "next_page", "url_after"]

T_co = TypeVar("T_co", covariant=True)

PAGE_LIMIT: Final = 16 * 1024 * 1024
"""The largest page that is read, in bytes."""

PAGES_LIMIT: Final = 10_000
"""How many pages of one listing are read."""

# RFC 8288, 3: `<target>; name=value; name="value"`, separated by commas. Each is matched where the last one ended, so
# that a long header takes no longer than it is long.
_TARGET: Final = re.compile(r"[\s,]*<(?P<target>[^<>]*)>")
_PARAMETER: Final = re.compile(
    r"""\s*;\s*(?:(?P<name>[^\s;,="<>]+)\s*(?:=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s;,"<>]*)))?)?"""
)
_END: Final = re.compile(r"\s*(?:,|$)")
_DONE: Final = re.compile(r"[\s,]*")


@final
@dataclass(frozen=True)  # no slots: frozen, slots and Generic together break before 3.13 (python/cpython#116669)
class Page(Generic[T_co]):
    """Some entries of a listing, in the order of the registry, and where the rest of it is.

    Entries that break the grammar are left out, and counted in `left_out`. `size` is in bytes, as the page travelled,
    and `peer` the address that it came from.
    """

    entries: tuple[T_co, ...]
    following: URL | None = field(default=None, repr=False)
    left_out: int = 0
    size: int = field(default=0, compare=False)
    peer: str | None = field(default=None, compare=False, repr=False)


def following_page(first: Request, url: URL, peer: str | None = None) -> Request:
    """The request for a later page of the same listing; `peer` is the address that led to it.

    At the origin that was asked, nobody led us anywhere: the path is the one that we chose (`next_page`).
    """
    stray = not same_origin(url, first.url)
    sender = peer if stray else None
    return Request(first.doing, first.target, "GET", url, first.headers, limit=first.limit, stray=stray, sender=sender)


def url_after(url: URL, last: str) -> URL:
    """Where the entries behind `last` are, in a registry that names no next page (end-8b)."""
    return with_parameter(url, "last", quote(last, safe=""))


def next_page(current: URL, link: str | None) -> Result[URL | None, PolicyRefused | ProtocolViolation]:
    """The page after `current`; None where `current` was the last one.

    It keeps the origin, because our credentials travel with the request, and the path, because a listing that goes on
    elsewhere is another listing (GHSA-h7vf-4x9w-h99v). Fails with `PolicyRefused` where it does not, and with
    `ProtocolViolation` where the header cannot be read.

    >>> here = URL("https://one.example/v2/app/tags/list?n=2")
    >>> str(next_page(here, '</v2/app/tags/list?n=2&last=b>; rel="next"').unwrap())
    'https://one.example/v2/app/tags/list?n=2&last=b'
    >>> next_page(here, "<https://two.example/v2/_catalog>; rel=next").failure().rule
    'the location leaves https://one.example'
    """
    target = _next_target(link or "")
    if not is_successful(target):
        return Failure(target.failure())
    wanted = target.unwrap()
    if wanted is None:
        return Success(None)
    following = resolve_location(current, wanted)
    if not is_successful(following):
        return Failure(following.failure())
    url = following.unwrap()
    if url.raw_path != current.raw_path:
        return Failure(PolicyRefused(f"the next page is not one of {shown(current)}", shown(url)))
    return Success(url)


def _next_target(header: str) -> Result[str | None, ProtocolViolation]:
    """The target of the first link whose relation is `next`.

    A header that cannot be read is a failure: it may hold the way on, and a part must not pass for the whole.
    """
    position = 0
    while _DONE.fullmatch(header, position) is None:
        link = _TARGET.match(header, position)
        if link is None:
            return Failure(ProtocolViolation("the Link header cannot be read"))
        position, relation = link.end(), None
        while parameter := _PARAMETER.match(header, position):
            position = parameter.end()
            if relation is None and (parameter["name"] or "").lower() == "rel":
                relation = parameter["quoted"] or parameter["plain"] or ""
        ended = _END.match(header, position)
        if ended is None:
            return Failure(ProtocolViolation("the Link header cannot be read"))
        position = ended.end()
        if "next" in (relation or "").lower().split():
            return Success(link["target"])
    return Success(None)
