"""Pages: where a listing goes on, and where it must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.reference import Repository
from registry_fp.protocol.page import following_page, next_page
from registry_fp.protocol.tag import list_tags
from tests.protocol.answers import taken, texts

HERE = URL("https://one.example/v2/app/tags/list?n=2")
PATH = "/v2/app/tags/list"


@pytest.mark.parametrize(
    ("link", "query"),
    [
        (None, None),
        ("", None),
        (" , ,", None),
        (f'<{PATH}?n=2&last=b>; rel="next"', "?n=2&last=b"),
        (f"<{PATH}?n=2&last=b>; rel=next", "?n=2&last=b"),
        (f"<{PATH}?last=b>;rel=NEXT", "?last=b"),
        ("<?last=b>; rel=next", "?last=b"),
        ("<list?last=b>; rel=next", "?last=b"),
        (f"<https://one.example{PATH}?last=%2Fb>; rel=next", "?last=%2Fb"),
        (f"<https://ONE.example:443{PATH}?last=b>; rel=next", "?last=b"),
        (f"<{PATH}?last=b#x>; rel=next", "?last=b"),
        (f"<{PATH}?first>; rel=prev", None),
        (f"<{PATH}?first>; rel=prev, <{PATH}?last=b>; rel=next", "?last=b"),
        (f'<{PATH}?last=b>; title="a, b; rel=prev"; rel=next', "?last=b"),
        (f'<{PATH}?last=b>; rel="prev next"', "?last=b"),
        (f"<{PATH}?last=b>; rel=prev; rel=next", None),  # RFC 8288, 3.3: the first one counts
        (f"<{PATH}?last=b>", None),
        (f"<{PATH}?last=b>; rel", None),
        (f"<{PATH}?a>; rel=next, <{PATH}?b>; rel=next", "?a"),
        ("<https://docs.example/?q=next>; rel=help", None),
    ],
)
def test_the_next_page_is_where_the_link_says(link: str | None, query: str | None) -> None:
    """A listing that stops after its first page looks complete, and is not."""
    out = next_page(HERE, link).unwrap()
    assert (None if out is None else out.raw_query_string) == (None if query is None else query[1:])


@pytest.mark.parametrize(
    "link",
    [
        "garbage",
        f"{PATH}?last=b; rel=next",
        f"<{PATH}?last=b",
        f'<{PATH}?last=b>; rel="next',
        f"<{PATH}?last=b>; rel=next garbage",
        f"<{PATH}?last=b> rel=next",
        "; rel=next",
        "<>; rel=next",
        "<http://[::1>; rel=next",
        "</a b>; rel=next",
        "<javascript:alert(1)>; rel=next",
    ],
)
def test_a_link_that_cannot_be_read_is_a_failure(link: str) -> None:
    """It may hold the way on: half a listing must not pass for the whole."""
    assert isinstance(taken(next_page(HERE, link)), why.ProtocolViolation)


@pytest.mark.parametrize(
    "target",
    [
        "https://two.example/v2/app/tags/list?last=b",
        "//two.example/v2/app/tags/list",
        "http://one.example/v2/app/tags/list",
        "https://one.example:444/v2/app/tags/list",
        "/v2/other/tags/list",
        "/v2/app/tags/list/../../../_catalog",
        "https://user:word@one.example/v2/app/tags/list?secret",
    ],
)
def test_a_listing_stays_where_it_is(target: str) -> None:
    """A Link to another host makes a client fetch what an attacker chooses (GHSA-h7vf-4x9w-h99v)."""
    refused = taken(next_page(HERE, f"<{target}>; rel=next"))
    assert isinstance(refused, why.PolicyRefused)
    assert "word" not in refused.url
    assert "secret" not in refused.url


@given(texts | st.text('<>;,="\\ relnxt/?', max_size=60))
def test_no_link_breaks_the_reader_or_leads_away(link: str) -> None:
    """A header is as hostile as its server."""
    out = next_page(HERE, link)
    if isinstance(out, Success) and (url := out.unwrap()) is not None:
        assert (url.origin(), url.raw_path) == (HERE.origin(), PATH)


@pytest.mark.parametrize(
    "piece", ["<", "<>", "<a>", "<a>,", "; ", ' ;a="', '\\"', " ", "a", '<a>; rel="', "<a>;", "=", ","]
)
def test_a_long_link_takes_no_longer_than_it_is_long(piece: str) -> None:
    """Four megabytes of header, which is what a server can send, must not stop every other push of the service."""
    for start in ("", "<a>", "<a>;", '<a>;rel="'):
        taken(next_page(HERE, start + piece * (400_000 // len(piece))))


def test_a_page_on_another_origin_is_asked_for_without_credentials() -> None:
    """After a redirect the listing goes on where it was answered, and the credentials stay at home."""
    first = list_tags(URL("https://one.example"), Repository("one.example", "app"))
    assert not following_page(first, URL("https://one.example:443/v2/app/tags/list?last=b")).stray
    assert following_page(first, URL("https://two.example/v2/app/tags/list?last=b")).stray
