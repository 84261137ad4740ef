"""Credentials: who we are, for which registry, and when it is told.

A keychain is a function from what a request is about to credentials. A secret goes only to the origin of that registry
(or to its token server), and only after it was asked for; where a redirect leads to another origin, none goes along
and none is looked for, because the server that redirects chose that origin. What is found out about an origin is
remembered for the life of the client.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import SecretStr
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.domain.reference import canonical_host
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.challenge import Challenge, challenges_in
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.refusal import refusal
from registry_fp.transport.account import BasicCredentials, Credentials, Keychain
from registry_fp.transport.authenticator import Authenticator
from registry_fp.transport.clock import SYSTEM_CLOCK, Clock
from registry_fp.transport.port import Exchange, Receive, collect

__all__ = ["anonymous", "static_credentials", "with_credentials"]

T = TypeVar("T")

_ROUNDS: Final = 4
"""How often one request is sent at most: as nobody, with a token, and with a token for more."""


def anonymous(place: str) -> Op[Credentials | None]:
    """The keychain that knows nobody."""
    found: Op[Credentials | None] = FutureResult.from_value(None)
    return found


def static_credentials(host: str, username: str, password: str | SecretStr) -> Keychain:
    """The keychain that knows one host, or `HOST/PATH` and what is below it; for any other place it is `anonymous`."""
    secret = password if isinstance(password, SecretStr) else SecretStr(password)
    known = BasicCredentials(username, secret)
    named, _, path = host.partition("/")
    meant = canonical_host(named).removesuffix(":443")
    names = {meant} if ":" in named else {meant, f"{meant}:80"}

    def keychain(asked: str) -> Op[Credentials | None]:
        name, _, place = asked.partition("/")
        is_ours = name in names and (not path or f"{place}/".startswith(f"{path}/"))
        found: Op[Credentials | None] = FutureResult.from_value(known if is_ours else None)
        return found

    return keychain


@dataclass(frozen=True, slots=True)
class _Challenged:
    reason: Reason
    challenges: tuple[Challenge, ...]
    peer: str | None


def with_credentials(
    inner: Exchange,
    keychain: Keychain,
    *,
    clock: Clock = SYSTEM_CLOCK,
    tokens: Exchange | None = None,
    trusted_realms: Collection[str] = (),
) -> Exchange:
    """Answer `Basic` and `Bearer` challenges with the keychain's credentials for the repository (RFC 7617, RFC 6750).

    Token servers are asked through `tokens`, which follows no redirect; without it, through `inner`.
    """
    authenticator = Authenticator(keychain, tokens or inner, now=clock.now, trusted=trusted_realms)

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        if request.stray:
            return inner(request, receive)
        return deferred(lambda: _exchange(authenticator, inner, request, receive))

    return exchange


async def _exchange(
    authenticator: Authenticator, inner: Exchange, request: Request, receive: Receive[T]
) -> Result[T, RegistryError]:
    prepared = await authenticator.prepared(request)
    if not is_successful(prepared):
        return Failure(prepared.failure())
    said = prepared.unwrap()
    for left in reversed(range(_ROUNDS)):

        async def look(incoming: Incoming) -> Result[T | _Challenged, RegistryError]:
            if incoming.status in (401, 403):
                challenges = challenges_in(incoming.headers.get("www-authenticate"))
                if left and authenticator.is_answerable(incoming.status, challenges, said, request):  # noqa: B023
                    refused = await collect(incoming, request)
                    return refused.map(
                        lambda response: _Challenged(refusal(response, "registry"), challenges, response.peer)
                    )
                excuse = authenticator.excuse(request, said)  # noqa: B023  it is called before the next round
                if excuse is not None:
                    return Failure(excuse)
            return (await receive(incoming)).map(_widen)

        out = await settle(inner(request if said is None else said.on(request), look))
        if isinstance(out, Err):
            return Failure(out.error)
        if not isinstance(out.value, _Challenged):
            return Success(out.value)
        answered = await authenticator.answered(request, out.value.challenges, said, peer=out.value.peer)
        if not is_successful(answered):
            return Failure(answered.failure())
        if answered.unwrap() is None:
            return Failure(request.failed(out.value.reason))
        said = answered.unwrap()
    raise AssertionError("the last round answers no challenge")


def _widen(value: T) -> T | _Challenged:
    return value
