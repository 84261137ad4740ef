"""Credentials: who we are, for which registry, and when it is told.

A keychain is a function from a registry's host to credentials. A secret goes only to the origin of that registry, and
only after it was asked for; where a redirect leads to another origin, none goes along and none is looked for, because
the server that redirects chose that origin. What is found out about an origin is remembered for the life of the client.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, final

from pydantic import SecretStr
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.domain.reference import DOCKER_HUB, canonical_host
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.location import same_origin
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.refusal import refusal
from registry_fp.transport.port import HUB_ORIGIN, Exchange, Receive, collect

__all__ = ["BasicCredentials", "Keychain", "anonymous", "static_credentials", "with_credentials"]

T = TypeVar("T")

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?$)')  # possessive, and to the end: linear, whatever comes
_BASIC: Final = re.compile(r"(?:^|,)\s*basic(?:[\s,]|$)", re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A user name and a password; the password shows itself nowhere."""

    username: str
    password: SecretStr


Keychain: TypeAlias = Callable[[str], Op[BasicCredentials | None]]
"""From a registry's host (`HOST[:PORT]`, `docker.io` for Docker Hub, `HOST:80` without TLS) to its credentials."""


def anonymous(host: str) -> Op[BasicCredentials | None]:
    """The keychain that knows nobody."""
    found: Op[BasicCredentials | None] = FutureResult.from_value(None)
    return found


def static_credentials(host: str, username: str, password: str | SecretStr) -> Keychain:
    """The keychain that knows one host; for any other it is `anonymous`."""
    secret = password if isinstance(password, SecretStr) else SecretStr(password)
    known = BasicCredentials(username, secret)
    meant = canonical_host(host).removesuffix(":443")
    names = {meant} if ":" in host else {meant, f"{meant}:80"}

    def keychain(asked: str) -> Op[BasicCredentials | None]:
        found: Op[BasicCredentials | None] = FutureResult.from_value(known if asked in names else None)
        return found

    return keychain


@dataclass(frozen=True, slots=True)
class _Challenged:
    reason: Reason


def with_credentials(inner: Exchange, keychain: Keychain) -> Exchange:
    """Answer a `Basic` challenge with the keychain's credentials for that origin (RFC 7617)."""
    headers: dict[str, str] = {}

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        if request.stray:
            return inner(request, receive)
        origin = str(request.url.origin()).lower()

        async def look(incoming: Incoming) -> Result[T | _Challenged, RegistryError]:
            if incoming.status == 401 and _offers_basic(incoming):
                refused = await collect(incoming, request)
                return refused.map(lambda response: _Challenged(refusal(response, "registry")))
            return (await receive(incoming)).map(_widen)

        async def body() -> Result[T, RegistryError]:
            remembered = headers.get(origin)
            first = request if remembered is None else request.with_header("Authorization", remembered)
            out = await settle(inner(first, look))
            if isinstance(out, Err):
                return Failure(out.error)
            if not isinstance(out.value, _Challenged):
                return Success(out.value)
            # Asked again when what is remembered is no longer taken: a keychain may have newer credentials by now.
            known = await settle(keychain(_registry_of(request)))
            if isinstance(known, Err):
                return Failure(known.error)
            if known.value is None or (header := _basic(known.value)) == remembered:
                return Failure(request.failed(out.value.reason))
            headers[origin] = header
            return result_of(await settle(inner(request.with_header("Authorization", header), receive)))

        return deferred(body)

    return exchange


def _registry_of(request: Request) -> str:
    if same_origin(request.url, HUB_ORIGIN):
        return DOCKER_HUB
    name = (request.url.host_port_subcomponent or "").lower()
    # Without TLS it is another origin, and says so: what is known for `HOST:443` is not for it.
    return f"{name}:80" if request.url.scheme == "http" and request.url.is_default_port() else name


def _offers_basic(incoming: Incoming) -> bool:
    """Whether one of the challenges is `Basic`; what stands in quotes is no challenge."""
    return _BASIC.search(_QUOTED.sub('""', incoming.headers.get("www-authenticate", ""))) is not None


def _basic(known: BasicCredentials) -> str:
    pair = f"{known.username}:{known.password.get_secret_value()}".encode(errors="surrogatepass")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _widen(value: T) -> T | _Challenged:
    return value
