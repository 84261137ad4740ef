"""Stalls: time that the other side takes has limits, and time that we take ourselves is our own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest
from returns.result import Result, Success

from registry_fp import Settings, connect
from registry_fp.domain import errors as why
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.message import Incoming
from tests.transport.chaos import OK, Script, Visit, chaos, say
from tests.transport.clocks import run_fast
from tests.transport.sending import request, sent, ticking

SETTINGS = Settings(retries=0, cache=False)
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def drip(part: bytes, *, every: float, times: int = 10**9) -> Script:
    """A part, then a pause, and so on."""

    async def script(visit: Visit) -> None:
        for _ in range(times):
            await visit.say(part)
            await asyncio.sleep(every)

    return script


async def _minutes(awaited: Awaitable[object]) -> tuple[object, float]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    return await awaited, (loop.time() - begun) / 60.0


def test_a_drip_is_cut_after_a_minute() -> None:
    """One byte every two seconds never stands still for 30, and would hold a worker for days."""

    async def main() -> None:
        async with chaos(say(HEAD, then=drip(b"x", every=2.0))) as server, connect(SETTINGS) as client:
            out, minutes = await _minutes(settle(sent(client, request(server.host))))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.TimedOut)
        assert out.error.reason.phase == "rate"
        assert 1.0 <= minutes < 1.5

    run_fast(main())


def test_a_slow_stream_that_is_fast_enough_is_left_alone() -> None:
    """A bad line is no stuck one: there is no limit on a whole transfer."""

    async def main() -> None:
        enough = drip(bytes(40_000), every=10.0, times=10)
        async with chaos(say(HEAD, then=enough)) as server, connect(SETTINGS) as client:
            out, minutes = await _minutes(settle(sent(client, request(server.host))))
        assert isinstance(out, Ok)
        assert len(out.value.body) == 400_000
        assert minutes > 1.6

    run_fast(main())


def test_a_stream_may_be_as_slow_as_it_likes_where_the_rule_is_off() -> None:
    """`min_rate=0` is for whoever pushes over a satellite."""

    async def main() -> None:
        slow = drip(b"x", every=20.0, times=5)
        settings = SETTINGS.model_copy(update={"min_rate": 0})
        async with chaos(say(HEAD, then=slow)) as server, connect(settings) as client:
            out = await settle(sent(client, request(server.host)))
        assert isinstance(out, Ok)

    run_fast(main())


@pytest.mark.parametrize("pause", [90.0])
def test_a_registry_that_thinks_before_it_answers_is_no_slow_stream(pause: float) -> None:
    """A commit of ten gigabytes is hashed first: few bytes move for minutes, and that is no reason to give up."""

    async def thinking(visit: Visit) -> None:
        await visit.hear_all()
        await asyncio.sleep(pause)
        await visit.say(OK)

    async def main() -> None:
        async with chaos(thinking) as server, connect(SETTINGS) as client:
            wanted = replace(request(server.host, method="PUT", body=b"{}"), patience=5.0)
            out = await settle(sent(client, wanted))
        assert isinstance(out, Ok), out

    run_fast(main())


def test_a_slow_source_is_not_the_registrys_fault() -> None:
    """Reading a disk and compressing take as long as they take."""

    async def heard(visit: Visit) -> None:
        await visit.hear()
        await visit.reader.readuntil(b"0\r\n\r\n")
        await visit.say(OK)

    async def main() -> None:
        body = ticking([b"x"] * 2, lambda: asyncio.sleep(70.0))
        async with chaos(heard) as server, connect(SETTINGS) as client:
            out = await settle(sent(client, request(server.host, method="PATCH", body=body)))
        assert isinstance(out, Ok), out

    run_fast(main())


def test_a_slow_consumer_is_not_the_registrys_fault() -> None:
    """Whoever writes a blob to a slow disk is not cut off from it."""

    async def main() -> None:
        async def receive(incoming: Incoming) -> Result[int, RegistryError]:
            size = 0
            async for chunk in incoming.chunks:
                await asyncio.sleep(70.0)
                size += len(chunk.unwrap())
            return Success(size)

        parts = [HEAD] + [bytes(1000)] * 2
        async with chaos(_one_by_one(parts)) as server, connect(SETTINGS) as client:
            out = await settle(client.exchange(request(server.host), receive))
        assert out == Ok(2000)

    run_fast(main())


def _one_by_one(parts: list[bytes]) -> Script:
    async def script(visit: Visit) -> None:
        await visit.hear()
        for part in parts:
            await visit.say(part)
            await asyncio.sleep(1.0)

    return script


def test_a_slow_line_is_no_stall_however_large_the_chunks_are() -> None:
    """What is held in memory goes as one chunk: on a slow line it takes minutes, and moves all the time."""

    async def main() -> None:
        size = 48 * 1024 * 1024  # the buffers of both sides take a part of it at once
        async with chaos(_reading(600_000, size)) as server, connect(SETTINGS) as client:
            wanted = replace(request(server.host, method="PUT", body=bytes(size)), patience=5.0)
            out = await settle(sent(client, wanted))
        assert isinstance(out, Ok), out

    run_fast(main())


def _reading(rate: int, size: int) -> Script:
    async def script(visit: Visit) -> None:
        await visit.hear()
        left = size
        while left > 0:
            part = await visit.reader.read(rate)
            left -= len(part)
            await asyncio.sleep(len(part) / rate)
        await visit.say(OK)

    return script


@pytest.mark.parametrize(
    ("start", "phase", "seconds"),
    [
        (say(then=drip(b"", every=1000.0)), "response", 60.0),
        (say(HEAD, then=drip(b"", every=1000.0)), "read", 30.0),
    ],
)
def test_the_limits_are_what_the_settings_say(start: Script, phase: str, seconds: float) -> None:
    """The defaults, in real seconds of a loop that runs faster."""

    async def main() -> None:
        async with chaos(start) as server, connect(SETTINGS) as client:
            out, minutes = await _minutes(settle(sent(client, request(server.host))))
        assert isinstance(out, Err)
        assert out.error.reason == why.TimedOut(phase, seconds)  # type: ignore[arg-type]  # one of the phases
        assert seconds <= minutes * 60.0 < seconds + 15.0

    run_fast(main())
