"""Reads under faults: the exact bytes, or a reason; never other bytes, and never half of them."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Descriptor,
    Settings,
    connect,
    consume_blob,
    get_blob,
    get_manifest,
    head_manifest,
    list_tags,
    ping,
    put_blob,
    put_manifest,
    unwrap,
)
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.manifest import RawManifest, parse_manifest
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.operations import listing
from registry_fp.protocol.message import Chunks
from registry_fp.testing import (
    Answer,
    Corrupt,
    Drop,
    DropAfter,
    EmbeddedRegistry,
    Fault,
    Stall,
    WrongDigestHeader,
)
from registry_fp.testing.faults import Action
from tests.transport.chaos import Visit, answer, chaos
from tests.transport.clocks import InstantClock

BLOB = os.urandom(200_000)
DIGEST = digest_of(BLOB)
RAW = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
MANIFEST: RawManifest = parse_manifest(RAW).unwrap()
SETTINGS = Settings(cache=False, answer_timeout=0.3, idle_timeout=0.3)

PASSING: dict[str, Action] = {
    "503": Answer(503),
    "reset": Drop(),
    "end": Drop(reset=False),
    "cut at the start": DropAfter(1),
    "cut in the middle": DropAfter(90),
    "stall": Stall(),
    "stall in the middle": Stall(90),
}


@pytest.fixture
async def registry() -> AsyncIterator[EmbeddedRegistry]:
    """A registry with a blob and a manifest."""
    async with EmbeddedRegistry() as running, connect(SETTINGS) as client:
        await unwrap(put_blob(client, f"{running.host}/app", BLOB))
        await unwrap(put_manifest(client, f"{running.host}/app:1.0", MANIFEST))
        running.reset_counts()
        yield running


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that never waits between attempts."""
    async with connect(SETTINGS, clock=InstantClock().clock) as connected:
        yield connected


async def _all(chunks: Chunks) -> Result[bytes, RegistryError]:
    parts = []
    async for chunk in chunks:
        if isinstance(chunk, Failure):
            return Failure(chunk.failure())
        parts.append(chunk.unwrap())
    return Success(b"".join(parts))


@pytest.mark.parametrize("fault", PASSING)
async def test_a_read_survives_a_passing_fault(registry: EmbeddedRegistry, client: Client, fault: str) -> None:
    """From its beginning, since nobody has seen anything of it yet."""
    registry.set_faults(Fault(PASSING[fault], nth=(1, 3, 5, 7)))
    assert await settle(get_blob(client, f"{registry.host}/app", DIGEST)) == Ok(BLOB)
    assert await settle(get_manifest(client, f"{registry.host}/app:1.0")) == Ok(MANIFEST)
    assert await settle(head_manifest(client, f"{registry.host}/app:1.0")) == Ok(MANIFEST.descriptor)
    assert await settle(list_tags(client, f"{registry.host}/app")) == Ok(("1.0",))


@pytest.mark.parametrize("at", [0, 1000, len(BLOB) - 1])
async def test_one_wrong_bit_is_found(registry: EmbeddedRegistry, client: Client, at: int) -> None:
    """Of the right size, from a proxy that means well."""
    registry.set_faults(Fault(Corrupt(at), endpoint="end-2"))
    for read in (
        get_blob(client, f"{registry.host}/app", DIGEST),
        consume_blob(client, f"{registry.host}/app", DIGEST, _all),
    ):
        out = await settle(read)
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.DigestMismatch)
        assert out.error.reason.expected == DIGEST


async def test_a_manifest_with_one_wrong_bit_is_found(registry: EmbeddedRegistry, client: Client) -> None:
    """By tag too, where the registry's own header tells what it should have been."""
    registry.set_faults(Fault(Corrupt(5), endpoint="end-3"))
    for name in ("app:1.0", f"app@{MANIFEST.digest}"):
        out = await settle(get_manifest(client, f"{registry.host}/{name}"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.DigestMismatch)


async def test_a_header_that_names_another_digest_is_a_failure(registry: EmbeddedRegistry, client: Client) -> None:
    """Whom to believe is not ours to decide."""
    registry.set_faults(Fault(WrongDigestHeader()))
    out = await settle(get_manifest(client, f"{registry.host}/app:1.0"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.DigestMismatch)


@pytest.mark.parametrize("action", [DropAfter(120_000), Stall(120_000), Answer(503)], ids=str)
async def test_a_stream_that_breaks_goes_on_where_it_broke(
    registry: EmbeddedRegistry, client: Client, action: Action
) -> None:
    """What the consumer has seen does not come twice, and what it has not seen does."""
    registry.set_faults(Fault(action, endpoint="end-2", nth=(1,)))
    assert await settle(consume_blob(client, f"{registry.host}/app", DIGEST, _all)) == Ok(BLOB)
    assert registry.counts().requests == 2
    assert registry.counts().blob_bytes_out <= len(BLOB)


@pytest.mark.parametrize("action", [DropAfter(1), Stall(1), Corrupt(150_000)], ids=str)
async def test_a_stream_that_does_not_get_on_ends_in_a_failure(
    registry: EmbeddedRegistry, client: Client, action: Action
) -> None:
    """The last that the consumer sees is that it was not all; bytes that are wrong are not asked for again."""
    seen: list[Result[bytes, RegistryError]] = []

    async def watch(chunks: Chunks) -> Result[bytes, RegistryError]:
        seen.extend([chunk async for chunk in chunks])
        last = seen[-1]
        return last if isinstance(last, Failure) else Success(b"whole")

    registry.set_faults(Fault(action, endpoint="end-2"))
    out = await settle(consume_blob(client, f"{registry.host}/app", DIGEST, watch))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.ConnectionLost | why.TimedOut | why.DigestMismatch)
    assert registry.counts().requests == out.error.attempts == (1 if isinstance(action, Corrupt) else 5)
    assert all(isinstance(chunk, Success) for chunk in seen[:-1])


@pytest.mark.parametrize(("size", "kind"), [(len(BLOB) - 1, why.SizeMismatch), (len(BLOB) + 1, why.SizeMismatch)])
async def test_a_blob_of_another_size_than_promised_is_found(
    registry: EmbeddedRegistry, client: Client, size: int, kind: type
) -> None:
    """And one that has no end is not read to it."""
    promised = Descriptor(media_type="application/octet-stream", digest=DIGEST, size=size)
    out = await settle(consume_blob(client, f"{registry.host}/app", promised, _all))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, kind)


async def test_a_blob_that_is_larger_than_agreed_is_not_held_in_memory(
    registry: EmbeddedRegistry, client: Client
) -> None:
    """A registry decides how much it sends, and the caller how much it takes."""
    out = await settle(get_blob(client, f"{registry.host}/app", DIGEST, limit=1000))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.LimitExceeded)


_CIRCLE = why.ProtocolViolation("the pages of the listing lead in a circle")


async def test_pages_that_lead_in_a_circle_are_left(client: Client) -> None:
    """A page that names itself, and two that name each other (GHSA-298f-872v-2rcx)."""
    for pages in (1, 2):
        number = 0

        async def turning(visit: Visit, pages: int = pages) -> None:
            nonlocal number
            while True:
                await visit.hear()
                number += 1
                link = f"Link: </v2/app/tags/list?last={number % pages}>; rel=next\r\n".encode()
                await visit.say(b"HTTP/1.1 200 OK\r\n", link, b"Content-Length: 14\r\n\r\n", b'{"tags":["a"]}')

        async with chaos(turning) as server:
            out = await settle(list_tags(client, f"{server.host}/app"))
        assert isinstance(out, Err)
        assert (out.error.reason, number) == (_CIRCLE, pages + 1)


async def test_a_link_in_the_second_of_two_headers_is_followed(client: Client) -> None:
    """Repeated headers are one list (RFC 9110, 5.3), and a registry may have more to say than where it goes on."""

    async def two(visit: Visit) -> None:
        first = b"last=" not in await visit.hear()
        links = b"Link: <https://docs.example>; rel=help\r\nLink: <?last=a>; rel=next\r\n" if first else b""
        body = b'{"tags": ["a"]}' if first else b'{"tags": ["b"]}'
        await visit.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n", links, b"Content-Length: 15\r\n\r\n", body)

    async with chaos(two) as server:
        assert await settle(list_tags(client, f"{server.host}/app")) == Ok(("a", "b"))


async def test_pages_without_end_have_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new page each time, and on each of them nothing new."""
    monkeypatch.setattr(listing, "PAGES_LIMIT", 50)  # ten thousand take their time
    number = 0

    async def growing(visit: Visit) -> None:
        nonlocal number
        while True:
            await visit.hear()
            number += 1
            link = f"Link: </v2/app/tags/list?last={number}>; rel=next\r\n".encode()
            await visit.say(b"HTTP/1.1 200 OK\r\n", link, b"Content-Length: 2\r\n\r\n{}")

    async with chaos(growing) as server:
        out = await settle(list_tags(client, f"{server.host}/app"))
    assert isinstance(out, Err)
    assert (out.error.reason, number) == (why.LimitExceeded("pages in a listing", 50), 50)


async def test_a_registry_without_head_has_get(client: Client) -> None:
    """Not every registry has every method (distribution-spec: clients work with partial ones)."""

    async def partial(visit: Visit) -> None:
        while True:
            if (await visit.hear()).startswith(b"HEAD"):
                await visit.say(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")
            else:
                await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(RAW), RAW)

    async with chaos(partial) as server:
        assert await settle(head_manifest(client, f"{server.host}/app:1.0")) == Ok(MANIFEST.descriptor)


async def test_a_login_page_is_no_listing(client: Client) -> None:
    """A captive portal answers everything with 200."""
    async with chaos(answer(body=b"<html>log in</html>", Content_Type="text/html")) as server:
        for read in (list_tags(client, f"{server.host}/app"), ping(client, server.host)):
            assert isinstance(await settle(read), Err)


@contextmanager
def _no_more_files() -> Iterator[None]:
    """As if the process had opened all the files that it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    fillers = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        while True:
            try:
                fillers.append(os.dup(0))
            except OSError:
                break
        yield
    finally:
        for each in fillers:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_process_without_free_descriptors_says_so(registry: EmbeddedRegistry, client: Client) -> None:
    """It is this machine that is full, and not the registry that is down."""
    with _no_more_files():
        out = await settle(ping(client, registry.host))
    assert isinstance(out, Err)
    assert (out.error.reason, out.error.attempts) == (why.LocalIo(errno.EMFILE, "a socket"), 1)
    assert await settle(ping(client, registry.host)) == Ok(None)
