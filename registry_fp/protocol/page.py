"""Pages of a listing: tags (end-8), referrers (end-12), repositories.

A registry may cut a listing short and name the rest in a `Link` header (RFC 8288). This file decides what the next
page is; getting it is somebody else's business.
"""

from __future__ import annotations

import re
from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, ProtocolViolation
from registry_fp.protocol.location import resolve_location, shown

__all__ = ["PAGES_LIMIT", "PAGE_LIMIT", "next_page"]

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
        return Failure(PolicyRefused(f"the next page is not on {current.raw_path}", shown(url)))
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
