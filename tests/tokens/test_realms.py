"""Realms: a registry says where tokens are given, and that is believed as far as it is safe."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from registry_fp import Settings, connect, explain, has_blob, ping
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.realm import judge_realm
from registry_fp.testing import EmbeddedRegistry
from registry_fp.transport.account import Credentials, IdentityToken
from tests.tokens.server import LOGIN, REFRESH, TokenServer, serving, token_server
from tests.tokens.test_tokens import TESTER, known_as

SETTINGS = Settings(cache=False, retries=0)
SECRETS = (LOGIN[1], REFRESH, "dGVzdGVyOnMzY3IzdC13MHJk", "t0k3n-")

# The registry, what it says, and whether the realm is told who we are; None is refused.
JUDGED = [
    ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
    ("https://registry-1.docker.io", "https://AUTH.docker.io:443/token", True),
    ("https://registry-1.docker.io", "http://auth.docker.io/token", None),
    ("https://registry-1.docker.io", "https://auth.docker.io:444/token", False),
    ("https://registry-1.docker.io", "https://auth.docker.io.evil.example/token", False),
    ("https://registry-1.docker.io.evil.example", "https://auth.docker.io/token", False),
    ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
    ("https://ghcr.io", "https://ghcr.io/token", True),
    ("https://ghcr.io", "https://GHCR.io:8443/token?a=b", True),
    ("https://ghcr.io", "https://ghcr.io.evil.example/token", False),
    ("https://ghcr.io", "https://evil.example/ghcr.io", False),
    ("https://ghcr.io", "https://ghcr.io@evil.example/token", None),
    ("https://ghcr.io", "https://user:pass@ghcr.io/token", None),
    ("https://ghcr.io", "http://ghcr.io/token", None),
    ("https://ghcr.io", "http://127.0.0.1/token", None),
    ("https://ghcr.io", "ftp://ghcr.io/token", None),
    ("https://ghcr.io", "file:///etc/passwd", None),
    ("https://ghcr.io", "/token", None),
    ("https://ghcr.io", "//ghcr.io/token", None),
    ("https://ghcr.io", "Registry Realm", None),
    ("https://ghcr.io", "", None),
    ("https://ghcr.io", "https://ghcr.io/to ken", None),
    ("https://ghcr.io", "https://ghcr.io\\@evil.example/", None),
    ("https://ghcr.io", "https://:5000/", None),
    ("http://plain.example:5000", "http://plain.example:5001/token", True),
    ("http://plain.example:5000", "http://other.example:5001/token", None),
    ("http://plain.example:5000", "http://127.0.0.1:5001/token", None),
    ("http://plain.example:5000", "https://other.example/token", False),
    ("http://localhost:5000", "http://127.0.0.1:5001/token", True),
    ("http://[::1]:5000", "http://localhost:5001/token", True),
    ("http://169.254.1.1", "http://169.254.169.254/token", None),
    ("https://one.example", "https://chosen.example/token", True),
    ("https://one.example", "https://chosen.example:8443/token", False),
    ("https://one.example", "https://port.example:8443/token", True),
    ("https://one.example", "https://port.example/token", False),
    ("https://one.example", "http://chosen.example/token", None),
    ("http://plain.example", "http://port.example:8443/token", True),
]


@pytest.mark.parametrize(("registry", "text", "told"), JUDGED)
def test_a_realm_is_told_who_we_are_by_rule(registry: str, text: str, told: bool | None) -> None:
    """Of the same host, of its family, or chosen; and never down to less than the registry's own TLS."""
    judged = judge_realm(URL(registry), text, {"chosen.example", "port.example:8443"})
    assert judged.map(lambda realm: realm.is_trusted).value_or(None) is told


def _elsewhere(server: TokenServer) -> str:
    """The same server under a name that is not the registry's; both are this machine."""
    return f"http://other.example:{server.host.rpartition(':')[2]}/token"


@pytest.mark.parametrize("credentials", [TESTER, IdentityToken(SecretStr(REFRESH))])
async def test_a_realm_of_another_host_without_tls_is_not_asked(credentials: Credentials) -> None:
    """GHSA-xf85-363p-868w: whoever answers for a registry must not choose who hears its password."""
    server = TokenServer()
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        server.realm = _elsewhere(server)
        async with connect(SETTINGS, keychain=known_as(credentials)) as client:
            out = await settle(ping(client, registry.host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.PolicyRefused)
    assert (server.asked, server.visitors) == ([], 1)
    assert not any(secret in f"{out!r}{explain(out.error)}" for secret in SECRETS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_token_server_is_not_followed_elsewhere(status: int) -> None:
    """google/go-containerregistry#2292: one request, and no second one to wherever it says."""
    heard: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(request.path)
        return web.Response(status=status, headers={"Location": "/metadata?secret=1"})

    server = TokenServer()
    async with serving(answer) as host, EmbeddedRegistry(gate=server.gate) as registry:
        server.realm = f"http://{host}/token?own=1"
        async with connect(Settings(cache=False), keychain=known_as(TESTER)) as client:
            out = await settle(ping(client, registry.host))
    assert isinstance(out, Err)
    assert out.error.reason == why.PolicyRefused("a redirect of a token server is not followed", f"http://{host}/token")
    assert heard == ["/token"]


BODIES: list[tuple[int, bytes, type[Any]]] = [
    (200, b"", why.ProtocolViolation),
    (200, b"{}", why.ProtocolViolation),
    (200, b"[]", why.ProtocolViolation),
    (200, b'{"token": 1}', why.ProtocolViolation),
    (200, b'{"token": ""}', why.ProtocolViolation),
    (200, b'{"token": "a\\r\\nX: y"}', why.ProtocolViolation),
    (200, b'{"token": "\xc3\xa9"}', why.ProtocolViolation),
    (200, b'{"token": "a", "token": "b"}', why.ProtocolViolation),
    (200, b'{"token": ' + b"[" * 5000, why.ProtocolViolation),
    (200, b'{"token": "' + b"s3cret" * 30_000 + b'"}', why.LimitExceeded),
    (200, b"<html>s3cret</html>", why.ProtocolViolation),
    (204, b"", why.ProtocolViolation),
    (400, b"s3cret", why.ProtocolViolation),
    (401, b'{"errors": [{"code": "UNAUTHORIZED"}]}', why.Unauthenticated),
    (403, b"", why.Denied),
    (404, b"", why.ProtocolViolation),
    (418, b"", why.ProtocolViolation),
    (503, b"", why.ServerFault),
]


@pytest.mark.parametrize(("status", "body", "reason"), BODIES)
async def test_an_answer_without_a_token_is_a_reason(status: int, body: bytes, reason: type[Any]) -> None:
    """It must not look like a repository that is missing, and quotes nothing of what may be secret."""

    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    server = TokenServer()
    async with serving(answer) as host, EmbeddedRegistry(gate=server.gate) as registry:
        server.realm = f"http://{host}/token"
        async with connect(SETTINGS, keychain=known_as(TESTER)) as client:
            out = await settle(has_blob(client, f"{registry.host}/app", digest_of(b"x")))
    assert isinstance(out, Err)
    assert (type(out.error.reason), out.error.doing) == (reason, "has_blob")
    assert "s3cret" not in f"{out!r}{explain(out.error)}"


async def test_a_realm_keeps_its_own_query_and_a_scope_is_written_out() -> None:
    """A realm is a URL like any other, and what is added to it cannot end it."""
    heard: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(request.path_qs)
        return web.json_response({"access_token": "abc"})

    def gate(visitor: Any) -> str | None:
        return None if visitor.authorization else f'bearer realm="{realm}", service="a&b=c#d", SCOPE="x:y&z:pull"'

    async with serving(answer) as host, EmbeddedRegistry(gate=gate) as registry:
        realm = f"http://{host}/token?own=a%2Fb"
        async with connect(SETTINGS, keychain=known_as(None)) as client:
            assert await settle(ping(client, registry.host)) == Ok(None)
    assert heard == ["/token?own=a%2Fb&service=a%26b%3Dc%23d&scope=x%3Ay%26z%3Apull"]


async def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the password nor the token that came for it."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    server = TokenServer(forbidden=frozenset({"repository:no"}))
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        for credentials in (TESTER, IdentityToken(SecretStr(REFRESH))):
            async with connect(SETTINGS, keychain=known_as(credentials)) as client:
                for name in ("app", "no"):
                    out = await settle(has_blob(client, f"{registry.host}/{name}", digest_of(b"x")))
                    said += [repr(out), repr(client)]
    told = "\n".join([*said, caplog.text])
    assert "get_token" in told
    assert not any(secret in told for secret in SECRETS)
