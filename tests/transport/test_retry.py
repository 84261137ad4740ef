"""Trying again: as often as agreed, as long as the server asks, and never what must not be repeated."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from returns.result import Failure, Result, Success

from registry_fp import Settings, connect, delete_blob, has_blob, ping, put_blob
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.message import Incoming, Repeat
from registry_fp.testing import Answer, Drop, EmbeddedRegistry, Fault
from registry_fp.transport.clock import Clock
from registry_fp.transport.repeat import patience
from tests.transport.chaos import OK, chaos, say
from tests.transport.clocks import HeldClock, InstantClock
from tests.transport.sending import body_of, request, sent

SETTINGS = Settings(cache=False)
BUSY = Answer(503)


def limited(after: str) -> Answer:
    """A 429 that asks for a pause."""
    return Answer(429, {"Retry-After": after})


@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_the_attempts_on_the_error_are_the_requests_on_the_wire(retries: int) -> None:
    """Who pays by the request, or is limited by it, has to be able to count."""
    time = InstantClock()
    settings = SETTINGS.model_copy(update={"retries": retries})
    async with EmbeddedRegistry(faults=[Fault(BUSY)]) as registry, connect(settings, clock=time.clock) as client:
        out = await settle(ping(client, registry.host))
        assert isinstance(out, Err)
        assert out.error.attempts == registry.counts().requests == retries + 1
        assert (len(time.waits), out.error.elapsed) == (retries, sum(time.waits))


@pytest.mark.parametrize("action", [Drop(), Drop(late=True), Drop(reset=False), Drop(late=True, reset=False)])
async def test_nothing_is_sent_again_behind_our_back(action: Drop) -> None:
    """Aiohttp sends GET, HEAD, PUT and DELETE once more by itself; what it does not tell cannot be counted."""
    async with EmbeddedRegistry() as registry, connect(SETTINGS.model_copy(update={"retries": 0})) as client:
        assert await settle(ping(client, registry.host)) == Ok(None)  # the connection is in the pool now
        registry.reset_counts()
        registry.set_faults(Fault(action))
        out = await settle(has_blob(client, f"{registry.host}/app", digest_of(b"x")))
        assert isinstance(out, Err)
        assert (out.error.reason, out.error.attempts) == (why.ConnectionLost(0), 1)
        assert registry.counts().requests == 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_deletion_whose_answer_was_lost_is_done(late: bool) -> None:
    """The second request finds nothing any more, which is what was asked for."""
    async with EmbeddedRegistry() as registry, connect(SETTINGS, clock=InstantClock().clock) as client:
        stored = await settle(put_blob(client, f"{registry.host}/app", b"x"))
        assert isinstance(stored, Ok)
        registry.set_faults(Fault(Drop(late=late), method="DELETE", nth=(1,)))
        assert await settle(delete_blob(client, f"{registry.host}/app", stored.value.digest)) == Ok(None)
        assert await settle(has_blob(client, f"{registry.host}/app", stored.value.digest)) == Ok(False)


def test_the_pauses_grow_and_are_never_as_long_as_they_could_be_for_everybody() -> None:
    """Many clients that fail together must not come back together."""
    assert patience(8, lambda: 1.0).delays == (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
    assert patience(8, lambda: 0.0).delays == (0.0,) * 8


@pytest.mark.parametrize(
    ("said", "pause"),
    [("2", 2.0), ("120", 120.0), ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0), ("1.5s", 1.5), ("20000ms", 20.0)],
)
async def test_a_pause_that_is_asked_for_is_made_exactly(said: str, pause: float) -> None:
    """Earlier is a new refusal, and later is time lost."""
    time = InstantClock()
    faults = [Fault(limited(said), nth=(1,))]
    async with EmbeddedRegistry(faults=faults) as registry, connect(SETTINGS, clock=time.clock) as client:
        assert await settle(ping(client, registry.host)) == Ok(None)
    assert time.waits == [pause]


@pytest.mark.parametrize("said", ["", "-5", "soon", "Tue, 14 Nov 2023 22:13:00 GMT", "0"])
async def test_a_pause_that_says_nothing_is_our_own(said: str) -> None:
    """No, a past or an unreadable Retry-After leaves the back-off in force."""
    time = InstantClock()
    faults = [Fault(limited(said), nth=(1,))]
    async with EmbeddedRegistry(faults=faults) as registry, connect(SETTINGS, clock=time.clock) as client:
        assert await settle(ping(client, registry.host)) == Ok(None)
    assert len(time.waits) == 1
    assert 0.0 <= time.waits[0] <= 0.5


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["121", "1000000000", "Tue, 14 Nov 2033 22:13:20 GMT", "1h"])
async def test_a_pause_that_is_too_long_is_a_failure_at_once(status: int, said: str) -> None:
    """Nobody waits an hour for a push without being asked; the error tells how long it would be."""
    time = InstantClock()
    faults = [Fault(Answer(status, {"Retry-After": said}))]
    async with EmbeddedRegistry(faults=faults) as registry, connect(SETTINGS, clock=time.clock) as client:
        out = await settle(ping(client, registry.host))
        assert registry.counts().requests == 1
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.RateLimited | why.ServerFault)
    assert out.error.reason.after is not None
    assert out.error.reason.after > 120.0
    assert time.waits == []


async def test_a_pause_that_is_asked_for_is_one_for_the_whole_host() -> None:
    """Forty workers that each learn of the limit by being refused make it worse (containerd/containerd#10447)."""
    time = HeldClock()
    faults = [Fault(limited("7"), path="first", nth=(1,))]
    async with EmbeddedRegistry(faults=faults) as registry, connect(SETTINGS, clock=time.clock) as client:
        first = asyncio.ensure_future(settle(has_blob(client, f"{registry.host}/first", digest_of(b"x"))))
        assert await time.asleep(1) == [7.0]
        others = [
            asyncio.ensure_future(settle(has_blob(client, f"{registry.host}/app", digest_of(b"x")))) for _ in range(5)
        ]
        assert await time.asleep(6) == [7.0] * 6
        assert registry.counts().requests == 1
        time.move(6.9)
        assert await time.asleep(6) == [7.0] * 6
        time.move(0.1)
        assert await asyncio.gather(first, *others) == [Ok(False)] * 6
        assert registry.counts().requests == 7


async def test_one_hosts_pause_is_not_anothers() -> None:
    """A limit at Docker Hub must not stop the push to the registry next door."""
    time = HeldClock()
    async with (
        EmbeddedRegistry(faults=[Fault(limited("7"), nth=(1,))]) as busy,
        EmbeddedRegistry() as idle,
        connect(SETTINGS, clock=time.clock) as client,
    ):
        waiting = asyncio.ensure_future(settle(ping(client, busy.host)))
        await time.asleep(1)
        assert await settle(ping(client, idle.host)) == Ok(None)
        time.move(7.0)
        assert await waiting == Ok(None)


@pytest.mark.parametrize("per_host", [1, 3])
async def test_no_more_requests_than_agreed_are_under_way_at_one_host(per_host: int) -> None:
    """A registry that counts connections shuts the door to everybody behind the same address."""
    settings = SETTINGS.model_copy(update={"connections_per_host": per_host})
    async with EmbeddedRegistry() as registry, connect(settings) as client:
        outs = await asyncio.gather(*(settle(ping(client, registry.host)) for _ in range(30)))
        assert outs == [Ok(None)] * 30
        assert registry.counts().peak_in_flight <= per_host
        assert registry.counts().connections <= per_host


@pytest.mark.parametrize(
    ("repeat", "fault", "visits"),
    [
        ("always", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 2),
        ("until answered", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 2),
        ("never", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 1),
        ("always", b"", 2),
        ("until answered", b"", 2),
        ("never", b"", 1),
        ("always", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 2),
        ("until answered", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 1),
        ("never", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 1),
    ],
)
async def test_what_must_not_be_repeated_is_not(repeat: Repeat, fault: bytes, visits: int) -> None:
    """Bytes that a consumer has seen must not come twice, and a chunk must not be appended twice."""
    async with chaos(say(fault), say(OK)) as server, connect(SETTINGS, clock=InstantClock().clock) as client:
        out = await settle(sent(client, request(server.host, repeat=repeat)))
        assert isinstance(out, Ok if visits == 2 else Err)
        assert server.visits == visits


async def test_a_body_that_is_sent_again_is_opened_again() -> None:
    """From its beginning: half a body behind a retry would be another blob."""
    opened: list[str] = []
    async with EmbeddedRegistry(faults=[Fault(BUSY, nth=(1, 2))]) as registry:
        async with connect(SETTINGS, clock=InstantClock().clock) as client:
            wanted = request(registry.host, "/v2/x/y", "PUT", body=body_of(b"abc", b"def", opened=opened))
            out = await settle(sent(client, wanted))
        assert isinstance(out, Ok)
        assert out.value.attempts == 3
    assert opened == ["opened", "closed"] * 3 or opened.count("closed") == opened.count("opened")


async def test_who_consumes_an_answer_may_ask_for_another_one_by_failing() -> None:
    """A body that breaks in the middle is read again from the start, and the attempts are counted once."""
    asked: list[int] = []

    async def receive(incoming: Incoming) -> Result[str, RegistryError]:
        asked.append(incoming.attempts)
        broken = RegistryError("test", "x", why.ConnectionLost(3), attempts=incoming.attempts)
        return Success("whole") if incoming.attempts == 3 else Failure(broken)

    async with EmbeddedRegistry() as registry, connect(SETTINGS, clock=InstantClock().clock) as client:
        assert await settle(client.exchange(request(registry.host), receive)) == Ok("whole")
    assert asked == [1, 2, 3]


async def test_a_cancellation_ends_the_waiting_too() -> None:
    """Ctrl-C during a pause of two minutes."""
    time = HeldClock()
    async with (
        EmbeddedRegistry(faults=[Fault(limited("120"))]) as registry,
        connect(SETTINGS, clock=time.clock) as client,
    ):
        waiting = asyncio.ensure_future(settle(ping(client, registry.host)))
        await time.asleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert time.sleepers == {}


async def test_a_clock_that_jumps_changes_no_pause() -> None:
    """Back-off is measured by the clock that never jumps; only a date needs the other one."""
    time = InstantClock()
    jumping = replace(time.clock, wall=lambda: 0.0)
    assert isinstance(jumping, Clock)
    async with (
        EmbeddedRegistry(faults=[Fault(limited("3"), nth=(1,))]) as registry,
        connect(SETTINGS, clock=jumping) as client,
    ):
        assert await settle(ping(client, registry.host)) == Ok(None)
    assert time.waits == [3.0]
