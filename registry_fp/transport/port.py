"""The port: what operations know of the transport, and no more.

An exchange is one request and what is made of its answer: `receive` sees the answer while it arrives, and whatever
comes of it (a value, a failure, a bug, a cancellation), the connection behind it has been given back when the
exchange ends. `receive` may be called again, from the beginning, if the request is one that may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Protocol, TypeAlias, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, Reason, RegistryError
from registry_fp.domain.reference import DOCKER_HUB, Repository
from registry_fp.effect.operation import Op
from registry_fp.effect.retry import RetryPolicy
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.protocol.message import Incoming, Request, Response
from registry_fp.protocol.problem import ERROR_LIMIT
from registry_fp.transport.account import Keychain
from registry_fp.transport.clock import Clock
from registry_fp.transport.settings import Settings

__all__ = ["HUB_ORIGIN", "Client", "Exchange", "Memory", "Receive", "collect", "send"]

T = TypeVar("T")

Receive: TypeAlias = Callable[[Incoming], Awaitable[Result[T, RegistryError]]]
"""What is made of an answer while it arrives."""

HUB_ORIGIN: Final = URL("https://registry-1.docker.io")


class Exchange(Protocol):
    """Send a request, and let `receive` make something of the answer."""

    def __call__(self, request: Request, receive: Receive[T], /) -> Op[T]:
        """Fails with a transport reason (`ConnectFailed`, `TimedOut`, ...), or as `receive` does."""
        ...


class Memory(Protocol):
    """What earlier work taught: it saves work, and is never trusted; the registry is asked all the same."""

    async def recall(self, diff_id: Digest, recipe: str) -> Descriptor | None:
        """What a layer became when it was compressed by this recipe."""

    async def remember(self, diff_id: Digest, recipe: str, became: Descriptor) -> None:
        """Keep what a layer became."""

    async def holders(self, host: str, digest: Digest) -> tuple[Repository, ...]:
        """Repositories of a host that were seen to hold a blob, the latest first."""
        ...

    async def saw(self, repository: Repository, digest: Digest) -> None:
        """Keep that a repository holds a blob."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A way to talk to registries: made by `connect`, safe for the life of a service and for many tasks at once.

    `transit` bounds the streams that come from a registry and go to one: each holds two connections at once.
    """

    exchange: Exchange
    settings: Settings
    policy: Callable[[], RetryPolicy[RegistryError]]
    clock: Clock
    memory: Memory
    flights: SingleFlight[Descriptor]
    transit: asyncio.Semaphore
    exchange_for: Callable[[Keychain], Exchange]

    def known_by(self, keychain: Keychain) -> Client:
        """The same connections and limits, with other credentials: what is known of this client is not used."""
        return replace(self, exchange=self.exchange_for(keychain))

    def origin(self, host: str) -> URL:
        """Where the registry of this name answers: https, or http for loopback and for hosts that were chosen so."""
        if host == DOCKER_HUB:
            return HUB_ORIGIN
        plain = _is_loopback(host) or self.settings.host(host).plain_http
        return URL(f"{'http' if plain else 'https'}://{host}")


def send(client: Client, request: Request, decode: Callable[[Response], Result[T, Reason]]) -> Op[T]:
    """One request whose whole answer is read, at most `request.limit` bytes of it, and decoded."""

    async def receive(incoming: Incoming) -> Result[T, RegistryError]:
        collected = await collect(incoming, request)
        if not is_successful(collected):
            return Failure(collected.failure())
        decoded = decode(collected.unwrap())
        if is_successful(decoded):
            return Success(decoded.unwrap())
        return Failure(request.failed(decoded.failure(), attempts=incoming.attempts))

    return client.exchange(request, receive)


async def collect(incoming: Incoming, request: Request) -> Result[Response, RegistryError]:
    """The whole answer; fails with `LimitExceeded` beyond `request.limit` bytes.

    The body of a refusal is only a comment on its status: where it breaks, or has no end, what there is of it is kept.
    """
    refused = incoming.status >= 400
    limit = ERROR_LIMIT if refused else request.limit
    parts: list[bytes] = []
    size = 0
    async for chunk in incoming.chunks:
        if not is_successful(chunk):
            if refused:
                break
            return Failure(chunk.failure())
        part = chunk.unwrap()
        size += len(part)
        if size > limit:
            if refused:
                break
            return Failure(request.failed(LimitExceeded("bytes in an answer", limit)))
        parts.append(part)
    return Success(Response(incoming.status, incoming.headers, incoming.url, b"".join(parts), incoming.attempts))


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
