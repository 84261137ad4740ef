"""Redirects: followed for reads, exactly as they were written, and never for a write or down from https."""

from __future__ import annotations

import pytest
from returns.result import Success
from yarl import URL

from registry_fp import Settings, connect, get_blob, put_blob
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.message import Chunks, Incoming, Method, Request
from registry_fp.transport.redirect import HOPS, after_redirect
from tests.transport.chaos import answer, chaos
from tests.transport.sending import request, sent

SETTINGS = Settings(cache=False, retries=0)
BLOB = b"somewhere"


def redirected(location: str | None, *, method: Method = "GET", origin: str = "https://one.example") -> object:
    """What becomes of a redirect, on whichever track."""
    asked = Request("test", "x", method, URL(f"{origin}/v2/app/blobs/1", encoded=True))
    headers = {} if location is None else {"location": location}
    out = after_redirect(asked, Incoming(307, headers, asked.url, _nothing()))
    return str(out.unwrap()) if isinstance(out, Success) else out.failure()


async def _nothing() -> Chunks:
    yield Success(b"")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://two.example/a%2Fb?X-Sig=a%2Bb%3D&y='%7e", "https://two.example/a%2Fb?X-Sig=a%2Bb%3D&y='%7e"),
        ("/a", "https://one.example/a"),
        ("2", "https://one.example/v2/app/blobs/2"),
        ("//two.example/a", "https://two.example/a"),
        ("?x", "https://one.example/v2/app/blobs/1?x"),
        ("https://two.example/a#top", "https://two.example/a"),
    ],
)
def test_a_read_follows_to_exactly_what_was_written(location: str, target: str) -> None:
    """A signed URL that is spelled otherwise is refused by the store (aio-libs/aiohttp#7183)."""
    assert redirected(location) == target


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        (None, why.ProtocolViolation),
        ("", why.ProtocolViolation),
        ("http://[::1", why.ProtocolViolation),
        ("https://two.example:99999/", why.ProtocolViolation),
        ("/\udcff", why.ProtocolViolation),
        ("javascript:alert(1)", why.ProtocolViolation),
        ("file:///etc/passwd", why.ProtocolViolation),
        ("http://one.example/a?secret", why.PolicyRefused),
        ("ftp://two.example/a", why.PolicyRefused),
        ("https://user:secret@two.example/a", why.PolicyRefused),
    ],
)
def test_a_redirect_that_leads_down_or_nowhere_is_refused(location: str | None, kind: type) -> None:
    """From https to http everybody on the way could read and change what is pulled."""
    refused = redirected(location)
    assert isinstance(refused, kind)
    assert "secret" not in repr(refused)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_never_redirected(method: Method) -> None:
    """What was meant for one registry must not be stored in, or deleted from, another one."""
    assert isinstance(redirected("https://one.example/a", method=method), why.PolicyRefused)


async def test_a_signed_url_arrives_as_it_was_sent() -> None:
    """Down to the byte on the wire, through everything that could quote it again."""
    path = "/x%2Fy%40z/'!$?X-Amz-Signature=a%2Bb%3D%7E&list=1,2;3"
    async with chaos(answer(body=BLOB)) as store:
        there = answer("307 Go", Location=f"http://{store.host}{path}")
        async with chaos(there) as server, connect(SETTINGS) as client:
            assert await settle(get_blob(client, f"{server.host}/app", digest_of(BLOB))) == Ok(BLOB)
        assert store.heads[0].split(b" ")[1] == path.encode()
        assert b"Accept-Encoding: identity\r\n" in store.heads[0]


@pytest.mark.parametrize("hops", [1, HOPS, HOPS + 1])
async def test_a_chain_of_redirects_has_an_end(hops: int) -> None:
    """Five are generous, and a circle is cut."""
    path = "/v2/app/blobs/x"
    chain = [answer("307 Go", Location=path, Connection="close", repeatedly=False) for _ in range(hops)]
    async with chaos(*chain, answer(body=BLOB)) as server, connect(SETTINGS) as client:
        out = await settle(sent(client, request(server.host, path)))
    if hops <= HOPS:
        assert isinstance(out, Ok)
        assert out.value.body == BLOB
    else:
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.PolicyRefused)


async def test_an_upload_that_is_sent_elsewhere_is_refused_and_nothing_goes_there() -> None:
    """A Location on another host would carry a private image there."""
    async with chaos(answer("201 Created")) as thief:
        async with (
            chaos(answer("202 Go", Location=f"http://{thief.host}/u/1?x")) as server,
            connect(SETTINGS) as client,
        ):
            out = await settle(put_blob(client, f"{server.host}/app", BLOB))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.PolicyRefused)
        assert thief.visits == 0
