"""Bodies on their way out: cut where nobody takes them, never completed by mistake, and always closed."""

from __future__ import annotations

import asyncio

import pytest
from returns.result import Failure, Success

from registry_fp import Settings, connect, put_blob
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.message import Body, Chunks
from registry_fp.testing import EmbeddedRegistry
from tests.transport.chaos import OK, Visit, chaos, gone, say
from tests.transport.clocks import InstantClock
from tests.transport.sending import body_of, failing_body, request, sent

QUICK = Settings(idle_timeout=0.3, answer_timeout=0.3, retries=1, cache=False)
LARGE = bytes(1024 * 1024)
BROKEN = RegistryError("push", "app.tar", why.InvalidImage("diff_id mismatch", "layer.tar"))


@pytest.mark.parametrize("length", [None, 64 * len(LARGE)])
async def test_a_server_that_stops_reading_is_given_up(length: int | None) -> None:
    """A read timeout does not see it: nothing is read while a large body is sent (aiohttp has none for writing)."""
    opened: list[str] = []
    body = body_of(*[LARGE] * 64, length=length, opened=opened)

    async def deaf(visit: Visit) -> None:
        await visit.hear()
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        await asyncio.Event().wait()

    async with chaos(deaf) as server, connect(QUICK, clock=InstantClock().clock) as client:
        out = await settle(sent(client, request(server.host, method="PATCH", body=body, repeat="never")))
    assert isinstance(out, Err)
    assert (out.error.reason, out.error.attempts) == (why.TimedOut("write", 0.3), 1)
    assert opened == ["opened", "closed"]


async def test_a_server_that_takes_all_and_says_nothing_is_given_up() -> None:
    """The body is gone, so it is the answer that is waited for, with the patience of the request."""
    async with chaos(say(then=gone)) as server, connect(QUICK, clock=InstantClock().clock) as client:
        out = await settle(sent(client, request(server.host, method="PUT", body=b"x" * 100, repeat="never")))
    assert isinstance(out, Err)
    assert out.error.reason == why.TimedOut("response", 0.3)


@pytest.mark.parametrize("status", ["201 Created", "401 Unauthorized", "413 Too Large", "503 Unavailable"])
async def test_an_answer_before_the_end_of_the_body_is_heard(status: str) -> None:
    """A registry that has seen enough answers at once; its word must not drown in a broken connection."""
    opened: list[str] = []
    early = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    body = body_of(*[LARGE] * 64, opened=opened)
    async with chaos(say(early, then=gone)) as server, connect(QUICK, clock=InstantClock().clock) as client:
        out = await settle(sent(client, request(server.host, method="PATCH", body=body, repeat="never")))
    if status.startswith("503"):
        assert isinstance(out, Err)
        assert out.error.reason == why.ServerFault(503)
    else:
        assert isinstance(out, Ok)
        assert out.value.status == int(status[:3])
    assert opened == ["opened", "closed"]


@pytest.mark.parametrize("length", [None, 9])
@pytest.mark.parametrize("before", [(), (b"abc",), (b"abcdefghi",)])
async def test_a_body_that_fails_is_its_own_reason_and_never_arrives_whole(
    length: int | None, before: tuple[bytes, ...]
) -> None:
    """A layer that is found out on the way must not become a blob, be it after its last byte."""
    heard: list[bytes] = []

    async def listen(visit: Visit) -> None:
        await visit.hear()
        while part := await visit.reader.read(65536):
            heard.append(part)

    async with chaos(listen) as server, connect(QUICK, clock=InstantClock().clock) as client:
        body = failing_body(BROKEN, *before, length=length)
        out = await settle(sent(client, request(server.host, method="PATCH", body=body)))
        assert isinstance(out, Err)
        assert out.error.reason == BROKEN.reason
        assert server.visits == 1
    assert not b"".join(heard).endswith(b"0\r\n\r\n")
    assert length is None or len(b"".join(heard)) < length


async def test_a_source_that_takes_its_time_at_the_end_costs_no_connection() -> None:
    """A server answers as soon as it has the last byte; who is still sending then hangs up (aiohttp)."""
    ended: list[bytes] = []

    async def thorough() -> Chunks:
        yield Success(b"abc")
        for _ in range(100):  # proving what it gave, and ending what it read from
            await asyncio.sleep(0)
        ended.append(b"abc")

    async with EmbeddedRegistry() as registry, connect(QUICK) as client:
        for _ in range(3):
            wanted = request(registry.host, "/v2/app/manifests/1.0", "PUT", body=Body(thorough, 3), repeat="never")
            assert isinstance(await settle(sent(client, wanted)), Ok)
        assert registry.counts().connections == 1
    assert len(ended) == 3


@pytest.mark.parametrize(("parts", "length"), [((b"abc",), 9), ((b"abcdefghij",), 9), ((), 1), ((b"abc", b"x"), 3)])
async def test_a_body_of_another_length_than_it_says_is_a_changed_source(parts: tuple[bytes, ...], length: int) -> None:
    """Aiohttp sends what is too short as it is, and cuts what is too long; both would be another blob."""
    async with chaos(say(then=gone)) as server, connect(QUICK, clock=InstantClock().clock) as client:
        wanted = request(server.host, method="PATCH", body=body_of(*parts, length=length), repeat="never")
        out = await settle(sent(client, wanted))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.SourceChanged)


async def test_a_bug_in_a_body_is_raised_and_not_blamed_on_the_network() -> None:
    """A broken connection is tried again; a bug must be seen."""

    async def buggy() -> Chunks:
        yield Success(b"abc")
        raise ZeroDivisionError

    async with chaos(say(then=gone)) as server, connect(QUICK) as client:
        with pytest.raises(ZeroDivisionError):
            await settle(sent(client, request(server.host, method="PATCH", body=Body(buggy, None))))


@pytest.mark.parametrize("content", [b"", b"x", bytes(300_000)])
async def test_a_blob_of_any_size_is_stored_as_it_is(content: bytes) -> None:
    """Nothing at all is a blob too, and an empty chunk must not end a chunked body early."""
    async with EmbeddedRegistry() as registry, connect(QUICK) as client:
        stored = await settle(put_blob(client, f"{registry.host}/app", content))
        assert isinstance(stored, Ok)
        assert stored.value.digest == digest_of(content)
        assert [seen.content_length for seen in registry.requests if seen.method == "PUT"] == [len(content)]


async def test_chunks_of_any_size_arrive_as_they_are() -> None:
    """Empty ones, and larger ones than a socket takes at once."""
    parts = (b"", b"a", b"", bytes(1_000_000), b"", b"z", b"")
    heard = bytearray()

    async def listen(visit: Visit) -> None:
        await visit.hear()
        while not heard.endswith(b"0\r\n\r\n"):
            heard.extend(await visit.reader.read(65536))
        await visit.say(OK)

    async with chaos(listen) as server, connect(QUICK) as client:
        out = await settle(sent(client, request(server.host, method="PATCH", body=body_of(*parts))))
        assert isinstance(out, Ok)
    content, rest = bytearray(), bytes(heard)
    while rest != b"0\r\n\r\n":
        size, _, rest = rest.partition(b"\r\n")
        content += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    assert bytes(content) == b"".join(parts)


async def test_a_cancelled_request_closes_its_body_before_it_ends() -> None:
    """The file behind the body is closed next, and nobody may be reading from it."""
    opened: list[str] = []
    heard = asyncio.Event()

    async def listen(visit: Visit) -> None:
        await visit.hear()
        heard.set()
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        await asyncio.Event().wait()

    async with chaos(listen) as server, connect(Settings(cache=False)) as client:
        wanted = request(server.host, method="PATCH", body=body_of(*[LARGE] * 64, opened=opened))
        job = asyncio.ensure_future(settle(sent(client, wanted)))
        await heard.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert opened == ["opened", "closed"]


async def test_a_failure_while_the_answer_is_read_is_the_callers() -> None:
    """Whoever consumes an answer may fail for reasons of his own, and nothing is repeated for them."""
    async with chaos(say(OK, then=gone)) as server, connect(QUICK) as client:

        async def receive(_: object) -> Failure[RegistryError]:
            return Failure(BROKEN)

        out = await settle(client.exchange(request(server.host), receive))
        assert isinstance(out, Err)
        assert (out.error.reason, out.error.attempts, server.visits) == (BROKEN.reason, 1, 1)
