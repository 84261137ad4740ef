"""Tokens as a registry's visitor sees them: asked for when they are wanted, for what is wanted, and no more often."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from returns.future import FutureResult

from registry_fp import Settings, connect, explain, get_blob, has_blob, mount_blob, ping, put_blob, static_credentials
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.effect.operation import Op
from registry_fp.testing import EmbeddedRegistry
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, Keychain, RegistryToken
from registry_fp.transport.credential import anonymous
from tests.faults.image import settings, write_mixed
from tests.faults.outcome import check
from tests.faults.test_one_fault import pushed
from tests.tokens.server import LOGIN, REFRESH, TokenServer, token_server
from tests.transport.clocks import InstantClock

SETTINGS = Settings(cache=False, retries=0)


def known_as(credentials: Credentials | None, asked: list[str] | None = None) -> Keychain:
    """The keychain that gives this to everybody, and writes down what it was asked."""

    def keychain(place: str) -> Op[Credentials | None]:
        if asked is not None:
            asked.append(place)
        found: Op[Credentials | None] = FutureResult.from_value(credentials)
        return found

    return keychain


TESTER = BasicCredentials(LOGIN[0], SecretStr(LOGIN[1]))


async def test_a_push_asks_for_two_tokens_one_to_look_and_one_to_write(tmp_path: Path) -> None:
    """Eighteen requests, and none of the later ones is refused first."""
    archive = write_mixed(tmp_path / "app.tar")
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(settings(), keychain=known_as(TESTER)) as client:
            out = await pushed(client, archive, registry)
        assert isinstance(out, Ok), out
        assert [(each.user, each.service) for each in server.asked] == [("tester", "tests")] * 2
        assert [each.scopes for each in server.asked] == [
            ("repository:app:pull",),
            ("repository:app:pull,push",),
        ]
        assert server.refused <= 6  # what is asked at once before there is a token
        server.is_open = True
        await check(registry, "app", archive.saved, out)


async def test_fifty_at_once_are_one_token_request() -> None:
    """Every one of them is refused first, and one asks for all."""
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        asked: list[str] = []
        async with connect(SETTINGS, keychain=known_as(TESTER, asked)) as client:
            digests = [digest_of(b"%d" % n) for n in range(50)]
            outs = await asyncio.gather(*(settle(has_blob(client, f"{registry.host}/app", each)) for each in digests))
        assert outs == [Ok(False)] * 50
        assert (len(server.asked), asked) == (1, [f"{registry.host}/app"])


async def test_who_leads_may_be_cancelled_and_the_others_get_their_token() -> None:
    """A token request belongs to all who wait for it."""
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=known_as(TESTER)) as client:
            name = f"{registry.host}/app"
            jobs = [asyncio.ensure_future(settle(has_blob(client, name, digest_of(b"x")))) for _ in range(10)]
            while not server.asked:  # noqa: ASYNC110  no event tells what a server has heard
                await asyncio.sleep(0)
            jobs[0].cancel()
            outs = await asyncio.gather(*jobs, return_exceptions=True)
        assert [each for each in outs[1:] if each != Ok(False)] == []
        assert len(server.asked) <= 2


async def test_a_failure_is_shared_and_not_kept() -> None:
    """Fifty who wait for one refusal are fifty refusals and one request; the next one asks again."""
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        keychain = static_credentials(registry.host, LOGIN[0], "wr0ng")
        async with connect(Settings(cache=False), keychain=keychain) as client:
            name = f"{registry.host}/app"
            asked = (settle(has_blob(client, name, digest_of(b"x"))) for _ in range(20))
            outs = await asyncio.gather(*asked)
            assert len(server.asked) <= 3
            again = await settle(has_blob(client, name, digest_of(b"x")))
        for out in (*outs, again):
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, why.Unauthenticated)
            assert (out.error.doing, "wr0ng" in f"{out!r}{explain(out.error)}") == ("has_blob", False)
        assert 1 < len(server.asked) <= 4


async def test_nobody_gets_a_token_to_read() -> None:
    """Docker Hub gives tokens to everybody, and is never told who we are not."""
    server = TokenServer(nobody=frozenset({"pull"}))
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=known_as(TESTER)) as owner:
            blob = await unwrap(put_blob(owner, f"{registry.host}/app", b"abc"))
        server.asked.clear()
        async with connect(SETTINGS, keychain=anonymous) as client:
            assert await settle(get_blob(client, f"{registry.host}/app", blob.digest)) == Ok(b"abc")
            out = await settle(put_blob(client, f"{registry.host}/app", b"def"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert {(each.user, each.authorization) for each in server.asked} == {(None, "")}


async def test_a_mount_asks_for_both_repositories_in_one_token() -> None:
    """A registry that does not find the source in the token takes the bytes again, or says no."""
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=known_as(TESTER)) as client:
            blob = await unwrap(put_blob(client, f"{registry.host}/base", b"abc"))
            target, source = f"{registry.host}/app", f"{registry.host}/base"
            assert await settle(mount_blob(client, target, blob.digest, source=source)) == Ok(True)
        assert set(server.asked[-1].scopes) == {"repository:app:pull,push", "repository:base:pull"}


async def test_a_source_that_is_forbidden_costs_the_mount_and_not_the_push() -> None:
    """What was granted before is still enough for everything else."""
    server = TokenServer(forbidden=frozenset({"repository:base"}))
    async with (
        token_server(server),
        EmbeddedRegistry(gate=server.gate) as registry,
        connect(SETTINGS, keychain=known_as(TESTER)) as client,
    ):
        name = f"{registry.host}/app"
        await unwrap(put_blob(client, name, b"abc"))
        out = await settle(mount_blob(client, name, digest_of(b"x"), source=f"{registry.host}/base"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert isinstance(await settle(put_blob(client, name, b"def")), Ok)


async def test_a_token_that_is_refused_at_once_is_not_asked_for_again_and_again() -> None:
    """The server gives a token that the registry does not take: it may have ended on its way, once."""
    server = TokenServer(life=-1.0, expires_in=300)
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(Settings(cache=False), keychain=known_as(TESTER)) as client:
            out = await settle(ping(client, registry.host))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert (server.visitors, len(server.asked)) == (3, 2)


@pytest.mark.parametrize("post", [None, 404, 405])
async def test_an_identity_token_is_exchanged_or_told_as_a_password(post: int | None) -> None:
    """OAuth2 first; a server that does not know it answers 404 or 405, and takes the token by GET."""
    async with token_server(TokenServer(post=post)) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=known_as(IdentityToken(SecretStr(REFRESH)))) as client:
            assert await settle(has_blob(client, f"{registry.host}/app", digest_of(b"x"))) == Ok(False)
        assert [each.method for each in server.asked] == (["POST"] if post is None else ["POST", "GET"])
        assert server.asked[0].form["grant_type"] == "refresh_token"
        assert {each.scopes for each in server.asked} == {("repository:app:pull",)}


async def test_a_registry_token_goes_to_the_registry_as_it_is() -> None:
    """No token server is asked; and once it is refused, it is not told again in the same call."""
    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=known_as(RegistryToken(SecretStr("st4tic")))) as client:
            out = await settle(ping(client, registry.host))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.Unauthenticated)
        assert (len(server.asked), server.visitors) == (0, 2)


async def test_the_keychain_is_asked_about_the_repository() -> None:
    """Another account for one repository of a host is found; a ping is about the host."""
    asked: list[str] = []
    async with EmbeddedRegistry(basic_auth=LOGIN) as registry:
        async with connect(SETTINGS, keychain=known_as(TESTER, asked)) as client:
            assert await settle(ping(client, registry.host)) == Ok(None)
            assert isinstance(await settle(put_blob(client, f"{registry.host}/team/app", b"abc")), Ok)
            assert await settle(ping(client, registry.host)) == Ok(None)
        assert asked == [registry.host, f"{registry.host}/team/app"]
        assert [seen.status for seen in registry.requests].count(401) == 1


@pytest.mark.parametrize("nobody", [frozenset[str](), frozenset({"pull"})])
async def test_a_keychain_that_fails_is_nobody_until_the_registry_insists(nobody: frozenset[str]) -> None:
    """A broken credential program must not stop a pull that everybody may do, and is the reason where it matters."""
    broken = RegistryError("docker_keychain", "x", why.Misconfigured("credHelpers", "no such program"))
    asked: list[str] = []

    def keychain(place: str) -> Op[Credentials | None]:
        asked.append(place)
        found: Op[Credentials | None] = FutureResult.from_failure(broken)
        return found

    server = TokenServer(nobody=nobody)
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        clock = InstantClock().clock
        async with connect(SETTINGS, keychain=keychain, clock=clock) as client:
            outs = [await settle(has_blob(client, f"{registry.host}/app", digest_of(b"x"))) for _ in range(3)]
    assert len(asked) == 1
    for out in outs:
        assert out == Ok(False) if nobody else isinstance(out, Err) and out.error.reason == broken.reason


async def test_a_password_that_was_changed_is_looked_up_again() -> None:
    """Credential programs of clouds give passwords for hours, and a service runs for weeks."""
    answers = [BasicCredentials(LOGIN[0], SecretStr("0ld")), TESTER]

    def keychain(_place: str) -> Op[Credentials | None]:
        found: Op[Credentials | None] = FutureResult.from_value(answers.pop(0))
        return found

    async with token_server(TokenServer()) as server, EmbeddedRegistry(gate=server.gate) as registry:
        async with connect(SETTINGS, keychain=keychain) as client:
            assert await settle(ping(client, registry.host)) == Ok(None)
        assert [each.user for each in server.asked] == [None, "tester"]
