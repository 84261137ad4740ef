"""Rates: what was chosen for a host is kept, by everything together, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import HostSettings, Settings, connect, get_blob, put_blob
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import ConnectionLost, RateLimited, RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Body, Chunks, Incoming, Request, held_body
from registry_fp.testing import EmbeddedRegistry
from registry_fp.transport.clock import Clock
from registry_fp.transport.limit import with_host_limit
from registry_fp.transport.port import Exchange, Receive, collect
from registry_fp.transport.rate import pace_of
from tests.rate.jumping import run_jumping
from tests.transport.clocks import run_fast
from tests.transport.sending import request

T = TypeVar("T")

BUSY = "busy.example"
FREE = "free.example"


class Wire:
    """An exchange that answers everything at once, and knows when it was asked what."""

    def __init__(self, answer: bytes = b"", *, limited: tuple[int, ...] = ()) -> None:
        self.asked: list[tuple[str, float]] = []
        self.came: list[tuple[int, float]] = []
        self._answer = answer
        self._limited = limited

    def exchange(self, wanted: Request, receive: Receive[T], /) -> Op[T]:
        """Take the whole body, and give the whole answer."""

        async def body() -> Result[T, RegistryError]:
            self.asked.append((wanted.url.host or "", asyncio.get_running_loop().time()))
            if len(self.asked) in self._limited:
                return Failure(wanted.failed(RateLimited(7.0)))
            content = held_body(wanted.body) if isinstance(wanted.body, bytes) else wanted.body
            if content is not None:
                async with content.opened() as chunks:
                    async for chunk in chunks:
                        if not is_successful(chunk):
                            return Failure(chunk.failure())
                        self.came.append((len(chunk.unwrap()), asyncio.get_running_loop().time()))
            async with held_body(self._answer).opened() as given:
                return await receive(Incoming(200, {}, wanted.url, given))

        return deferred(body)


def limited(wire: Wire, *, connections: int = 100, **chosen: float) -> Exchange:
    """The wire with rates for the busy host, on the loop's own clock."""
    loop = asyncio.get_running_loop()
    host = HostSettings.model_validate({"connections": connections, **chosen})
    clock = Clock(loop.time, loop.time, asyncio.sleep)
    return with_host_limit(wire.exchange, Settings(hosts={BUSY: host}), clock=clock)


async def asked(
    exchange: Exchange, host: str = BUSY, body: Body | bytes | None = None
) -> Ok[bytes] | Err[RegistryError]:
    """One request to a host, and what was answered."""
    wanted = request(host, method="PUT" if body is not None else "GET", body=body)

    async def receive(incoming: Incoming) -> Result[bytes, RegistryError]:
        return (await collect(incoming, wanted)).map(lambda response: response.body)

    return await settle(exchange(wanted, receive))


@pytest.mark.parametrize("rate", [0.2, 1.0, 3.0, 10.0, 100.0])
def test_requests_to_a_host_begin_no_faster_than_was_chosen(rate: float) -> None:
    """Registries count requests by the second, and shut the door on whoever comes in one burst."""
    wire = Wire()

    async def main() -> None:
        exchange = limited(wire, requests_per_second=rate)
        await asyncio.gather(*(asked(exchange) for _ in range(50)))

    run_jumping(main())
    times = [time for _, time in wire.asked]
    burst = max(1.0, rate / 4)
    assert len(times) == 50
    for first in range(50):
        for last in range(first + 1, 50):
            assert last - first <= (times[last] - times[first]) * rate + burst + 1e-6
    assert times[-1] <= 50 / rate + 0.01


def test_a_host_without_a_rate_is_asked_as_fast_as_ever() -> None:
    """One slow registry must not slow the work with the others."""
    wire = Wire()

    async def main() -> None:
        exchange = limited(wire, requests_per_second=1.0)
        await asyncio.gather(*(asked(exchange, host) for host in (BUSY, FREE) for _ in range(20)))

    run_jumping(main())
    assert max(time for host, time in wire.asked if host == FREE) < 0.01
    assert max(time for host, time in wire.asked if host == BUSY) == pytest.approx(19.0, abs=0.01)


def test_after_a_pause_that_was_asked_for_all_come_one_by_one() -> None:
    """Whoever waits for the same moment would otherwise come in one burst, and be refused again."""
    wire = Wire(limited=(1,))

    async def main() -> None:
        exchange = limited(wire, requests_per_second=2.0)
        await asked(exchange)
        await asyncio.gather(*(asked(exchange) for _ in range(10)))

    run_jumping(main())
    _, *times = [time for _, time in wire.asked]
    assert times[0] >= 7.0
    assert all(later - earlier >= 0.5 - 1e-6 for earlier, later in pairwise(times))


@pytest.mark.parametrize("streams", [1, 7])
@pytest.mark.parametrize("rate", [1024, 50_000, 1_000_000])
def test_bytes_go_to_a_host_no_faster_than_was_chosen(rate: int, streams: int) -> None:
    """All streams together, within a twentieth of the rate, and in pieces that are a small part of a second each."""
    wire = Wire()
    each = 10 * rate // streams

    async def main() -> list[Ok[bytes] | Err[RegistryError]]:
        exchange = limited(wire, bytes_per_second=rate)
        return await asyncio.gather(*(asked(exchange, body=bytes(each)) for _ in range(streams)))

    assert run_jumping(main()) == [Ok(b"")] * streams
    assert sum(size for size, _ in wire.came) == each * streams
    assert max(size for size, _ in wire.came) <= rate / 16
    assert wire.came[-1][1] == pytest.approx(10.0, rel=0.05)


@pytest.mark.parametrize("rate", [1024, 50_000, 1_000_000])
def test_bytes_come_from_a_host_no_faster_than_was_chosen(rate: int) -> None:
    """The other direction, which has the same rate for itself."""
    answer = bytes(range(256)) * (rate // 512)

    async def main() -> tuple[list[Ok[bytes] | Err[RegistryError]], float]:
        exchange = limited(Wire(answer), bytes_per_second=rate)
        answers = await asyncio.gather(*(asked(exchange) for _ in range(20)))
        return answers, asyncio.get_running_loop().time()

    answers, time = run_jumping(main())
    assert answers == [Ok(answer)] * 20
    assert time == pytest.approx(20 * len(answer) / rate, rel=0.05)


@given(parts=st.lists(st.binary(max_size=3000), max_size=8), rate=st.integers(1024, 100_000), broken=st.booleans())
@hypothesis_settings(max_examples=100)
def test_a_rate_changes_no_byte_and_hides_no_failure(parts: list[bytes], rate: int, broken: bool) -> None:
    """Whatever the chunks are, what arrives is what was sent; and the source is closed, also where nobody reads on."""
    failure = RegistryError("test", "x", ConnectionLost(0))
    closed: list[str] = []

    async def source() -> Chunks:
        try:
            for part in parts:
                yield Success(part)
            if broken:
                yield Failure(failure)
        finally:
            closed.append("closed")

    class Echo:
        def exchange(self, wanted: Request, receive: Receive[T], /) -> Op[T]:
            async def body() -> Result[T, RegistryError]:
                assert isinstance(wanted.body, Body)
                async with wanted.body.opened() as chunks:
                    return await receive(Incoming(200, {}, wanted.url, chunks))

            return deferred(body)

    async def main() -> None:
        pace = pace_of(HostSettings(bytes_per_second=rate))
        assert pace is not None
        wanted = request(BUSY, method="PUT", body=Body(source, sum(map(len, parts))))

        async def read(incoming: Incoming) -> Result[tuple[bytes, bool], RegistryError]:
            seen = [chunk async for chunk in incoming.chunks]
            given = b"".join(chunk.value_or(b"") for chunk in seen)
            return Success((given, any(not is_successful(chunk) for chunk in seen)))

        async def leave(incoming: Incoming) -> Result[None, RegistryError]:
            await anext(incoming.chunks, None)
            return Success(None)

        assert await settle(pace.exchange(Echo().exchange, wanted, read)) == Ok((b"".join(parts), broken))
        assert await settle(pace.exchange(Echo().exchange, wanted, leave)) == Ok(None)

    run_jumping(main())
    assert closed == ["closed"] * 2


def test_who_waits_for_a_turn_can_be_cancelled_and_keeps_nobody_waiting() -> None:
    """Ctrl-C does not wait for the slowest rate, and a turn that nobody takes is not lost."""
    wire = Wire()

    async def main() -> None:
        exchange = limited(wire, requests_per_second=0.1)
        await asked(exchange)
        tasks = [asyncio.ensure_future(asked(exchange)) for _ in range(5)]
        await asyncio.sleep(1)
        for task in tasks[:4]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_jumping(main())
    assert [time for _, time in wire.asked] == pytest.approx([0.0, 10.0], abs=0.01)


@pytest.mark.parametrize("direction", ["there", "back"])
def test_a_rate_holds_over_real_connections_and_no_stream_counts_as_stuck(direction: str) -> None:
    """A stream that stands still, or is slow, is given up where that is the other side, and not our own patience."""
    content = bytes(range(256)) * 200  # 51,200 bytes: ten seconds
    rate = 5120

    async def main() -> float:
        async with EmbeddedRegistry() as registry:
            slow = {registry.host: HostSettings(bytes_per_second=rate)}
            hurried = Settings(cache=False, idle_timeout=2.0, answer_timeout=60.0, min_rate=20_000, small_blob=0)
            chosen = {"there": slow, "back": {}}[direction]
            async with connect(hurried.model_copy(update={"hosts": chosen})) as client:
                begun = asyncio.get_running_loop().time()
                stored = await settle(put_blob(client, f"{registry.host}/app", content))
                assert isinstance(stored, Ok), stored
                there = asyncio.get_running_loop().time() - begun
            async with connect(hurried.model_copy(update={"hosts": slow})) as client:
                begun = asyncio.get_running_loop().time()
                assert await settle(get_blob(client, f"{registry.host}/app", digest_of(content))) == Ok(content)
                back = asyncio.get_running_loop().time() - begun
            return there if direction == "there" else back

    assert run_fast(main(), speed=20.0) >= 0.95 * (len(content) / rate - 0.25)


def test_a_client_without_rates_does_not_even_load_what_keeps_them() -> None:
    """What is not chosen costs nothing."""
    program = """
import asyncio, sys
from registry_fp import Settings, connect, ping, settle
from registry_fp.testing import EmbeddedRegistry
async def main():
    async with EmbeddedRegistry() as registry, connect(Settings(cache=False)) as client:
        print(await settle(ping(client, registry.host)), registry.counts().requests, "aiolimiter" in sys.modules)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "Ok(value=None) 1 False\n", done.stderr
