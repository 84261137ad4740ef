"""Silence: whatever servers answer, and wherever work ends, no log, error or trace says what is secret."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from registry_fp.client import compose, connect
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.explain import explain
from registry_fp.effect.exits import RegistryFailed, settle
from registry_fp.operations.ping import ping
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.credential import static_credentials
from registry_fp.transport.credential_program import CredentialProgram, store_with_program
from registry_fp.transport.settings import Settings
from tests.secrets.in_memory import Forgetful, exchange_with
from tests.secrets.journey import keychain_of, travel
from tests.secrets.sentinels import found_in
from tests.secrets.test_taint import NAMES, world_of
from tests.secrets.world import Answer, World
from tests.transport.clocks import InstantClock

SECRET = "s3kr1t000000x"  # noqa: S105  it is the sentinel
WORLDS = 500

STRANGE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nerror: \u202egnol\u2066\u200b\u2028\x00"
"""What clears a terminal, renames it, turns text around, and begins a line of its own."""


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every log of every library, asyncio's and aiohttp's too."""
    caplog.set_level(logging.DEBUG)
    return caplog


def _said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)


def _told(error: RegistryError) -> str:
    return f"{explain(error)}\n{error!r}\n{RegistryFailed(error)}\n{RegistryFailed(error)!r}"


async def _journey(world: World) -> list[RegistryError]:
    settings = Settings(retries=0, cache=False, plain_http=frozenset({"plain.example:5000"}), wire_log=True)
    hosts = tuple(NAMES[origin] for origin in world.registries if not origin.endswith(":80"))
    client = compose(
        exchange_with(world),
        settings,
        keychain=keychain_of(world, NAMES),
        clock=InstantClock().clock,
        memory=Forgetful(),
    )
    return await travel(client, world.dice, hosts or ("one.example",), steps=3)


def test_no_log_and_no_error_says_a_secret(everything_logged: pytest.LogCaptureFixture) -> None:
    """Neither passwords and tokens, nor the URLs that are keys by themselves, in hundreds of hostile worlds."""
    seen = 0
    with asyncio.Runner() as runner:
        for seed in range(WORLDS):
            world = world_of(seed)
            errors = runner.run(_journey(world))
            text = "\n".join((_said(everything_logged), *map(_told, errors)))
            assert found_in(text) == frozenset(), f"world {seed}"
            seen += len(errors)
            everything_logged.clear()
    assert seen > WORLDS / 2


def test_no_log_and_no_error_has_a_control_byte(everything_logged: pytest.LogCaptureFixture) -> None:
    """In terminals and logs an escape sequence is a command, and a line end begins a forgery."""
    with asyncio.Runner() as runner:
        for seed in range(WORLDS):
            errors = runner.run(_journey(_Strange.of(world_of(seed))))
            lines = [record.getMessage() for record in everything_logged.records]
            lines += [line for error in errors for line in (*explain(error).split("\n"), repr(error))]
            assert [line for line in lines if not line.isprintable()] == [], f"world {seed}"
            everything_logged.clear()


class _Strange(World):
    """A world whose servers write strange text wherever they write text."""

    @classmethod
    def of(cls, world: World) -> _Strange:
        """The same world, but strange."""
        return cls(world.dice, world.registries, world.origins, world.trusted)

    def heard(self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, with some of its text made strange."""
        answer = super().heard(origin, method, target, headers, body)
        dice: Random = self.dice
        strange = {
            name: f"{value[:at]}{STRANGE}{value[at:]}" if dice.random() < 0.3 else value
            for name, value in answer.headers.items()
            for at in (dice.randrange(len(value) + 1),)
        }
        if answer.status >= 400 or dice.random() < 0.2:
            told = "".join(f"\\u{ord(each):04x}" for each in STRANGE)
            problems = f'{{"errors": [{{"code": "{told}", "message": "{told}", "detail": "{told}"}}]}}'
            return Answer(answer.status, strange, problems.encode())
        return replace(answer, headers=strange)


def _traced(error: BaseException) -> str:
    """What a program that collects crashes sends home: every frame of every cause, with its local variables."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    trace: traceback.TracebackException | None = whole
    while trace is not None:
        trace.stack[:] = [frame for frame in trace.stack if frame.filename != __file__]  # who knows the secret anyway
        trace = trace.__cause__ or trace.__context__
    return "".join(whole.format())


@asynccontextmanager
async def _half_an_answer(challenge: str, beginning: bytes) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A registry that wants to know who we are, begins an answer to who says it, and never ends it."""
    begun = asyncio.Event()
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                is_token = head.startswith((b"GET /token", b"POST /token"))
                if is_token or b"Authorization" in head:
                    if beginning:
                        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + beginning)
                        await writer.drain()
                    begun.set()
                    await reader.read()
                writer.write(f"HTTP/1.1 401 X\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode())
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.get_running_loop().create_task(talk(reader, writer)))

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    challenge = challenge.replace("HOST", host)
    try:
        yield host, begun
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("challenge", "beginning"),
    [
        ('Basic realm="x"', b""),
        ('Basic realm="x"', b'{"half": '),
        ('Bearer realm="http://HOST/token",service="s"', b""),
        ('Bearer realm="http://HOST/token",service="s"', f'{{"token": "{SECRET}", "half": '.encode()),
    ],
    ids=["no answer", "half an answer", "no token", "half a token"],
)
async def test_a_trace_with_local_variables_says_no_secret(challenge: str, beginning: bytes) -> None:
    """Work is cut off in the middle, and what collects crashes takes every variable on the way."""
    async with _half_an_answer(challenge, beginning) as (host, begun):
        keychain = static_credentials(host, "ada", SECRET)
        async with connect(Settings(cache=False), keychain=keychain) as client:
            work = asyncio.ensure_future(settle(ping(client, host)))
            await begun.wait()
            for _ in range(20):  # until what was sent has been read
                await asyncio.sleep(0)
            work.cancel()
            with pytest.raises(asyncio.CancelledError) as ended:
                await work
    trace = _traced(ended.value)
    assert "transport/http.py" in trace  # else nothing is proven
    assert found_in(trace) == frozenset()


async def test_a_credential_program_that_is_cut_off_leaves_no_secret_in_a_trace(tmp_path: Path) -> None:
    """The password is on its way to the program, and nowhere else: not in its arguments, and not in a file."""
    heard = tmp_path / "heard"
    program = tmp_path / "docker-credential-slow"
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {heard}\nenv >> {heard}\n: > {ready}\nexec sleep 60\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.defpath}"}
    known = BasicCredentials("ada", SecretStr(SECRET))
    work = asyncio.ensure_future(settle(store_with_program(CredentialProgram("slow", environment), "ghcr.io", known)))
    await asyncio.to_thread(lambda: os.close(os.open(ready, os.O_RDONLY)))  # until the program opens it
    work.cancel()
    with pytest.raises(asyncio.CancelledError) as ended:
        await work
    assert found_in(_traced(ended.value)) == frozenset()
    assert found_in(heard.read_text()) == frozenset()
