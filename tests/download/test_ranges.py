"""Registries that answer a Range as they please: nothing is put together that does not belong together."""

from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from registry_fp import Client, Descriptor, connect
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.protocol.content_range import parse_content_range
from tests.download.conftest import SETTINGS
from tests.download.taking import Taken, take
from tests.transport.chaos import Chaos, Script, Visit, chaos
from tests.transport.clocks import InstantClock

BLOB = os.urandom(50_000)
HAVE = 20_000
WANTED = Descriptor(media_type="application/octet-stream", digest=digest_of(BLOB), size=len(BLOB))


def _head(status: str, *fields: str, length: int | None) -> bytes:
    sized = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *sized, *fields, "", ""]).encode()


def _says(head: bytes, body: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.hear()
        await visit.say(head, body)

    return script


FIRST = _says(_head("200 OK", 'ETag: "a"', "Docker-Content-Digest: sha256:aa", length=len(BLOB)), BLOB[:HAVE])
WHOLE = _says(_head("200 OK", length=len(BLOB)), BLOB)
REST = len(BLOB) - HAVE


def _rest(content_range: str, *fields: str, body: bytes = BLOB[HAVE:]) -> Script:
    return _says(_head("206 Partial Content", f"Content-Range: {content_range}", *fields, length=len(body)), body)


GOOD_RANGE = f"bytes {HAVE}-{len(BLOB) - 1}/{len(BLOB)}"

GOOD = {
    "with its total": _rest(GOOD_RANGE),
    "without a total": _rest(f"bytes {HAVE}-{len(BLOB) - 1}/*"),
    "of the same identity": _rest(GOOD_RANGE, 'ETag: "a"', "Docker-Content-Digest: sha256:aa"),
}

BAD = {
    "no Content-Range": _says(_head("206 Partial Content", length=REST), BLOB[HAVE:]),
    "no range": _rest("whatever"),
    "another start": _rest(f"bytes {HAVE - 1}-{len(BLOB) - 1}/{len(BLOB)}", body=BLOB[HAVE - 1 :]),
    "the start": _rest(f"bytes 0-{len(BLOB) - 1}/{len(BLOB)}", body=BLOB),
    "another total": _rest(f"bytes {HAVE}-{len(BLOB) - 1}/{len(BLOB) + 1}"),
    "beyond the end": _rest(f"bytes {HAVE}-{len(BLOB)}/*", body=BLOB[HAVE:] + b"x"),
    "another unit": _rest(f"lines {HAVE}-{len(BLOB) - 1}/{len(BLOB)}"),
    "another ETag": _rest(GOOD_RANGE, 'ETag: "b"'),
    "another digest": _rest(GOOD_RANGE, "Docker-Content-Digest: sha256:bb"),
    "416": _says(_head("416 Range Not Satisfiable", f"Content-Range: bytes */{len(BLOB)}", length=0), b""),
}


def _asked(server: Chaos) -> list[bool]:
    """Which requests were for a range."""
    return [f"range: bytes={HAVE}-".encode() in head.lower() for head in server.heads]


@pytest.mark.parametrize("case", GOOD)
async def test_the_rest_is_taken_for_the_rest(client: Client, case: str) -> None:
    """As far as anybody says what it is, it is that."""
    async with chaos(FIRST, GOOD[case]) as server:
        assert await take(client, f"{server.host}/app", WANTED) == Taken(BLOB, None)
    assert _asked(server) == [False, True]


@pytest.mark.parametrize("case", BAD)
async def test_what_is_not_the_rest_is_not_appended(client: Client, case: str) -> None:
    """The whole is asked for instead, and what is here already is passed over."""
    async with chaos(FIRST, BAD[case], WHOLE) as server:
        assert await take(client, f"{server.host}/app", WANTED) == Taken(BLOB, None)
    assert _asked(server) == [False, True, False]


@pytest.mark.parametrize("case", ["another start", "another ETag", "no range"])
async def test_a_registry_that_knows_only_parts_is_left(client: Client, case: str) -> None:
    """A part where the whole was asked for is no answer; it is not asked for a third time."""
    async with chaos(FIRST, BAD[case]) as server:
        taken = await take(client, f"{server.host}/app", WANTED)
    assert taken.error is not None
    assert (taken.content, isinstance(taken.error.reason, why.ProtocolViolation)) == (BLOB[:HAVE], True)
    assert server.visits == 3


async def test_a_416_to_the_whole_is_a_refusal(client: Client) -> None:
    """There is nothing left to ask for."""
    async with chaos(FIRST, BAD["416"]) as server:
        taken = await take(client, f"{server.host}/app", WANTED)
    assert taken.error is not None
    assert (taken.error.reason, server.visits) == (why.Refused(416), 3)


async def test_a_registry_without_ranges_sends_the_whole_again(client: Client) -> None:
    """Which costs time, and no byte that its user sees twice; through more than one cut."""
    second = _says(_head("200 OK", length=len(BLOB)), BLOB[: HAVE + 5000])
    async with chaos(FIRST, second, WHOLE) as server:
        assert await take(client, f"{server.host}/app", WANTED) == Taken(BLOB, None)
    assert server.visits == 3


async def test_a_registry_that_sends_ranges_piece_by_piece_is_asked_piece_by_piece(client: Client) -> None:
    """A part may be less than was asked for (RFC 9110, 15.3.7); that is no failure, and nothing waits for it."""
    middle = 35_000
    one = _rest(f"bytes {HAVE}-{middle - 1}/{len(BLOB)}", body=BLOB[HAVE:middle])
    two = _rest(f"bytes {middle}-{len(BLOB) - 1}/{len(BLOB)}", body=BLOB[middle:])
    time = InstantClock()
    async with connect(SETTINGS, clock=time.clock) as counted, chaos(FIRST, one, two) as server:
        assert await take(counted, f"{server.host}/app", WANTED) == Taken(BLOB, None)
    assert len(time.waits) == 1  # after the cut


async def test_a_registry_that_sends_a_part_of_nothing_ends_in_bounds(client: Client) -> None:
    """Pieces of a byte are no progress."""

    async def bit(visit: Visit) -> None:
        start = int((await visit.hear()).lower().partition(b"range: bytes=")[2].partition(b"-")[0])
        head = _head("206 Partial Content", f"Content-Range: bytes {start}-{start}/{len(BLOB)}", length=1)
        await visit.say(head, BLOB[start : start + 1])

    async with chaos(FIRST, bit) as server:
        taken = await take(client, f"{server.host}/app", WANTED)
    assert taken.error is not None
    assert (taken.error.reason, server.visits) == (why.ConnectionLost(1), taken.error.attempts)
    assert server.visits < 10


@pytest.mark.parametrize("size", [len(BLOB) - 1, len(BLOB) + 1])
async def test_another_size_than_promised_is_seen_before_the_first_byte(client: Client, size: int) -> None:
    """An answer that says it is of another size is not read."""
    async with chaos(WHOLE) as server:
        taken = await take(client, f"{server.host}/app", WANTED.model_copy(update={"size": size}))
    assert taken.error is not None
    assert (taken.content, taken.error.reason) == (b"", why.SizeMismatch(size, len(BLOB)))


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        ("200 OK", BLOB, None),
        ("200 OK", BLOB + b"x", why.SizeMismatch(len(BLOB), len(BLOB) + 1)),
        ("200 OK\r\nTransfer-Encoding: chunked", b"c350\r\n" + BLOB + b"\r\n0\r\n\r\n", None),
        ("200 OK\r\nTransfer-Encoding: chunked", b"1\r\nx\r\n0\r\n\r\n", why.SizeMismatch(len(BLOB), 1)),
        ("200 OK\r\nTransfer-Encoding: chunked", b"c350\r\n" + BLOB + b"\r\n1\r\nx", why.SizeMismatch(50_000, 50_001)),
    ],
)
async def test_an_answer_that_does_not_say_its_size_is_measured(
    client: Client, status: str, body: bytes, reason: why.Reason | None
) -> None:
    """Where only the end of an answer tells, a byte too few or too many is told from a connection that broke."""
    async with chaos(_says(_head(status, length=None), body)) as server:
        taken = await take(client, f"{server.host}/app", WANTED)
    assert (taken.error.reason if taken.error else None) == reason
    assert server.visits == 1


async def test_an_answer_that_ends_with_its_connection_may_have_been_cut(client: Client) -> None:
    """Too little without a length is a cut: the rest is asked for."""
    short = _says(_head("200 OK", length=None), BLOB[:HAVE])
    async with chaos(short, GOOD["with its total"]) as server:
        assert await take(client, f"{server.host}/app", WANTED) == Taken(BLOB, None)


async def test_an_answer_of_no_known_size_is_proven_by_its_digest(client: Client) -> None:
    """A digest alone, and an answer without a length: what came up to its end is all, or is wrong."""
    for body, right in ((BLOB, True), (BLOB[:HAVE], False)):
        async with chaos(_says(_head("200 OK", length=None), body)) as server:
            taken = await take(client, f"{server.host}/app", WANTED.digest)
        assert (taken.error is None) is right
        if taken.error is not None:
            assert isinstance(taken.error.reason, why.DigestMismatch)


async def test_a_blob_that_changes_between_two_answers_is_found(client: Client) -> None:
    """Of the same size, from a registry that names nothing: the digest tells."""
    other = bytes(REST)
    async with chaos(FIRST, _rest(GOOD_RANGE, body=other)) as server:
        taken = await take(client, f"{server.host}/app", WANTED)
    assert taken.error is not None
    assert isinstance(taken.error.reason, why.DigestMismatch)


async def test_a_range_that_is_sent_elsewhere_is_asked_for_there(client: Client) -> None:
    """A redirect to a store carries the range, and each attempt asks the registry anew: a signed URL does not last."""

    async def store(visit: Visit) -> None:
        if f"range: bytes={HAVE}-".encode() in (await visit.hear()).lower():
            await visit.say(_head("206 Partial", f"Content-Range: {GOOD_RANGE}", length=REST), BLOB[HAVE:])
        else:
            await visit.say(_head("200 OK", length=len(BLOB)), BLOB[:HAVE])

    async with chaos(store) as elsewhere:

        async def registry(visit: Visit) -> None:
            await visit.hear()
            signed = f"Location: http://{elsewhere.host}/signed?n={len(server.heads)}"
            await visit.say(_head("307 Temporary Redirect", signed, length=0))

        async with chaos(registry) as server:
            assert await take(client, f"{server.host}/app", WANTED) == Taken(BLOB, None)
    assert [head.split()[1] for head in elsewhere.heads] == [b"/signed?n=1", b"/signed?n=2"]


answers = st.one_of(
    st.sampled_from([BAD[case] for case in BAD] + [GOOD[case] for case in GOOD] + [FIRST, WHOLE]),
    st.builds(
        lambda first, last, total, body: _rest(f"bytes {first}-{last}/{total}", body=body),
        st.integers(0, 60_000),
        st.integers(0, 60_000),
        st.one_of(st.just("*"), st.integers(0, 60_000)),
        st.binary(max_size=200),
    ),
)


@profile(max_examples=60)
@given(scripts=st.lists(answers, min_size=1, max_size=8))
def test_whatever_a_registry_answers_the_bytes_are_right_or_the_end_is_a_reason(scripts: list[Script]) -> None:
    """No sequence of answers makes a success of wrong bytes, and each of them ends."""

    async def main() -> None:
        async with connect(SETTINGS, clock=InstantClock().clock) as client, chaos(*scripts) as server:
            taken = await take(client, f"{server.host}/app", WANTED)
        assert taken.error is not None or taken.content == BLOB
        assert server.visits <= len(scripts) + 8

    asyncio.run(main())


@given(text=st.text(max_size=40) | st.from_regex(r"bytes [0-9]{1,3}-[0-9]{1,3}/([0-9]{1,3}|\*)", fullmatch=True))
def test_a_content_range_is_one_or_none(text: str) -> None:
    """Whatever stands in the header: a part that lies within its whole, or nothing."""
    found = parse_content_range(text)
    if found is not None:
        assert 0 <= found.first < found.stop <= (found.stop if found.total is None else found.total)
        total = "*" if found.total is None else found.total
        assert parse_content_range(f"bytes {found.first}-{found.stop - 1}/{total}") == found
