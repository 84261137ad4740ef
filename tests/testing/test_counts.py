"""Counts: what tests assert on instead of mocks."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from registry_fp.testing import EmbeddedRegistry
from tests.testing.wire import Wire, eventually, image, sha256


def test_bytes_requests_and_open_uploads_are_counted(registry: EmbeddedRegistry, wire: Wire) -> None:
    """The bill of a push."""
    wire.put_image("app", "v1", image([b"layer"]), b"layer")
    wire.ask("GET", f"/v2/app/blobs/{sha256(b'layer')}", Range="bytes=1-2")
    wire.start("app")
    counts = registry.counts()
    assert dict(counts.by_endpoint) == {"end-4a": 3, "end-6": 2, "end-7a": 1, "end-2": 1}
    assert dict(counts.by_method) == {"POST": 3, "PUT": 3, "GET": 1}
    assert dict(counts.by_status) == {202: 3, 201: 3, 206: 1}
    assert (counts.requests, counts.connections, counts.uploads_open, counts.peak_in_flight) == (7, 1, 1, 1)
    assert (counts.blob_bytes_in, counts.blob_bytes_out) == (len(b"{}layer"), 2)
    assert (counts.manifest_bytes_in, counts.manifest_bytes_out) == (len(image([b"layer"])), 0)


def test_a_snapshot_does_not_change_and_a_reset_starts_anew(registry: EmbeddedRegistry, wire: Wire) -> None:
    """One phase of a test at a time: cold, then warm."""
    wire.ask("GET", "/v2/")
    before = registry.counts()
    wire.ask("GET", "/v2/")
    assert (before.requests, registry.counts().requests) == (1, 2)
    registry.reset_counts()
    assert (registry.counts().requests, registry.requests, registry.counts().in_flight) == (0, (), 0)


def test_a_request_is_remembered_without_its_secrets(registry: EmbeddedRegistry, wire: Wire) -> None:
    """Whether credentials were sent is a question of tests; what they were must reach no log."""
    secret = {"Authorization": "Bearer abc", "Cookie": "a=b; c=d", "Proxy_Authorization": "abc"}
    wire.ask("GET", "/v2/_catalog?n=5", Accept="text/x", **secret)
    seen = registry.requests[0]
    assert (seen.method, seen.path, seen.endpoint, seen.status, seen.bytes_in) == (
        "GET",
        "/v2/_catalog",
        "catalog",
        200,
        0,
    )
    assert (seen.authorized, seen.headers["authorization"], seen.headers["accept"]) == (True, "Bearer", "text/x")
    assert "abc" not in str(registry.requests)
    assert "c=d" not in str(registry.requests)


async def test_the_most_requests_at_once_are_known(registry: EmbeddedRegistry) -> None:
    """How a limit on concurrency is checked from outside."""
    together = asyncio.Barrier(3)

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await together.wait()
        await asyncio.to_thread(eventually, lambda: registry.counts().in_flight == 3)
        await together.wait()

    async def push(session: aiohttp.ClientSession) -> int:
        async with session.post("/v2/app/blobs/uploads/") as started:
            location = started.headers["Location"]
        async with session.patch(URL(location, encoded=True), data=body()) as sent:
            return sent.status

    async with aiohttp.ClientSession(registry.url) as session:
        statuses = await asyncio.gather(*(push(session) for _ in range(3)))
    assert statuses == [202] * 3
    assert registry.counts().peak_in_flight == 3
