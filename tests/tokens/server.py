"""A token server of the tests' own: it knows its users, checks what they ask for, and writes down who asked."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from registry_fp.testing.gate import Visitor

LOGIN = ("tester", "s3cr3t-w0rd")
REFRESH = "r3fr3sh-s3cret"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a token: how, by whom (None is nobody), and for what."""

    method: str
    user: str | None
    service: str | None
    scopes: tuple[str, ...]
    authorization: str = field(repr=False, default="")
    form: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(slots=True)
class _Granted:
    until: float
    scopes: frozenset[str]


@dataclass(slots=True)
class TokenServer:
    """`asked` is what it heard. Tokens live for `life` seconds of `now`, and `revoke` ends them all at once.

    `nobody` is what may be done without a login, and `forbidden` are resources that nobody gets. `post` is the status
    of every POST, where refresh tokens are unknown. An `is_open` registry asks nobody.
    Before the visitors of these numbers, all tokens are revoked.
    """

    now: Callable[[], float] = lambda: 0.0
    life: float = 300.0
    nobody: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    post: int | None = None
    expires_in: Any = "life"
    revoked_before: frozenset[int] = frozenset()
    host: str = ""
    realm: str = ""
    refusal: int = 401
    is_open: bool = False
    asked: list[Asked] = field(default_factory=list)
    visitors: int = 0
    refused: int = 0
    sign: Callable[[str | None, tuple[str, ...]], Awaitable[str]] | None = None
    _granted: dict[str, _Granted] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    def revoke(self) -> None:
        """No token that was given so far is worth anything."""
        self._granted.clear()

    def gate(self, visitor: Visitor) -> str | None:
        """What the registry asks at its door."""
        if self.is_open:
            return None
        self.visitors += 1
        if self.visitors in self.revoked_before:
            self.revoke()
        scheme, _, token = visitor.authorization.partition(" ")
        granted = self._granted.get(token) if scheme == "Bearer" else None
        needed = {single for scope in visitor.scopes for single in _singles(scope)}
        if granted is not None and self.now() < granted.until and needed <= granted.scopes:
            return None
        self.refused += 1
        scope = f',scope="{" ".join(visitor.scopes)}"' if visitor.scopes else ""
        is_live = granted is not None and self.now() < granted.until
        error = f',error="{"insufficient_scope" if is_live else "invalid_token"}"' if token else ""
        return f'Bearer realm="{self.realm}",service="tests"{scope}{error}'

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """A token, for what the asker may do of what they ask for."""
        form = {} if request.method == "GET" else {name: str(value) for name, value in (await request.post()).items()}
        told = request.headers.get("Authorization", "")
        user = self._user(told, form)
        scopes = tuple(request.query.getall("scope", [])) or tuple(form.get("scope", "").split())
        service = request.query.get("service", form.get("service"))
        self.asked.append(Asked(request.method, user or None, service, scopes, told, form))
        if request.method == "POST" and self.post is not None:
            return web.Response(status=self.post)
        if user == "":
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=self.refusal)
        singles = {single for scope in scopes for single in _singles(scope)}
        allowed = {each for each in singles if each.rpartition(":")[0] not in self.forbidden}
        if user is None:
            allowed = {each for each in allowed if each.rpartition(":")[2] in self.nobody}
        if self.sign is not None:
            token = await self.sign(user, tuple(sorted(allowed)))
        else:
            token = f"t0k3n-{next(self._numbers)}"
        self._granted[token] = _Granted(self.now() + self.life, frozenset(allowed))
        document: dict[str, Any] = {"access_token" if request.method == "POST" else "token": token}
        if self.expires_in is not None:
            document["expires_in"] = self.life if self.expires_in == "life" else self.expires_in
        document["issued_at"] = "2001-01-01T00:00:00Z"
        return web.json_response(document)

    def _user(self, told: str, form: Mapping[str, str]) -> str | None:
        """Who asks; None for nobody, and the empty name for somebody who is not known."""
        if "refresh_token" in form:
            return LOGIN[0] if form["refresh_token"] == REFRESH else ""
        if not told:
            return None
        pair = base64.b64decode(told.partition(" ")[2]).decode()
        return LOGIN[0] if pair in (":".join(LOGIN), f"<token>:{REFRESH}") else ""


@asynccontextmanager
async def token_server(server: TokenServer) -> AsyncIterator[TokenServer]:
    """Serve it on loopback."""
    async with serving(server.answer) as host:
        server.host = host
        server.realm = f"http://{host}/token"
        yield server


@asynccontextmanager
async def serving(answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server on loopback that gives this answer, for as long as the block lasts."""
    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _singles(scope: str) -> list[str]:
    resource, _, actions = scope.rpartition(":")
    return [f"{resource}:{action}" for action in actions.split(",")]
