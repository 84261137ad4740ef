"""Redaction: what of a message may be shown, by example and as a law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from registry_fp.domain.printable import printable
from registry_fp.protocol.location import shown
from registry_fp.protocol.redaction import redacted_headers, redacted_url
from tests.secrets.sentinels import found_in

SECRET = "s3kr1t000000x"  # noqa: S105  it is the sentinel
BASE = URL("https://ghcr.io/v2/")


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://ghcr.io/v2/", "https://ghcr.io/v2/"),
        ("https://ghcr.io/v2/a/b/manifests/1.4?ns=docker.io", "https://ghcr.io/v2/a/b/manifests/1.4?ns=docker.io"),
        ("http://[::1]:5000/v2/_catalog?n=10&last=a%2Fb", "http://[::1]:5000/v2/_catalog?n=10&last=***"),
        ("https://ghcr.io/v2/a/blobs/uploads/?mount=sha256:00&from=b", None),
        (f"https://ghcr.io/v2/a/blobs/uploads/{SECRET}", "https://ghcr.io/v2/a/blobs/uploads/***"),
        (f"https://ghcr.io/v2/a/blobs/uploads/{SECRET}/{SECRET}?digest=1", None),
        (f"https://ghcr.io/artifacts-uploads/{SECRET}?{SECRET}", "https://ghcr.io/***?***"),
        (f"https://ada:{SECRET}@ghcr.io/v2/#{SECRET}", "https://ghcr.io/v2/"),
        (f"https://s3.example/{SECRET}?X-Amz-Signature={SECRET}&n=1", "https://s3.example/***?X-Amz-Signature=***&n=1"),
        (f"https://s3.example/?%73={SECRET}&{SECRET}=1&n={SECRET * 50}", None),
    ],
)
def test_a_url_is_shown_without_what_it_allows(url: str, seen: str | None) -> None:
    """Who knows an upload's URL can write to it, and who knows a signed one can read what it is for."""
    redacted = redacted_url(URL(url, encoded=True))
    assert seen is None or redacted == seen
    assert SECRET not in redacted or f"{SECRET}=" in redacted  # what a parameter is called is no secret


@given(st.text(), st.text(), st.text(alphabet="abc/?&=%#@:.\\~"))
def test_what_is_shown_of_a_url_is_one_short_line(user: str, query: str, path: str) -> None:
    """Servers write URLs, and a log has lines."""
    try:
        url = URL(f"https://one.example/{path}").with_user(user or None).with_query({"q": query})
    except ValueError:
        return
    for each in (redacted_url(url), shown(url)):
        assert each.isprintable()
        assert len(each) < 400


NAMES = st.sampled_from(
    ["Authorization", "Set-Cookie", "Cookie", "X-Auth-Token", "Docker-Upload-UUID", "Location", "Link", "X-Any"]
)


@given(
    NAMES,
    st.sampled_from(
        [
            "{}",
            "Bearer {}",
            "Basic {}",
            "https://s3.example/{}",
            "/v2/app/blobs/uploads/{}",
            '<https://s3.example/a?page={}>; rel="next"',
            "{}, <{}>",
            "https://ada:{}@ghcr.io/",
        ],
    ),
)
def test_a_header_that_can_be_secret_is_not_shown(name: str, form: str) -> None:
    """Only what is known to be harmless is; a header that nobody has heard of is not."""
    lines = redacted_headers({name: form.replace("{}", SECRET)}, BASE)
    assert [line.partition(": ")[0] for line in lines] == [name.lower()]
    assert not found_in("".join(lines))


def test_a_challenge_is_shown_as_far_as_it_helps() -> None:
    """Why a login does not work is seen here or nowhere."""
    header = f'Bearer realm="https://ada:{SECRET}@auth.example/token?x={SECRET}",service="s",scope="repository:a:pull",x="{SECRET}"'
    assert redacted_headers({"WWW-Authenticate": header}, BASE) == (
        'www-authenticate: bearer realm="https://auth.example/token" service="s" scope="repository:a:pull" x=***',
    )


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_headers_are_shown_as_printable_lines(headers: dict[str, str]) -> None:
    """Also names and values that HTTP does not allow: who shows them need not know how they came."""
    for line in redacted_headers(headers, BASE):
        assert line.isprintable()


@given(st.text(), st.integers(0, 50))
def test_printable_text_is_short_has_one_line_and_is_left_alone(text: str, most: int) -> None:
    """Escape sequences, line ends and bidirectional overrides become what can be read."""
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert len(printable(text, most)) <= 10 * most + 3
    if text.isprintable():
        assert printable(text) == text


def test_of_a_long_list_of_links_only_the_beginning_is_read() -> None:
    """A line of the log is short; four megabytes of links would keep everybody waiting for half a minute."""
    link = "<https://one.example/v2/app/tags/list?n=2>; rel=next"
    assert redacted_headers({"Link": f"{' ' * 1000}{link}"}, BASE) != ("link: ***",)
    assert redacted_headers({"Link": f"{' ' * 100_000}{link}"}, BASE) == ("link: ***",)
    assert redacted_headers({"Link": f"<{'a' * 100_000}>"}, BASE) == ("link: ***",)
