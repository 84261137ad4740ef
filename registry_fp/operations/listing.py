"""Listings: page by page, in bounds, until there is no other."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar, final

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import LimitExceeded, NotFound, ProtocolViolation, Reason, Refused, RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.protocol.message import Request
from registry_fp.protocol.page import PAGES_LIMIT, Page, following_page, url_after
from registry_fp.transport.port import Client

__all__ = ["LISTING_LIMIT", "NAMES_LIMIT", "SHORT_PAGE", "Listing", "Pages", "list_entries", "named_pages"]

T = TypeVar("T")

NAMES_LIMIT: Final = 1_000_000
"""How many entries of one listing are read."""

SHORT_PAGE: Final = 100
"""How many entries a page has in a registry that refuses to give as many as were asked for."""

LISTING_LIMIT: Final = 256 * 1024 * 1024
"""How many bytes the pages of one listing have together."""


@final
@dataclass(frozen=True)  # no slots: see Page
class Listing(Generic[T]):
    """Where a listing begins, and how one of its pages is asked for.

    `page_size` is how many entries of a page were asked for, where an entry's name leads to the page behind it.
    `shorter` is the same listing in pages that no registry refuses to give.
    """

    first: Request
    ask: Callable[[Request], Op[Page[T]]]
    page_size: int | None = None
    shorter: Listing[T] | None = None


@final
class Pages(Generic[T]):
    """The pages of a listing, one request each: an `Ok` for each page, and at the end, if it fails, one `Err`.

    Nothing is open between two pages, so a loop may end at any of them. An entry that a registry tells twice comes
    twice. It belongs to one task.
    """

    __slots__ = ("_begin", "_ended", "_entries", "_full", "_linked", "_listing", "_next", "_seen", "_size")

    def __init__(self, begin: Callable[[], Op[Listing[T]]]) -> None:
        self._begin = begin
        self._listing: Listing[T] | None = None
        self._next: Request | None = None
        self._full: Page[T] | None = None
        self._linked = False
        self._seen: set[URL] = set()
        self._entries = self._size = 0
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Ok[Page[T]] | Err[RegistryError]:
        if self._ended:
            raise StopAsyncIteration
        if self._listing is None or self._next is None:
            begun = await settle(self._begin())
            if isinstance(begun, Err):
                return self._failed(begun.error)
            self._listing, self._next = begun.value, begun.value.first
        asked = await settle(self._listing.ask(self._next))
        shorter = self._listing.shorter
        if shorter is not None and not self._seen and _is_too_long(asked):
            self._listing, self._next = shorter, shorter.first
            asked = await settle(shorter.ask(shorter.first))
        # Asked beyond a page that was exactly full: the listing may have ended with it.
        if self._full is not None and not _goes_on(self._full, asked):
            self._ended = True
            raise StopAsyncIteration
        if isinstance(asked, Err):
            return self._failed(asked.error)
        self._seen.add(self._next.url)
        self._entries += len(asked.value.entries) + asked.value.left_out
        self._size += asked.value.size
        following = self._following(self._listing, asked.value)
        reason = self._objection(following)
        if reason is not None:
            return self._failed(self._listing.first.failed(reason))
        self._ended = following is None
        self._next = None if following is None else following_page(self._listing.first, following, asked.value.peer)
        return asked

    def _failed(self, error: RegistryError) -> Err[RegistryError]:
        self._ended = True
        return Err(error)

    def _following(self, listing: Listing[T], page: Page[T]) -> URL | None:
        """A registry that fills a page and has never linked to another may have more, or not know of `Link`."""
        self._full = None
        self._linked = self._linked or page.following is not None
        full = len(page.entries) + page.left_out == listing.page_size
        if self._linked or not full or not page.entries:
            return page.following
        self._full = page
        return url_after(listing.first.url, str(page.entries[-1]))

    def _objection(self, following: URL | None) -> Reason | None:
        if self._entries > NAMES_LIMIT:
            return LimitExceeded("names in a listing", NAMES_LIMIT)
        if self._size > LISTING_LIMIT:
            return LimitExceeded("bytes in a listing", LISTING_LIMIT)
        if following in self._seen:
            return ProtocolViolation("the pages of the listing lead in a circle")
        if following is not None and len(self._seen) >= PAGES_LIMIT:
            return LimitExceeded("pages in a listing", PAGES_LIMIT)
        return None


def named_pages(
    client: Client, host: str, page_size: int, first: Callable[[int], Request], ask: Callable[[Request], Op[Page[str]]]
) -> Listing[str]:
    """A listing of names from its `first` page on, with as many on a page as are wished for, or as the host gives.

    How many it gives is in its profile. Where it refuses so many all the same, the pages are short.
    """
    most = client.profiles.of(host).page_max
    size = max(1, page_size if most is None else min(page_size, most))
    shorter = Listing(first(SHORT_PAGE), ask, SHORT_PAGE) if size > SHORT_PAGE else None
    return Listing(first(size), ask, size, shorter)


@operation
async def list_entries(
    pages: Callable[[], Pages[T]], name: Callable[[T], Hashable]
) -> Result[tuple[T, ...], RegistryError]:
    """The entries on every page, each `name` once, in the order of the registry.

    Fails with `LimitExceeded` beyond `PAGES_LIMIT` pages, `NAMES_LIMIT` entries or `LISTING_LIMIT` bytes, and with
    `ProtocolViolation` where the pages lead in a circle.
    """
    found: dict[Hashable, T] = {}
    async for page in pages():
        if isinstance(page, Err):
            return Failure(page.error)
        for entry in page.value.entries:
            found.setdefault(name(entry), entry)
    return Success(tuple(found.values()))


def _is_too_long(asked: Ok[Page[T]] | Err[RegistryError]) -> bool:
    """Whether a registry refused to give so many entries at once (google/go-containerregistry#1091)."""
    return isinstance(asked, Err) and isinstance(asked.error.reason, Refused) and asked.error.reason.status == 400


def _goes_on(full: Page[T], asked: Ok[Page[T]] | Err[RegistryError]) -> bool:
    """Whether the page behind a full one is more than the same again, or a refusal to say more."""
    if isinstance(asked, Err):
        return not isinstance(asked.error.reason, NotFound | Refused)
    return not set(asked.value.entries) <= set(full.entries)
