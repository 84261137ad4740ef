"""Bounds: a listing comes to an end, also where a registry has none."""

from __future__ import annotations

from typing import Any

from returns.future import FutureResult
from yarl import URL

from registry_fp import Client, Err, LimitExceeded, Op, Page, Reason, Repository, list_tags, settle
from registry_fp.operations.listing import LISTING_LIMIT, NAMES_LIMIT, Listing, Pages
from registry_fp.protocol.message import Request
from registry_fp.protocol.page import PAGE_LIMIT, PAGES_LIMIT
from registry_fp.protocol.tag import list_tags as list_tags_request
from tests.lists.lister import Told, serving

TAGS = "/v2/app/tags/list"


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_an_endless_listing_comes_to_an_end_by_its_names(client: Client) -> None:
    """Fresh pages for ever, each with a hundred thousand names: memory is ours, and has an end."""

    def answer(target: str) -> Told:
        number = int(target.partition("at=")[2] or 0)
        body = b'{"tags":["' + b'","'.join(b"%d.%d" % (number, each) for each in range(100_000)) + b'"]}'
        return Told(body, 200, {"Link": f"<{TAGS}?at={number + 1}>; rel=next"})

    async with serving(answer) as lister:
        assert await _reason(list_tags(client, f"{lister.host}/app")) == LimitExceeded(
            "names in a listing", NAMES_LIMIT
        )
        assert len(lister.asked) == NAMES_LIMIT // 100_000 + 1


async def test_an_endless_listing_comes_to_an_end_by_its_bytes(client: Client) -> None:
    """The same with pages of nothing."""
    empty = b'{"tags":[' + b" " * (PAGE_LIMIT - 11) + b"]}"

    def answer(target: str) -> Told:
        number = int(target.partition("at=")[2] or 0)
        return Told(empty, 200, {"Link": f"<{TAGS}?at={number + 1}>; rel=next"})

    async with serving(answer) as lister:
        assert await _reason(list_tags(client, f"{lister.host}/app")) == LimitExceeded(
            "bytes in a listing", LISTING_LIMIT
        )
        assert len(lister.asked) == LISTING_LIMIT // PAGE_LIMIT + 1


async def test_an_endless_listing_comes_to_an_end_by_its_pages() -> None:
    """The same with pages that are small and never the same; made up here, because ten thousand answers take long."""
    asked = 0

    def ask(request: Request) -> Op[Page[str]]:
        nonlocal asked
        asked += 1
        return FutureResult.from_value(Page((), request.url.with_query(at=asked)))

    first = list_tags_request(URL("http://127.0.0.1"), Repository("127.0.0.1", "app"))
    pages = Pages(lambda: FutureResult.from_value(Listing(first, ask)))
    *good, last = [page async for page in pages]
    assert isinstance(last, Err)
    assert last.error.reason == LimitExceeded("pages in a listing", PAGES_LIMIT)
    assert (asked, len(good)) == (PAGES_LIMIT, PAGES_LIMIT - 1)


async def test_a_page_that_is_too_large_is_not_read_to_its_end(client: Client) -> None:
    """One answer must not fill the memory either."""
    async with serving(lambda _: Told(b'{"tags":[' + b" " * PAGE_LIMIT + b"]}")) as lister:
        assert isinstance(await _reason(list_tags(client, f"{lister.host}/app")), LimitExceeded)
