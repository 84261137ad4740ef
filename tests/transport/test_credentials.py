"""Credentials: told only when asked, only to the origin that they are for, and to no log."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest
from pydantic import SecretStr
from returns.future import FutureResult

from registry_fp import Settings, connect, explain, get_blob, has_blob, list_tags, ping, put_blob, static_credentials
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op
from registry_fp.testing import Answer, EmbeddedRegistry, Fault
from registry_fp.transport.account import BasicCredentials, Credentials, Keychain
from tests.transport.chaos import Chaos, Visit, answer, chaos
from tests.transport.sending import body_of, request, sent

LOGIN = ("tester", "s3cr3t-w0rd")
SETTINGS = Settings(cache=False, retries=0)
CHALLENGE = Answer(401, {"WWW-Authenticate": 'Basic realm="x"'})


def everybody(seen: list[str] | None = None) -> Keychain:
    """A keychain that has credentials for every host, as if each had been logged in to."""

    def keychain(host: str) -> Op[Credentials | None]:
        if seen is not None:
            seen.append(host)
        found: Op[Credentials | None] = FutureResult.from_value(BasicCredentials(LOGIN[0], SecretStr(LOGIN[1])))
        return found

    return keychain


async def test_a_password_is_told_after_a_challenge_and_from_then_on() -> None:
    """A registry that lets everybody in never learns it; one that does not is asked once, and not every time."""
    async with EmbeddedRegistry() as lenient, EmbeddedRegistry(basic_auth=LOGIN) as strict:
        async with connect(SETTINGS, keychain=everybody()) as client:
            for registry in (lenient, strict):
                for _ in range(3):
                    assert await settle(ping(client, registry.host)) == Ok(None)
        assert [seen.authorized for seen in lenient.requests] == [False] * 3
        assert [seen.authorized for seen in strict.requests] == [False, True, True, True]


@pytest.mark.parametrize(
    ("challenge", "told"),
    [
        ('Basic realm="x"', True),
        ("basic", True),
        ("BASIC", True),
        ('Bearer realm="https://auth.example", Basic realm="x"', True),
        ('Basic realm="a", charset="UTF-8"', True),
        ('Bearer realm="x, basic y",service="s"', False),
        ('Bearer realm="\\", basic ",service="s"', False),
        ("Digest realm=basic", False),
        ("Basically", False),
        ("", False),
    ],
)
async def test_a_password_is_told_only_where_the_challenge_is_basic(challenge: str, told: bool) -> None:
    """Who asks for a token has not asked for a password."""
    async with chaos(answer("401 No", WWW_Authenticate=challenge)) as server:
        async with connect(SETTINGS, keychain=everybody()) as client:
            out = await settle(ping(client, server.host))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert [b"Authorization" in head for head in server.heads] == [False, True][: 1 + told]


async def test_credentials_for_another_host_stay_where_they_are() -> None:
    """A prefix, another port and another name are other registries (`ghcr.io.evil.example`)."""
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry:
        for host in (f"{registry.host}0", "127.0.0.1", "localhost", f"x{registry.host}"):
            async with connect(SETTINGS, keychain=static_credentials(host, *LOGIN)) as client:
                out = await settle(ping(client, registry.host))
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, why.Unauthenticated)
        assert not any(seen.authorized for seen in registry.requests)


async def test_a_wrong_password_is_told_once_a_call_and_never_again_and_again() -> None:
    """A loop of refused logins locks the account."""
    async with EmbeddedRegistry(basic_auth=("tester", "other")) as registry:
        async with connect(Settings(cache=False), keychain=static_credentials(registry.host, *LOGIN)) as client:
            out = await settle(ping(client, registry.host))
        assert isinstance(out, Err)
        assert (type(out.error.reason), out.error.attempts) == (why.Unauthenticated, 1)
        assert registry.counts().requests == 2


async def test_a_keychain_that_fails_is_the_reason() -> None:
    """A credential program that is broken must not look like a registry that refuses."""
    broken = RegistryError("keychain", "x", why.Misconfigured("credHelpers", "no such program"))

    def keychain(_host: str) -> Op[Credentials | None]:
        found: Op[Credentials | None] = FutureResult.from_failure(broken)
        return found

    async with EmbeddedRegistry(basic_auth=LOGIN) as registry, connect(SETTINGS, keychain=keychain) as client:
        out = await settle(ping(client, registry.host))
        assert isinstance(out, Err)
        assert out.error.reason == broken.reason
        assert not any(seen.authorized for seen in registry.requests)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_no_password_crosses_a_redirect_to_another_origin(status: str) -> None:
    """Blobs live with another host behind a signed URL, and whoever redirects chooses that host."""
    blob = b"somewhere else"
    seen: list[str] = []
    async with EmbeddedRegistry(basic_auth=LOGIN) as second:
        async with connect(SETTINGS, keychain=static_credentials(second.host, *LOGIN)) as owner:
            assert isinstance(await settle(put_blob(owner, f"{second.host}/app", blob)), Ok)
        second.reset_counts()
        target = f"{second.url}/v2/app/blobs/{digest_of(blob)}?sig=a%2Fb"
        async with (
            chaos(answer(status, Location=target)) as first,
            connect(SETTINGS, keychain=everybody(seen)) as client,
        ):
            out = await settle(get_blob(client, f"{first.host}/app", digest_of(blob)))
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, why.Unauthenticated)
            assert not any(visit.authorized for visit in second.requests)
            assert (second.counts().requests, seen) == (1, [])


async def test_a_redirect_at_home_keeps_the_login() -> None:
    """Another path of the same origin is the same registry."""
    blob = b"here"

    async def script(visit: Visit) -> None:
        while True:
            head = await visit.hear()
            if b"Authorization: Basic" not in head:
                await visit.say(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            elif b"GET /v2/app/" in head:
                await visit.say(b"HTTP/1.1 307 No\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            else:
                await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + blob)

    async with chaos(script) as server, connect(SETTINGS, keychain=everybody()) as client:
        assert await settle(get_blob(client, f"{server.host}/app", digest_of(blob))) == Ok(blob)


async def test_a_redirect_away_and_back_does_not_borrow_the_login() -> None:
    """Another server must not have us do with our rights what it asks for (a confused deputy)."""

    async def home(visit: Visit) -> None:
        while True:
            head = await visit.hear()
            if b"GET /v2/app/blobs" in head:
                await visit.say(
                    b"HTTP/1.1 307 No\r\nLocation: ", f"http://{away.host}/".encode(), b"\r\nContent-Length: 0\r\n\r\n"
                )
            else:
                await visit.say(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")

    away = Chaos()
    async with chaos(home) as server:
        back = answer("307 No", Location=f"http://{server.host}/secrets")
        async with chaos(back) as away, connect(SETTINGS, keychain=everybody()) as client:
            out = await settle(get_blob(client, f"{server.host}/app", digest_of(b"x")))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert [b"Authorization" in head for head in server.heads] == [False, False]


async def test_a_listing_that_goes_on_with_another_server_goes_on_without_a_login() -> None:
    """The Link stands in the answer of whoever we were redirected to."""

    async def pages(visit: Visit) -> None:
        while True:
            last = b"last=" in await visit.hear()
            link = b"" if last else b"Link: </v2/app/tags/list?last=a>; rel=next\r\n"
            body = b'Content-Length: 15\r\n\r\n{"tags": ["%s"]}' % (b"b" if last else b"a")
            await visit.say(b"HTTP/1.1 200 OK\r\n", link, body)

    async with chaos(pages) as mirror:
        target = f"http://{mirror.host}/v2/app/tags/list?n=1"
        async with (
            chaos(answer("307 No", Location=target)) as server,
            connect(SETTINGS, keychain=everybody()) as client,
        ):
            assert await settle(list_tags(client, f"{server.host}/app")) == Ok(("a", "b"))
        assert [b"Authorization" in head for head in mirror.heads] == [False, False]


async def test_a_body_is_sent_from_its_beginning_after_a_challenge() -> None:
    """The challenge may come only after the body has gone (oras-project/oras#456)."""
    opened: list[str] = []
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry, connect(SETTINGS, keychain=everybody()) as client:
        body = body_of(b"abc", b"def", opened=opened)
        out = await settle(sent(client, request(registry.host, "/v2/app/x", "PATCH", body=body, repeat="never")))
        assert isinstance(out, Ok)
        assert opened == ["opened", "closed"] * 2


async def test_many_at_once_are_all_let_in() -> None:
    """A push begins with several requests, and none of them knows yet that there is a login."""
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry, connect(SETTINGS, keychain=everybody()) as client:
        asked = (has_blob(client, f"{registry.host}/app", digest_of(b"x")) for _ in range(10))
        outs = await asyncio.gather(*(settle(each) for each in asked))
    assert outs == [Ok(False)] * 10


async def test_a_password_shows_itself_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Not in an error, not in its explanation, not in a log at debug level, not in what is printed by accident."""
    caplog.set_level(logging.DEBUG)
    keychain = static_credentials("x", *LOGIN)
    said = [repr(BasicCredentials(LOGIN[0], SecretStr(LOGIN[1]))), repr(keychain), str(keychain)]
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry, connect(SETTINGS, keychain=everybody()) as client:
        said.append(repr(client))
        registry.set_faults(Fault(CHALLENGE, nth=(4,)), Fault(Answer(500), nth=(5,)))
        for _ in range(4):
            out = await settle(ping(client, registry.host))
            if isinstance(out, Err):
                said += [repr(out), str(out.error), explain(out.error)]
        wanted = request(registry.host).with_header("Authorization", "Basic dGVzdGVyOnMzY3IzdC13MHJk")
        said += [repr(wanted), str(wanted)]
        job = asyncio.ensure_future(settle(ping(client, registry.host)))
        await asyncio.sleep(0)
        said += [line for frame in job.get_stack() for line in traceback.format_stack(frame)]
        await job
    told = "\n".join([*said, caplog.text])
    for secret in (LOGIN[1], "dGVzdGVyOnMzY3IzdC13MHJk"):
        assert secret not in told


def test_a_login_for_the_default_port_is_one_for_the_host() -> None:
    """`ghcr.io:443` and `ghcr.io` are one registry."""
    for host in ("ghcr.io", "ghcr.io:443", "GHCR.io"):
        found = asyncio.run(settle_of(static_credentials(host, *LOGIN)("ghcr.io")))
        assert isinstance(found, Ok)
        assert found.value == BasicCredentials(LOGIN[0], SecretStr(LOGIN[1]))


def test_a_login_for_a_part_of_a_host_is_for_no_other_part() -> None:
    """`ghcr.io/team` is not `ghcr.io/teams`, and not all of `ghcr.io`."""
    known = static_credentials("ghcr.io/team", *LOGIN)
    asked = ("ghcr.io/team", "ghcr.io/team/app", "ghcr.io/teams", "ghcr.io", "quay.io/team")
    assert [asyncio.run(settle_of(known(each))) != Ok(None) for each in asked] == [True, True, False, False, False]


async def settle_of(op: Op[Credentials | None]) -> Ok[Credentials | None] | Err[RegistryError]:
    """`settle`, as a coroutine."""
    return await settle(op)
