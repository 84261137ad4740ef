"""A registry that asks for a login at any moment: the push goes on, from the beginning of whatever was under way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from registry_fp import connect, explain, static_credentials
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok
from registry_fp.testing import Answer, EmbeddedRegistry, Fault
from tests.faults.image import settings, write_mixed
from tests.faults.outcome import check, lost_sessions
from tests.faults.test_one_fault import COLD, pushed
from tests.transport.clocks import InstantClock

LOGIN = ("tester", "s3cr3t-w0rd")
CHALLENGE = Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "HEAD"])
async def test_a_login_that_is_asked_for_late_is_given(tmp_path: Path, method: str) -> None:
    """Reading is open to all in many registries, and some ask only when the body has been sent already."""
    archive = write_mixed(tmp_path / "app.tar")
    for nth in (1, 2):
        async with EmbeddedRegistry() as registry:
            registry.set_faults(Fault(CHALLENGE, method=method, nth=(nth,)))
            keychain = static_credentials(registry.host, *LOGIN)
            async with connect(settings(), keychain=keychain, clock=InstantClock().clock) as client:
                out = await pushed(client, archive, registry)
            assert isinstance(out, Ok), out
            await check(registry, "app", archive.saved, out)
            assert [seen.authorized for seen in registry.requests if seen.method != "GET"][-1]


async def test_a_login_that_is_refused_at_any_moment_ends_the_push_and_leaves_nothing(tmp_path: Path) -> None:
    """Rights can be taken away in the middle of a push."""
    archive = write_mixed(tmp_path / "app.tar")
    for nth in range(1, COLD + 1):
        async with EmbeddedRegistry(basic_auth=LOGIN) as registry:
            registry.set_faults(Fault(CHALLENGE, nth=tuple(range(nth, 200))))
            keychain = static_credentials(registry.host, *LOGIN)
            async with connect(settings(), keychain=keychain, clock=InstantClock().clock) as client:
                out = await pushed(client, archive, registry)
            assert isinstance(out, Err), nth
            assert isinstance(out.error.reason, why.Unauthenticated)
            seen = registry.requests
            assert len(seen) <= 3 * COLD
            registry.set_faults()
            assert registry.counts().uploads_open <= lost_sessions(seen)


async def test_a_push_with_a_login_asks_for_it_once(tmp_path: Path) -> None:
    """One refused request for each registry, and not one for each blob."""
    archive = write_mixed(tmp_path / "app.tar")
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry:
        keychain = static_credentials(registry.host, *LOGIN)
        async with connect(settings(), keychain=keychain) as client:
            assert isinstance(await pushed(client, archive, registry), Ok)
        assert [seen.status for seen in registry.requests].count(401) == 1
        assert len(registry.requests) == COLD + 1


async def test_a_log_tells_neither_the_password_nor_where_an_upload_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A Location is as good as a login for as long as the session lasts, and logs are read by many."""
    caplog.set_level(logging.DEBUG)
    archive = write_mixed(tmp_path / "app.tar")
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry:
        registry.set_faults(Fault(Answer(503), method="PATCH", nth=(1,)), Fault(Answer(400), method="PUT", nth=(2,)))
        keychain = static_credentials(registry.host, *LOGIN)
        async with connect(settings(), keychain=keychain, clock=InstantClock().clock) as client:
            out = await pushed(client, archive, registry)
    assert isinstance(out, Err)
    told = f"{caplog.text}{out!r}{explain(out.error)}"
    assert "put_blob" in told
    for secret in (LOGIN[1], "dGVzdGVyOnMzY3IzdC13MHJk", "_state", "/uploads/"):
        assert secret not in told
