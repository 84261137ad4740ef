"""A server that is no registry, and answers whatever it likes: a push ends, with a reason, whatever that is."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_fp import PushOptions, connect, docker_save, explain, push
from registry_fp.domain.errors import Reason
from registry_fp.effect.exits import Err, settle
from tests.faults import image
from tests.faults.image import Archive
from tests.transport.chaos import Visit, chaos
from tests.transport.clocks import InstantClock

STATUSES = [200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 405, 413, 416, 429, 500, 503, 999]
HEADERS = [
    "Location: /v2/app/blobs/uploads/1?_state=%2F",
    "Location: /",
    "Location: //two.invalid/",
    "Location: http://[::1",
    "Location: /\xff",
    "Range: 0-0",
    "Range: 0-99999999999999999999",
    "Range: bytes 1-2/3",
    "Docker-Content-Digest: sha256:" + "0" * 64,
    "Docker-Content-Digest: nonsense",
    "Retry-After: 5",
    "Retry-After: 99999999",
    "Content-Type: text/html",
    "Content-Type: application/vnd.oci.image.manifest.v1+json",
    "WWW-Authenticate: Basic",
    'WWW-Authenticate: Bearer realm="http://169.254.169.254/"',
    "Content-Encoding: gzip",
    "Transfer-Encoding: chunked",
    "OCI-Chunk-Min-Length: -1",
    "Set-Cookie: a=b",
    "Content-Length: 5",
    "X: \x1b[31m",
]
BODIES = [
    b"",
    b"{}",
    b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}',
    b'{"errors": null}',
    b"<html>",
    b"\xff" * 70_000,
]

answers = st.builds(
    lambda status, headers, body, length: (
        f"HTTP/1.1 {status} X\r\n{''.join(f'{each}{chr(13)}{chr(10)}' for each in headers)}".encode("latin-1")
        + (b"Content-Length: %d\r\n" % len(body) if length else b"")
        + b"Connection: close\r\n\r\n"
        + body
    ),
    st.sampled_from(STATUSES),
    st.lists(st.sampled_from(HEADERS), max_size=3),
    st.sampled_from(BODIES),
    st.booleans(),
)
replies = (
    answers
    | st.sampled_from([b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nCont", b"HTTP/9.9 200\r\n\r\n"])
    | st.binary(max_size=60)
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The image; read only."""
    return image.write_mixed(tmp_path_factory.mktemp("hostile") / "app.tar")


@settings(max_examples=200, derandomize=True)
@given(script=st.lists(replies, min_size=1, max_size=12))
def test_a_push_to_a_server_that_answers_anything_ends_in_a_reason(archive: Archive, script: list[bytes]) -> None:
    """In bounds of requests and time, without an exception, and without a success."""

    async def main() -> None:
        time, asked = InstantClock(), 0

        async def answering(visit: Visit) -> None:
            nonlocal asked
            await visit.hear()
            asked += 1
            await visit.say(script[(asked - 1) % len(script)])

        limits = image.settings(answer_timeout=1.0, idle_timeout=1.0)
        async with chaos(answering) as server, connect(limits, clock=time.clock) as client:
            options = PushOptions(concurrency=4)
            out = await settle(push(client, docker_save(archive.path), f"{server.host}/app:1.0", options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, get_args(Reason))
        assert explain(out.error).isprintable() or "\n" in explain(out.error)
        assert "\x1b" not in explain(out.error)
        assert asked <= 150
        assert time.passed <= 400.0

    asyncio.run(main())
