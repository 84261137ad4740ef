"""A blob whose size nobody promised: a registry decides how long it goes on, and we how much of it we take."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from registry_fp import Client, Descriptor, RegistryError, connect, consume_blob, get_blob, parse_digest, settle
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err
from registry_fp.protocol.message import Chunks
from tests.faults.image import settings
from tests.transport.chaos import Visit, chaos, endless, say

DIGEST = parse_digest(f"sha256:{'0' * 64}").unwrap()
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"
LIMIT = 4 * 1024 * 1024


async def _counted(chunks: Chunks) -> Result[int, RegistryError]:
    size = 0
    async for chunk in chunks:
        if isinstance(chunk, Failure):
            return Failure(chunk.failure())
        size += len(chunk.unwrap())
    return Success(size)


async def _refused(client: Client, host: str, blob: Descriptor | None = None) -> why.Reason:
    out = await settle(consume_blob(client, f"{host}/app", blob or DIGEST, _counted, limit=LIMIT))
    assert isinstance(out, Err)
    assert out.error.target == f"{host}/app@{DIGEST}"
    return out.error.reason


async def test_a_blob_that_does_not_end_is_left_at_the_limit() -> None:
    """Bytes come as fast as they are taken, so neither the idle limit nor the minimum rate would ever end it."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with chaos(say(head, then=endless(CHUNK))) as server, connect(settings()) as client:
        assert await _refused(client, server.host) == why.LimitExceeded("bytes of a blob", LIMIT)
        out = await settle(get_blob(client, f"{server.host}/app", DIGEST, limit=LIMIT))
        assert isinstance(out, Err)
        assert out.error.reason == why.LimitExceeded("bytes of a blob", LIMIT)
        assert server.visits == 2  # asking again would not help
        assert server.sent < 2 * LIMIT + 64 * 1024 * 1024


async def test_what_the_registry_itself_says_of_the_size_is_no_promise() -> None:
    """Four exbibytes, with a straight face."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\n"
    async with chaos(say(head, then=endless(CHUNK))) as server, connect(settings()) as client:
        assert await _refused(client, server.host) == why.LimitExceeded("bytes of a blob", LIMIT)


async def test_a_blob_that_breaks_again_and_again_is_counted_as_one() -> None:
    """Each connection brings a little and ends; the parts together are what the limit is about."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def part(visit: Visit) -> None:
        heard = await visit.hear()
        start = heard.partition(b"bytes=")[2].partition(b"-")[0]
        if start:
            ranged = b"HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes %s-99999999/*\r\n\r\n"
            await visit.say(ranged % start, *(CHUNK,) * 8)
        else:
            await visit.say(head, *(CHUNK,) * 8)

    async with chaos(part) as server, connect(settings()) as client:
        assert isinstance(await _refused(client, server.host), why.LimitExceeded | why.ProtocolViolation)
        assert server.sent < 4 * LIMIT


async def test_a_promised_size_is_the_bound_where_there_is_one() -> None:
    """A layer of a manifest may be as large as the manifest says: the limit is for what nothing is known of."""
    wanted = Descriptor(media_type="application/octet-stream", digest=DIGEST, size=2 * LIMIT)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with chaos(say(head, then=endless(CHUNK))) as server, connect(settings()) as client:
        assert isinstance(await _refused(client, server.host, wanted), why.SizeMismatch)
