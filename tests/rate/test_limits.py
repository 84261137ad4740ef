"""Limits of a host: a pause that it asks for is one for everything, and it has no more connections than was chosen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web
from returns.future import FutureResult
from returns.result import Result, Success

from registry_fp import (
    CopyOptions,
    HostSettings,
    ImageEdit,
    Op,
    RegistryError,
    Settings,
    connect,
    copy,
    docker_save,
    edit_image,
    has_blob,
    ping,
    push,
    static_credentials,
    unwrap,
)
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import Misconfigured, RateLimited
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import deferred
from registry_fp.protocol.message import Incoming, Method, Request, held_body
from registry_fp.testing import Answer, EmbeddedRegistry, Fault, sample_image, write_docker_save
from registry_fp.transport.limit import with_host_limit
from registry_fp.transport.port import Receive
from tests.copy import made
from tests.tokens.server import LOGIN, TokenServer, serving
from tests.transport.clocks import HeldClock, InstantClock
from tests.transport.sending import request, sent

SETTINGS = Settings(cache=False)
NOTHING = digest_of(b"x")
T = TypeVar("T")

IMAGE = made.image(made.layer("a"))
METHODS: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def chosen(host: str, connections: int, **others: object) -> Settings:
    """Settings with so many connections for one host."""
    hosts = {host: HostSettings(connections=connections)}
    return SETTINGS.model_copy(update={"hosts": hosts, **others})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_asked_for_by_any_verb_holds_for_every_other(method: Method, status: int) -> None:
    """A registry counts requests, and not reads or writes."""
    time = HeldClock()
    fault = Fault(Answer(status, {"Retry-After": "7"}), nth=(1,))
    async with EmbeddedRegistry(faults=[fault]) as registry, connect(SETTINGS, clock=time.clock) as client:
        content = b"x" if method in ("POST", "PUT", "PATCH") else None
        wanted = request(registry.host, "/v2/team/app/x", method, body=content)
        first = asyncio.ensure_future(settle(sent(client, wanted)))
        assert await time.asleep(1) == [7.0]
        others = [asyncio.ensure_future(settle(sent(client, request(registry.host, method=each)))) for each in METHODS]
        assert await time.asleep(1 + len(METHODS)) == [7.0] * (1 + len(METHODS))
        assert registry.counts().requests == 1
        time.move(7.0)
        assert all(isinstance(out, Ok) for out in await asyncio.gather(first, *others))


async def test_a_pause_that_a_token_server_asks_for_is_made_by_everybody_who_needs_a_token() -> None:
    """A token server has its limits, too, and is asked by all the work with its registry at once."""
    time = HeldClock()
    tokens = TokenServer()
    visits: list[str] = []

    async def answer(asked: web.BaseRequest) -> web.StreamResponse:
        visits.append(asked.path)
        if len(visits) == 1:
            return web.Response(status=429, headers={"Retry-After": "7"})
        return await tokens.answer(asked)

    async with serving(answer) as realm, EmbeddedRegistry(gate=tokens.gate) as registry:
        tokens.realm = f"http://{realm}/token"
        keychain = static_credentials(registry.host, *LOGIN)
        async with connect(SETTINGS, keychain=keychain, clock=time.clock) as client:
            first = asyncio.ensure_future(settle(has_blob(client, f"{registry.host}/app", NOTHING)))
            assert await time.asleep(1) == [7.0]
            others = [
                asyncio.ensure_future(settle(has_blob(client, f"{registry.host}/app-{number}", NOTHING)))
                for number in range(3)
            ]
            assert await time.asleep(4) == [7.0] * 4
            assert visits == ["/token"]
            time.move(7.0)
            assert await asyncio.gather(first, *others) == [Ok(False)] * 4
            assert len(visits) == 5


@pytest.mark.parametrize(("connections", "per_host"), [(1, 30), (3, 30), (5, 2)])
async def test_a_host_has_as_many_connections_as_were_chosen_for_it(connections: int, per_host: int) -> None:
    """Fewer than others where it bears no more, and more where it does."""
    async with EmbeddedRegistry() as registry, EmbeddedRegistry() as other:
        settings = chosen(registry.host, connections, connections_per_host=per_host)
        async with connect(settings) as client:
            asked = (settle(ping(client, host)) for _ in range(40) for host in (registry.host, other.host))
            assert await asyncio.gather(*asked) == [Ok(None)] * 80
        assert registry.counts().peak_in_flight <= connections
        assert registry.counts().connections <= connections
        assert other.counts().connections <= per_host


async def test_more_connections_than_others_have_are_really_had() -> None:
    """The limit for all hosts does not stand in the way of the one that was chosen for this."""
    time = HeldClock()
    gone = asyncio.Event()
    inside = 0

    async def answer(_asked: web.BaseRequest) -> web.StreamResponse:
        nonlocal inside
        inside += 1
        if inside == 5:
            gone.set()
        await gone.wait()
        return web.Response()

    async with (
        serving(answer) as host,
        connect(chosen(host, 5, connections_per_host=2), clock=time.clock) as client,
    ):
        assert await asyncio.gather(*(settle(ping(client, host)) for _ in range(5))) == [Ok(None)] * 5


async def test_a_copy_within_a_host_that_takes_one_connection_is_refused_at_once(
    tmp_path: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """To read and to write at once takes two: it would wait for itself for ever."""
    archive = write_docker_save(tmp_path / "app.tar", sample_image("app:1", mebibytes=1)).path
    host = embedded_registry.host
    async with connect(SETTINGS) as client:
        await unwrap(push(client, docker_save(archive), f"{host}/team/app:1"))
    async with connect(chosen(host, 1), clock=InstantClock().clock) as client:
        out = await settle(copy(client, f"{host}/team/app:1", f"{host}/team/other:1"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert out.error.reason.setting == "connections"


@pytest.mark.parametrize("connections", [2, 3, 5])
async def test_a_copy_within_a_host_that_takes_few_connections_does_not_wait_for_itself(
    connections: int, tmp_path: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """Twelve blobs at once over two connections, where each of them needs two."""
    image = sample_image("app:1", mebibytes=1)
    archive = write_docker_save(tmp_path / "app.tar", image).path
    host = embedded_registry.host
    async with connect(SETTINGS) as client:
        await unwrap(push(client, docker_save(archive), f"{host}/team/app:1"))
    embedded_registry.set_faults(Fault(Answer(405), endpoint="end-11"))
    async with connect(chosen(host, connections)) as client:
        done = await unwrap(
            copy(client, f"{host}/team/app:1", f"{host}/team/other:1", options=CopyOptions(concurrency=12))
        )
    assert done.moved > 0


async def test_a_pause_is_kept_while_many_other_hosts_come_and_go() -> None:
    """Redirects choose hosts, so hosts are forgotten; one that asked for a pause is not, while it lasts."""
    time = HeldClock()
    host = "one.example"

    def network(asked: Request, receive: Receive[T], /) -> Op[T]:
        if asked.url.host == host and asked.method == "POST":
            return FutureResult.from_failure(asked.failed(RateLimited(7.0)))

        async def answered() -> Result[T, RegistryError]:
            return await receive(Incoming(200, {}, asked.url, held_body(b"").open()))

        return deferred(answered)

    async def nothing(_incoming: Incoming) -> Result[None, RegistryError]:
        return Success(None)

    exchange = with_host_limit(network, SETTINGS, clock=time.clock)
    await settle(exchange(request(host, method="POST"), nothing))
    for number in range(3000):
        assert await settle(exchange(request(f"{number}.example"), nothing)) == Ok(None)
    again = asyncio.ensure_future(settle(exchange(request(host), nothing)))
    assert await time.asleep(1) == [7.0]
    time.move(7.0)
    assert await again == Ok(None)


async def test_another_host_with_few_connections_stands_in_nobodys_way() -> None:
    """An edit needs two connections to the hosts that it is about, and none to others."""
    async with EmbeddedRegistry() as registry, connect(chosen("elsewhere.example", 1)) as client:
        await asyncio.to_thread(made.put, registry.host, "team/app", IMAGE, "1.0")
        name = f"{registry.host}/team/app"
        await unwrap(edit_image(client, f"{name}:1.0", f"{name}:2.0", ImageEdit(labels={"a": "b"})))
    async with EmbeddedRegistry() as registry, connect(chosen(registry.host, 1)) as client:
        name = f"{registry.host}/team/app"
        refused = await settle(edit_image(client, f"{name}:1.0", f"{name}:2.0", ImageEdit(labels={"a": "b"})))
        assert isinstance(refused, Err)
        assert isinstance(refused.error.reason, Misconfigured)
        assert registry.counts().requests == 0
