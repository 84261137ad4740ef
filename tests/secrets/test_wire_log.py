"""The wire log: what was asked and answered can be read, and nothing of it that is secret."""

from __future__ import annotations

import logging

import pytest

from registry_fp.client import connect
from registry_fp.effect.exits import Ok, settle
from registry_fp.operations.blobs import put_blob
from registry_fp.operations.ping import ping
from registry_fp.testing.threaded import running_registry
from registry_fp.transport.credential import static_credentials
from registry_fp.transport.settings import Settings
from registry_fp.transport.wire_log import WIRE_LOG
from tests.secrets.sentinels import found_in

SECRET = "s3kr1t000000x"  # noqa: S105  it is the sentinel
CONTENT = b"s3kr1t000001x"


async def _used(settings: Settings) -> str:
    with running_registry(basic_auth=("ada", SECRET)) as registry:
        keychain = static_credentials(registry.host, "ada", SECRET)
        async with connect(settings, keychain=keychain) as client:
            assert isinstance(await settle(ping(client, registry.host)), Ok)
            assert isinstance(await settle(put_blob(client, f"{registry.host}/app", CONTENT)), Ok)
    return registry.host


def _wire(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == WIRE_LOG]


async def test_every_request_and_every_answer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Why a registry does not do what was asked is seen on the wire, or nowhere."""
    caplog.set_level(logging.DEBUG)
    host = await _used(Settings(wire_log=True, cache=False))
    lines = _wire(caplog)
    assert lines[0] == f"#1 > GET http://{host}/v2/"
    assert lines[1].startswith("#1 < 401 after ")
    assert any(line.startswith("#1 < www-authenticate: basic realm=") for line in lines)
    assert "#2 > authorization: Basic ***" in lines
    put = next(line for line in lines if " > PUT " in line)
    assert f" http://{host}/v2/app/blobs/uploads/***?" in put
    assert put.endswith(f" with {len(CONTENT)} bytes")
    assert found_in("\n".join(record.getMessage() for record in caplog.records)) == frozenset()


async def test_it_is_silent_unless_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """A service that logs everything at DEBUG has not asked for every header."""
    caplog.set_level(logging.DEBUG)
    await _used(Settings(cache=False))
    assert _wire(caplog) == []
    assert any(record.name.startswith("registry_fp.") for record in caplog.records)


async def test_a_request_without_an_answer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Also when nothing came back at all."""
    caplog.set_level(logging.DEBUG)
    with running_registry() as registry:
        host = registry.host
    async with connect(Settings(wire_log=True, cache=False, retries=0)) as client:
        await settle(ping(client, host))
    assert [line.partition(" after ")[0] for line in _wire(caplog)] == [
        f"#1 > GET http://{host}/v2/",
        f"#1 ! ping {host}: ConnectFailed: cannot connect to {host}: connection refused",
    ]
