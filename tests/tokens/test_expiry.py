"""Tokens that end: at any request, by their own age, or by somebody's decision; nobody sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry_fp import Client, Settings, connect, copy, docker_save, oci_layout, ping, pull, push, put_blob
from registry_fp.effect.exits import Ok, settle, unwrap
from registry_fp.effect.operation import Op
from registry_fp.testing import EmbeddedRegistry
from tests.faults.image import settings, write_mixed
from tests.faults.outcome import check
from tests.faults.test_one_fault import pushed
from tests.tokens.server import TokenServer, token_server
from tests.tokens.test_tokens import TESTER, known_as
from tests.transport.clocks import InstantClock


async def _visits(archive: Path, tmp_path: Path, verb: str, revoked: frozenset[int]) -> tuple[int, Any]:
    """Do it, with all tokens revoked before the visitors of these numbers; how many visitors there were."""
    server = TokenServer()
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        known = settings()
        async with connect(known, keychain=known_as(TESTER), clock=InstantClock().clock) as client:
            name = f"{registry.host}/app:1.0"
            if verb != "push":
                await unwrap(push(client, docker_save(archive), name))
                server.revoke()
            server.visitors, server.revoked_before = 0, revoked
            out = await settle(_done(client, verb, name, archive, tmp_path))
        return server.visitors, out


def _done(client: Client, verb: str, name: str, archive: Path, tmp_path: Path) -> Op[Any]:
    match verb:
        case "push":
            return push(client, docker_save(archive), name)
        case "pull":
            return pull(client, name, oci_layout(tmp_path / "layout"))
        case _:
            return copy(client, name, name.replace("/app", "/other"))


@pytest.mark.parametrize("verb", ["push", "pull", "copy"])
async def test_a_token_that_ends_at_any_request_is_replaced(tmp_path: Path, verb: str) -> None:
    """Exhaustive over the requests, because the next one is always the one not tried."""
    archive = write_mixed(tmp_path / "app.tar").path
    total, out = await _visits(archive, tmp_path / "0", verb, frozenset())
    assert isinstance(out, Ok), out
    assert total > 5
    for nth in range(1, total + 1):
        _, out = await _visits(archive, tmp_path / str(nth), verb, frozenset({nth}))
        assert isinstance(out, Ok), (nth, out)


async def test_a_token_of_a_minute_carries_a_push_of_ten() -> None:
    """It is replaced before it ends, so that no request is refused once the tokens are known."""
    slow = InstantClock()
    server = TokenServer(now=lambda: slow.passed, life=60.0)

    def gate(visitor: Any) -> str | None:
        slow.passed += 7.0  # the way there; it is over long before the margin of ten seconds
        return server.gate(visitor)

    async with (
        token_server(server),
        EmbeddedRegistry(gate=gate) as registry,
        connect(Settings(cache=False, retries=0), keychain=known_as(TESTER), clock=slow.clock) as client,
    ):
        for number in range(50):
            assert isinstance(await settle(put_blob(client, f"{registry.host}/app", b"%d" % number)), Ok)
    assert slow.passed > 600.0
    assert server.refused == 1
    assert len(server.asked) <= slow.passed / 40


async def test_a_push_that_lasts_ten_minutes_is_whole(tmp_path: Path) -> None:
    """The whole way, streams and manifest included, while the tokens end one after the other."""
    archive = write_mixed(tmp_path / "app.tar")
    slow = InstantClock()
    server = TokenServer(now=lambda: slow.passed, life=60.0)

    def gate(visitor: Any) -> str | None:
        slow.passed += 34.0
        return server.gate(visitor)

    async with token_server(server), EmbeddedRegistry(gate=gate) as registry:
        async with connect(settings(), keychain=known_as(TESTER), clock=slow.clock) as client:
            out = await pushed(client, archive, registry)
        assert isinstance(out, Ok), out
        assert slow.passed > 600.0
        server.is_open = True
        await check(registry, "app", archive.saved, out)


@pytest.mark.parametrize("told", [None, 0, -1, 1e12, "300", "soon", True, [], 59])
async def test_a_life_that_makes_no_sense_is_a_minute_at_least(told: Any) -> None:
    """A token is asked for once, not before every request."""
    clock = InstantClock()
    server = TokenServer(expires_in=told)
    async with (
        token_server(server),
        EmbeddedRegistry(gate=server.gate) as registry,
        connect(settings(), keychain=known_as(TESTER), clock=clock.clock) as client,
    ):
        for _ in range(5):
            assert await settle(ping(client, registry.host)) == Ok(None)
            clock.passed += 9.0
    assert len(server.asked) == 1
