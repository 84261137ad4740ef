"""Long listings: requests are counted, and memory has a bound."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry_fp import Client, Ok, list_tags, unwrap
from registry_fp.operations.tags import tag_pages
from registry_fp.testing import EmbeddedRegistry, running_registry
from tests.lists.lister import Told, serving
from tests.real.docker_registry import RealRegistry
from tests.testing.wire import Wire, image, sha256

TAGS = "/v2/app/tags/list"
GROWTH_LIMIT = 32 * 2**20
"""How many bytes a listing of a hundred thousand names may cost at its peak, the page and all its names included."""


@pytest.fixture
def tagged() -> Iterator[EmbeddedRegistry]:
    """A registry with 10,000 tags on one manifest."""
    with running_registry() as registry:
        wire, raw = Wire(registry.host), image()
        for first in range(0, 10_000, 200):
            query = "&".join(f"tag=t{number:05}" for number in range(first, first + 200))
            assert wire.put_image("app", f"{sha256(raw)}?{query}", raw).status == 201
        wire.connection.close()
        registry.reset_counts()
        yield registry


@contextmanager
def _grown() -> Iterator[list[int]]:
    """The most memory that Python had at once inside the block, over what it had before."""
    grown: list[int] = []
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield grown
        grown.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


async def test_ten_thousand_tags_in_pages_of_a_hundred_are_a_hundred_requests(
    tagged: EmbeddedRegistry, client: Client
) -> None:
    """Not one more to find the end, and not one twice."""
    tags = await unwrap(list_tags(client, f"{tagged.host}/app", page_size=100))
    assert tags == tuple(f"t{number:05}" for number in range(10_000))
    counts = tagged.counts()
    assert (counts.requests, counts.by_endpoint["end-8b"], counts.peak_in_flight) == (100, 100, 1)
    assert counts.connections == 1


async def test_whoever_reads_pages_holds_one_of_them(tagged: EmbeddedRegistry, client: Client) -> None:
    """A program that looks at each tag once has no use for all of them in memory."""
    seen = 0
    async for page in tag_pages(client, f"{tagged.host}/app", page_size=100):
        assert isinstance(page, Ok)
        assert len(page.value.entries) == 100
        seen += 100
    assert (seen, tagged.counts().requests) == (10_000, 100)


async def test_ten_thousand_tags_on_one_page_are_one_request(real_registry: RealRegistry, client: Client) -> None:
    """Debian's docker-registry sorts nothing and cuts nothing; its tags are folders, so ten thousand are soon made."""
    path = Path("docker/registry/v2/repositories/many/_manifests/tags")
    for number in range(10_000):
        link = real_registry.storage / path / f"t{number:05}" / "current" / "link"
        link.parent.mkdir(parents=True)
        link.write_text(sha256(b""), encoding="ascii")
    pages = [page async for page in tag_pages(client, f"{real_registry.host}/many", page_size=100)]
    assert len(pages) == 1
    tags = await unwrap(list_tags(client, f"{real_registry.host}/many", page_size=100))
    assert sorted(tags) == [f"t{number:05}" for number in range(10_000)]


async def test_a_hundred_thousand_tags_on_one_page_stay_in_bounds(client: Client) -> None:
    """The largest repositories that were seen; a listing costs what its names cost, a few times over."""
    body = json.dumps({"name": "app", "tags": [f"release-{number:06}" for number in range(100_000)]}).encode()
    async with serving(lambda _: Told(body)) as lister:
        with _grown() as grown:
            tags = await unwrap(list_tags(client, f"{lister.host}/app", page_size=100))
        assert len(lister.asked) == 1
    assert len(tags) == 100_000
    assert grown[0] < GROWTH_LIMIT


async def test_a_hundred_thousand_tags_on_a_hundred_pages_are_never_all_in_memory(client: Client) -> None:
    """Page by page the cost is one page's, however long the listing is."""
    bodies = [
        json.dumps({"tags": [f"release-{page:03}-{number:03}" for number in range(1000)]}).encode()
        for page in range(100)
    ]

    def answer(target: str) -> Told:
        page = int(target.partition("at=")[2] or 0)
        link = {"Link": f"<{TAGS}?n=1000&at={page + 1}>; rel=next"} if page < 99 else {}
        return Told(bodies[page], 200, link)

    async with serving(answer) as lister:
        with _grown() as grown:
            seen = 0
            async for page in tag_pages(client, f"{lister.host}/app"):
                assert isinstance(page, Ok)
                seen += len(page.value.entries)
        assert (seen, len(lister.asked)) == (100_000, 100)
    assert grown[0] < GROWTH_LIMIT // 16
