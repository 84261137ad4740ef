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
from registry_fp.protocol.location import resolve_location

__all__ = ["PAGES_LIMIT", "PAGE_LIMIT", "next_page"]

PAGE_LIMIT: Final = 16 * 1024 * 1024
"""The largest page that is read, in bytes."""

PAGES_LIMIT: Final = 10_000
"""How many pages of one listing are read."""

# RFC 8288 has a full grammar; registries send one form of it, with or without the quotes.
_NEXT: Final = re.compile(r'<(?P<target>[^>]*)>[^,]*?;\s*rel="?next"?(?=\s*(?:[;,]|$))', re.IGNORECASE)


def next_page(current: URL, link: str | None) -> Result[URL | None, PolicyRefused | ProtocolViolation]:
    """The page after `current`; None where `current` was the last one.

    It keeps the origin, because our credentials travel with the request, and the path, because a listing that goes on
    elsewhere is another listing (GHSA-h7vf-4x9w-h99v).

    >>> here = URL("https://one.example/v2/app/tags/list?n=2")
    >>> str(next_page(here, '</v2/app/tags/list?n=2&last=b>; rel="next"').unwrap())
    'https://one.example/v2/app/tags/list?n=2&last=b'
    >>> next_page(here, "<https://two.example/v2/_catalog>; rel=next").failure().rule
    'the location leaves https://one.example'
    """
    found = _NEXT.search(link or "")
    if found is None:
        return Success(None)
    following = resolve_location(current, found["target"])
    if not is_successful(following):
        return Failure(following.failure())
    url = following.unwrap()
    if url.raw_path != current.raw_path:
        return Failure(PolicyRefused(f"the next page is not on {current.raw_path}", str(url.with_query(None))))
    return Success(url)
