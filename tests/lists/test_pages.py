"""Pages: a listing is whole, or it is a failure; whatever a registry does between the two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_fp import (
    BadReference,
    Client,
    Denied,
    Err,
    NotFound,
    Ok,
    Op,
    PolicyRefused,
    ProtocolViolation,
    Reason,
    RegistryError,
    Unsupported,
    connect,
    get_manifest,
    list_repositories,
    list_tags,
    put_blob,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.manifest import parse_manifest
from registry_fp.operations.catalog import repository_pages
from registry_fp.operations.tags import tag_pages
from registry_fp.protocol.page import Page
from tests.acceptance.conftest import Site
from tests.lists.lister import Told, serving, told

TAGS = "/v2/app/tags/list"


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def _all(
    pages: AsyncIterator[Ok[Page[str]] | Err[RegistryError]],
) -> list[tuple[str, ...] | Reason]:
    return [page.value.entries if isinstance(page, Ok) else page.error.reason async for page in pages]


async def _filled(client: Client, repository: str, *tags: str) -> None:
    config = await unwrap(put_blob(client, repository, b"{}"))
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": str(config.digest),
            "size": config.size,
        },
        "layers": [],
    }
    manifest = parse_manifest(json.dumps(document).encode()).unwrap()
    for tag in tags:
        await unwrap(put_manifest(client, f"{repository}:{tag}", manifest))


async def test_pages_together_are_the_list(site: Site, client: Client) -> None:
    """Whoever reads page by page must see what whoever reads at once sees, in the same order."""
    tags = [f"1.{minor}" for minor in range(7)]
    await _filled(client, site.repository, *tags)
    for size in (1, 3, 7, 8):
        pages = await _all(tag_pages(client, site.repository, page_size=size))
        together = [tag for page in pages if isinstance(page, tuple) for tag in page]
        assert len(together) == len(set(together)) == 7
        assert tuple(together) == await unwrap(list_tags(client, site.repository, page_size=size))
        assert set(together) == set(tags) == site.reader.tags(site.path)


async def test_repositories_come_in_pages_too(site: Site, client: Client) -> None:
    """A registry has more repositories than fit a page long before it has more than fit memory."""
    for name in "abc":
        await _filled(client, f"{site.repository}/{name}", "1.0")
    pages = await _all(repository_pages(client, site.host, page_size=2))
    together = [name for page in pages if isinstance(page, tuple) for name in page]
    assert {f"{site.path}/{name}" for name in "abc"} <= set(together)
    assert set(together) == set(await unwrap(list_repositories(client, site.host)))


async def test_a_page_is_asked_for_only_when_it_is_wanted(client: Client, site: Site) -> None:
    """Whoever found what they sought stops; nothing is fetched ahead, and nothing stays open."""
    await _filled(client, site.repository, *"abcdef")
    site.reset()
    async for page in tag_pages(client, site.repository, page_size=2):
        assert isinstance(page, Ok)
        break
    if site.embedded is not None:
        assert site.embedded.counts().requests == 1
        assert site.embedded.counts().in_flight == 0


async def test_a_failure_is_the_last_item(client: Client) -> None:
    """What came before it is not taken back, and nothing comes behind it."""

    def answer(target: str) -> Told:
        if "last=b" in target:
            return told({"errors": [{"code": "DENIED"}]}, 403)
        return told({"tags": ["a", "b"]}, following=f"{TAGS}?n=2&last=b")

    async with serving(answer) as lister:
        pages = tag_pages(client, f"{lister.host}/app", page_size=2)
        first, second = await anext(pages), await anext(pages)
        assert isinstance(first, Ok)
        assert isinstance(second, Err)
        assert isinstance(second.error.reason, Denied)
        with pytest.raises(StopAsyncIteration):
            await anext(pages)
        assert isinstance(await _reason(list_tags(client, f"{lister.host}/app")), Denied)


async def test_a_page_whose_wait_was_cancelled_can_be_asked_for_again(client: Client) -> None:
    """A service that gives up waiting for one page has not lost the place where it was."""
    waiting = asyncio.Event()

    def answer(target: str) -> Told:
        if "last=a" in target:
            return told({"tags": ["b"]})
        return told({"tags": ["a"]}, following=f"{TAGS}?last=a")

    async with serving(answer) as lister:
        pages = tag_pages(client, f"{lister.host}/app")
        assert isinstance(await anext(pages), Ok)

        async def second() -> Ok[Page[str]] | Err[RegistryError]:
            waiting.set()
            return await anext(pages)

        task = asyncio.create_task(second())
        await waiting.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await anext(pages) == Ok(Page(("b",)))


@pytest.mark.parametrize("name", ["App", "app:1.0", "https://x/app", ""])
async def test_a_bad_name_is_the_first_and_only_item(name: str, client: Client) -> None:
    """Nothing raises, and nothing is sent."""
    for pages in (tag_pages(client, name), repository_pages(client, f"{name} ")):
        [reason] = await _all(pages)
        assert isinstance(reason, BadReference)


@pytest.mark.parametrize("link", [TAGS + "?last=b", "list?last=b", "?last=b", "{origin}" + TAGS + "?last=b"])
async def test_a_link_may_be_relative(link: str, client: Client) -> None:
    """RFC 8288 lets a registry leave out what the request said already; half of them do."""
    where: list[str] = []

    def answer(target: str) -> Told:
        if "last=b" in target:
            return told({"tags": ["c"]})
        return told({"tags": ["a", "b"]}, following=link.format(origin=f"http://{where[0]}"))

    async with serving(answer) as lister:
        where.append(lister.host)
        assert await unwrap(list_tags(client, f"{lister.host}/app")) == ("a", "b", "c")


async def test_a_link_to_another_registry_is_not_followed(client: Client) -> None:
    """Our credentials and our trust belong to one host (GHSA-h7vf-4x9w-h99v); what was listed until then is no list."""
    async with serving(lambda _: told({"tags": ["stolen"]})) as other:

        def astray(_: str) -> Told:
            return told({"tags": ["a"]}, following=f"http://{other.host}{TAGS}?last=a")

        async with serving(astray) as lister:
            assert isinstance(await _reason(list_tags(client, f"{lister.host}/app")), PolicyRefused)
        assert other.asked == []


@pytest.mark.parametrize("length", [1, 2, 5])
async def test_pages_in_a_circle_come_to_an_end(length: int, client: Client) -> None:
    """A registry with a broken cursor must not keep a program for ever."""

    def answer(target: str) -> Told:
        number = int(target.partition("at=")[2] or 0)
        return told({"tags": [f"t{number}"]}, following=f"{TAGS}?n=1000&at={(number + 1) % length}")

    async with serving(answer) as lister:
        reason = await _reason(list_tags(client, f"{lister.host}/app"))
        assert isinstance(reason, ProtocolViolation)
        assert len(lister.asked) <= length + 1


async def test_a_registry_without_links_is_asked_for_what_is_behind_a_full_page(client: Client) -> None:
    """Some cut a list at `n` and do not say so: a list that looks whole would be a part."""
    tags = [f"t{number:02}" for number in range(6)]

    def answer(target: str) -> Told:
        last = target.partition("last=")[2]
        return told({"tags": [tag for tag in tags if tag > last][: 6 if last else 3]})

    async with serving(answer) as lister:
        assert await unwrap(list_tags(client, f"{lister.host}/app", page_size=3)) == tuple(tags)
        assert lister.asked == [f"GET {TAGS}?n=3", f"GET {TAGS}?n=3&last=t02", f"GET {TAGS}?n=3&last=t05"]


async def test_a_registry_without_links_is_asked_until_a_page_is_not_full(client: Client) -> None:
    """One that cuts its first page cuts them all, and nobody would miss the third thousand of tags."""
    tags = [f"t{number:02}" for number in range(8)]

    def answer(target: str) -> Told:
        last = target.partition("last=")[2]
        return told({"tags": [tag for tag in tags if tag > last][:3]})

    async with serving(answer) as lister:
        assert await unwrap(list_tags(client, f"{lister.host}/app", page_size=3)) == tuple(tags)
        assert lister.asked == [f"GET {TAGS}?n=3", f"GET {TAGS}?n=3&last=t02", f"GET {TAGS}?n=3&last=t05"]


@pytest.mark.parametrize("behind", [told({"tags": []}), told({"tags": ["b", "a"]}), told({}, 400), told({}, 404)])
async def test_a_list_that_ends_with_a_full_page_is_whole(behind: Told, client: Client) -> None:
    """The question behind it costs a request, and is no reason to fail or to tell a tag twice."""

    def answer(target: str) -> Told:
        return behind if "last=" in target else told({"tags": ["b", "a"]})

    async with serving(answer) as lister:
        assert await _all(tag_pages(client, f"{lister.host}/app", page_size=2)) == [("b", "a")]


async def test_the_order_is_the_registrys_and_no_tag_comes_twice_in_a_list(client: Client) -> None:
    """Registries do not sort, and pages overlap when somebody pushes between them."""

    def answer(target: str) -> Told:
        if "last" in target:
            return told({"tags": ["a", "z"]})
        return told({"tags": ["z", "m"]}, following=f"{TAGS}?last=m")

    async with serving(answer) as lister:
        assert await unwrap(list_tags(client, f"{lister.host}/app", page_size=2)) == ("z", "m", "a")


async def test_an_unpaginated_list_is_one_page(client: Client) -> None:
    """Debian's docker-registry gives all there is, whatever was asked for."""
    tags = [f"t{number}" for number in range(500)]
    async with serving(lambda _: told({"tags": tags})) as lister:
        assert await _all(tag_pages(client, f"{lister.host}/app", page_size=7)) == [tuple(tags)]
        assert len(lister.asked) == 1


@pytest.mark.parametrize("document", [{"tags": None}, {"tags": []}, {"name": "app"}])
async def test_null_is_an_empty_list(document: dict[str, Any], client: Client) -> None:
    """A repository whose last tag went away has no tags, and is no error."""
    async with serving(lambda _: told(document)) as lister:
        assert await unwrap(list_tags(client, f"{lister.host}/app")) == ()


async def test_names_that_are_none_are_left_out_and_counted(client: Client) -> None:
    """An escape sequence must not reach a terminal, and who wonders where a tag went finds the count."""
    async with serving(lambda _: told({"tags": ["1.0", "\x1b[2J", None, "sha256:00", 3]})) as lister:
        [page] = [page async for page in tag_pages(client, f"{lister.host}/app")]
        assert isinstance(page, Ok)
        assert (page.value.entries, page.value.left_out) == (("1.0",), 4)
        assert await unwrap(list_tags(client, f"{lister.host}/app")) == ("1.0",)


async def test_a_registry_without_a_catalogue_says_so(client: Client) -> None:
    """Hosted registries have none; that is a fact to act on, and not a missing repository."""
    async with serving(lambda _: told({"errors": [{"code": "UNSUPPORTED"}]}, 404)) as lister:
        [reason] = await _all(repository_pages(client, lister.host))
        assert isinstance(reason, Unsupported)


async def test_the_tags_of_nothing_are_not_found(site: Site, client: Client) -> None:
    """An empty list would say that the repository exists."""
    [reason] = await _all(tag_pages(client, f"{site.repository}/none"))
    assert isinstance(reason, NotFound)
    assert isinstance(await _reason(get_manifest(client, f"{site.repository}/none:1.0")), NotFound)


@given(
    st.lists(st.lists(st.sampled_from([f"t{number}" for number in range(30)]), max_size=6), min_size=1, max_size=8),
    st.integers(1, 7),
)
@settings(max_examples=60)
async def test_however_a_list_is_cut_it_is_the_same_list(cut: list[list[str]], size: int) -> None:
    """Empty pages, short ones, tags that come again: each tag once, where it stood first, and one request a page."""

    def answer(target: str) -> Told:
        number = int(target.partition("at=")[2] or 0) if "last=" not in target else len(cut)
        if number >= len(cut):
            return told({"tags": []})
        return told({"tags": cut[number]}, following=f"?at={number + 1}" if number + 1 < len(cut) else None)

    async with connect() as client, serving(answer) as lister:
        tags = await unwrap(list_tags(client, f"{lister.host}/app", page_size=size))
        assert tags == tuple(dict.fromkeys(tag for page in cut for tag in page))
        in_doubt = len(cut) == 1 and len(cut[0]) == size
        assert len(lister.asked) == len(cut) + in_doubt
