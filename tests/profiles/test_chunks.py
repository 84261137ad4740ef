"""Chunks: they are laid end to end, and go on where one broke; each is kept only until the registry has it."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Result, Success

from registry_fp import (
    Client,
    ConnectionLost,
    Descriptor,
    Digest,
    Err,
    Ok,
    RegistryError,
    Settings,
    UploadLost,
    anonymous,
    connect,
    parse_repository,
    put_blob,
    settle,
    unwrap,
)
from registry_fp.pipelines.placement import upload_blob
from registry_fp.protocol.message import Body
from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing import Answer, Drop, DropAfter, EmbeddedRegistry, Fault, SeenRequest, running_registry
from registry_fp.testing.faults import Action
from tests.faults.proxy import Cut, cutting
from tests.profiles.upload import KIB, blob, holds, teach, uploaded
from tests.real.docker_registry import RealRegistry
from tests.tokens.server import serving
from tests.transport.clocks import InstantClock

SIZE: Final = 1000 * KIB
CHUNK: Final = 192 * KIB


def patches(registry: EmbeddedRegistry) -> list[SeenRequest]:
    """The chunks that came, in their order."""
    return [each for each in registry.requests if each.method == "PATCH"]


def span(seen: SeenRequest) -> tuple[int, int]:
    """The bytes that a chunk says it is: the first, and the one after the last."""
    first, _, last = seen.headers["Content-Range"].partition("-")
    return int(first), int(last) + 1


def tiles(seen: list[SeenRequest]) -> bool:
    """Whether each chunk of a session begins where what the registry has kept of the session ends."""
    kept: dict[str, int] = {}
    for each in seen:
        first, stop = span(each)
        if first != kept.get(each.path, 0) or each.content_length != stop - first:
            return False
        kept[each.path] = first + each.bytes_in
    return True


async def test_a_registry_with_a_largest_body_gets_chunks_of_it(client: Client) -> None:
    """One session, chunks with their range and length, and an empty PUT that names the whole (end-5, end-6)."""
    one = blob(SIZE)
    async with EmbeddedRegistry(profile=RegistryProfile(max_body=CHUNK)) as registry:
        teach(client, registry.host, max_body=CHUNK)
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        seen = patches(registry)
        assert [span(each) for each in seen] == [(start, min(start + CHUNK, SIZE)) for start in range(0, SIZE, CHUNK)]
        assert tiles(seen)
        counts = registry.counts()
        assert (counts.by_method["POST"], counts.by_method["PUT"], len(one.opened)) == (1, 1, 1)
        assert (counts.blob_bytes_in, counts.uploads_open) == (SIZE, 0)


async def test_a_chunk_that_broke_goes_on_where_the_registry_stands(client: Client) -> None:
    """The status is asked for once, no byte that was kept is sent again, and the source is not read again (end-13)."""
    one = blob(SIZE)
    cut = Fault(DropAfter(100 * KIB), endpoint="end-5", nth=(3,))
    async with EmbeddedRegistry(faults=[cut]) as registry:
        teach(client, registry.host, max_body=CHUNK)
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        counts = registry.counts()
        assert [each.endpoint for each in registry.requests].count("end-13") == 1
        assert (counts.blob_bytes_in, counts.by_method["POST"], len(one.opened)) == (SIZE, 1, 1)
        assert tiles(patches(registry))


@pytest.mark.parametrize("action", [Drop(late=True), Answer(503), Answer(504), Answer(429, {"Retry-After": "1"})])
async def test_an_answer_that_is_lost_or_refused_for_now_costs_one_chunk_at_most(
    action: Action, client: Client
) -> None:
    """Whether the chunk was kept is the registry's to say: it is never sent twice into one session."""
    one = blob(SIZE)
    async with EmbeddedRegistry(faults=[Fault(action, endpoint="end-5", nth=(2,))]) as registry:
        teach(client, registry.host, max_body=CHUNK)
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        counts = registry.counts()
        assert (counts.blob_bytes_in, counts.by_method["POST"], counts.uploads_open) == (SIZE, 1, 0)


async def test_a_session_that_is_lost_is_begun_again_twice_at_most(client: Client) -> None:
    """Every loss costs what was sent: a registry that loses them all is told so, and nothing is left open."""
    one = blob(SIZE)
    lost = Fault(Answer(404), endpoint="end-5", nth=tuple(range(3, 100, 3)))
    async with EmbeddedRegistry(faults=[lost]) as registry:
        teach(client, registry.host, max_body=CHUNK)
        out = await uploaded(client, registry.host, one)
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, UploadLost)
        counts = registry.counts()
        assert (counts.by_method["POST"], counts.uploads_open, len(one.opened)) == (3, 0, 3)


async def test_a_smallest_chunk_is_kept_to(client: Client) -> None:
    """What a session asks for by `OCI-Chunk-Min-Length` is more than the size that was chosen."""
    one = blob(SIZE)
    async with EmbeddedRegistry(chunk_min_length=300 * KIB) as registry:
        teach(client, registry.host, max_body=CHUNK)
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        sizes = [each.content_length or 0 for each in patches(registry)]
        assert all(size >= 300 * KIB for size in sizes[:-1])
        assert sum(sizes) == SIZE


async def test_a_registry_that_takes_a_few_bytes_at_a_time_is_given_up(client: Client) -> None:
    """It would be served for ever: a byte of each chunk is no progress."""
    one = blob(SIZE)
    stingy = [Fault(DropAfter(7), endpoint="end-5", nth=tuple(range(2, 200)))]
    async with EmbeddedRegistry(faults=stingy) as registry:
        teach(client, registry.host, max_body=CHUNK)
        out = await uploaded(client, registry.host, one)
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, ConnectionLost)
        assert len(registry.requests) < 60
        assert registry.counts().uploads_open == 0


async def test_what_a_registry_leaves_of_each_chunk_is_not_sent_over_and_over(client: Client) -> None:
    """One that takes 64 KiB of whatever comes would cost hundreds of times the blob."""
    one, held, received, stored = blob(4 * 1024 * KIB), 0, 0, False

    async def answer(asked: web.BaseRequest) -> web.StreamResponse:
        nonlocal held, received, stored
        body = await asked.read()
        received += len(body)
        where = {"Location": "/v2/app/blobs/uploads/1"}
        match asked.method:
            case "POST":
                return web.Response(status=202, headers=where)
            case "PUT" if body:
                return web.Response(status=413)
            case "PUT":
                stored = True
                return web.Response(status=201)
            case "PATCH":
                held += min(len(body), 64 * KIB)
                return web.Response(status=202, headers={**where, "Range": f"0-{held - 1}"})
            case _:
                return web.Response(status=200 if stored else 404)

    async with serving(answer) as host:
        assert await uploaded(client, host, one) == Ok("uploaded")
    assert (stored, held) == (True, len(one.content))
    assert received < 4 * len(one.content)


async def test_bytes_at_hand_go_in_chunks_too(client: Client) -> None:
    """`put_blob` is for small things, and some limits are smaller."""
    one = blob(SIZE)
    async with EmbeddedRegistry(profile=RegistryProfile(max_body=CHUNK)) as registry:
        assert (await unwrap(put_blob(client, f"{registry.host}/app", one.content))).digest == one.descriptor.digest
        assert registry.counts().uploads_open == 0
        assert (await unwrap(put_blob(client, f"{registry.host}/app", b""))).size == 0


ACTIONS = st.one_of(
    st.integers(1, CHUNK).map(DropAfter),
    st.booleans().map(lambda late: Drop(late=late)),
    st.sampled_from([Answer(503), Answer(413), Answer(404), Answer(416)]),
)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 6 * CHUNK),
    st.integers(160 * KIB, CHUNK),  # a chunk is halved down to 64 KiB, and no further
    st.dictionaries(st.integers(1, 8), ACTIONS, max_size=2),
)
def test_chunks_lie_end_to_end_whatever_befalls_them(size: int, chunk: int, faults: dict[int, Action]) -> None:
    """Of every session, from the first byte to the last: what is stored in the end is the blob."""

    async def body() -> None:
        one = blob(size, seed=size)
        befall = [Fault(action, endpoint="end-5", nth=(nth,)) for nth, action in faults.items()]
        async with (
            EmbeddedRegistry(faults=befall) as registry,
            connect(Settings(small_blob=0), keychain=anonymous, clock=InstantClock().clock) as client,
        ):
            teach(client, registry.host, max_body=chunk)
            out = await uploaded(client, registry.host, one)
            assert out == Ok("uploaded")
            assert tiles([each for each in patches(registry) if "Content-Range" in each.headers])
            assert await asyncio.to_thread(holds, registry.host, one)
            assert registry.counts().uploads_open == 0

    asyncio.run(body())


async def test_docker_registry_takes_them(client: Client, real_registry: RealRegistry) -> None:
    """Its Location changes with every chunk, and an older one ends the session (distribution/distribution#1723)."""
    one, path = blob(4 * SIZE), f"chunks/{uuid4().hex}"
    teach(client, real_registry.host, max_body=CHUNK)
    assert await uploaded(client, real_registry.host, one, path) == Ok("uploaded")
    assert await asyncio.to_thread(holds, real_registry.host, one, path)


async def test_docker_registry_behind_a_line_that_breaks_gets_the_blob(
    client: Client, real_registry: RealRegistry
) -> None:
    """A chunk that breaks in its middle is the end of the session there, so that the blob is begun again."""
    one, path = blob(4 * SIZE, seed=8), f"chunks/{uuid4().hex}"
    async with cutting(real_registry.host, Cut(up=SIZE), Cut(up=3 * SIZE)) as proxy:
        teach(client, proxy.host, max_body=CHUNK)
        assert await uploaded(client, proxy.host, one, path) == Ok("uploaded")
    assert await asyncio.to_thread(holds, real_registry.host, one, path)


async def test_a_large_body_that_breaks_goes_on_in_chunks(client: Client, tmp_path: Path) -> None:
    """Where no connection lasts long enough for the whole, parts of it get through, with no option set."""
    one = blob(4 * SIZE, seed=9)
    with running_registry(tmp_path / "there") as registry:
        async with cutting(registry.host, always=Cut(up=3 * SIZE)) as proxy:
            assert await uploaded(client, proxy.host, one) == Ok("uploaded")
        assert await asyncio.to_thread(holds, registry.host, one)
        counts = registry.counts()
        assert (counts.by_method["POST"], counts.uploads_open) == (2, 0)
        assert counts.blob_bytes_in <= 2 * len(one.content)  # the first attempt, and then every byte once


async def test_memory_is_that_of_one_chunk(client: Client, tmp_path: Path) -> None:
    """Whatever the size of the blob: it is read once, and forgotten chunk by chunk."""
    pieces, piece = 192, 256 * KIB
    content = [blob(piece, seed=number).content for number in range(8)]
    hasher = hashlib.sha256()
    for number in range(pieces):
        hasher.update(content[number % 8])

    async def chunks() -> AsyncGenerator[Result[bytes, RegistryError], None]:
        for number in range(pieces):
            yield Success(bytes(bytearray(content[number % 8])))  # bytes of its own, as they come from a file

    wanted = Descriptor(
        media_type="application/octet-stream", digest=Digest("sha256", hasher.hexdigest()), size=pieces * piece
    )
    with running_registry(tmp_path / "there", profile=RegistryProfile(max_body=1024 * KIB)) as registry:
        teach(client, registry.host, max_body=1024 * KIB)
        repository = parse_repository(f"{registry.host}/app").unwrap()
        tracemalloc.start()
        try:
            out = await settle(upload_blob(client, repository, wanted, Body(chunks, wanted.size)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert out == Ok("uploaded")
    assert peak < 8 * 1024 * KIB  # of 48 MiB, and the registry's own share is among them
