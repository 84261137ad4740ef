"""The port: what operations know of the transport, and no more.

An exchange is one request and what is made of its answer: `receive` sees the answer while it arrives, and whatever
comes of it (a value, a failure, a bug, a cancellation), the connection behind it has been given back when the
exchange ends. `receive` may be called again, from the beginning, if the request is one that may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from ipaddress import ip_address
from typing import Protocol, TypeAlias, TypeVar, final

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
from registry_fp.transport.host_name import HUB_ORIGIN
from registry_fp.transport.notices import NoticeBook
from registry_fp.transport.profile_book import ProfileBook
from registry_fp.transport.settings import Settings

__all__ = ["Client", "Exchange", "Memory", "Mirrors", "Receive", "collect", "send"]

T = TypeVar("T")

Receive: TypeAlias = Callable[[Incoming], Awaitable[Result[T, RegistryError]]]
"""What is made of an answer while it arrives."""


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


class Mirrors(Protocol):
    """The mirrors of hosts, by their names: where content is looked for first."""

    @property
    def gave(self) -> frozenset[str]:
        """Those that content came from."""
        ...

    def anew(self, without: frozenset[str] = frozenset()) -> Mirrors:
        """The same for a piece of work to which none has given anything yet; these are not asked for it."""
        ...

    def distrust(self, mirror: str) -> None:
        """Leave a mirror that gave wrong bytes alone for a while."""

    def exchange(self, client: Client, host: str, without: frozenset[str]) -> Exchange:
        """The exchange for the content of a host, as `Client.content` says."""
        ...


@final
@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A way to talk to registries: made by `connect`, safe for the life of a service and for many tasks at once.

    `transit` bounds the streams that come from a registry and go to one: each holds two connections at once.
    `profiles` is what is known of how registries differ, `notices` what they said beside their answers. Without
    `mirrors` no mirror is asked. `keychain` is whose credentials `exchange` tells, if it is known.
    """

    exchange: Exchange
    settings: Settings
    policy: Callable[[], RetryPolicy[RegistryError]]
    clock: Clock
    memory: Memory
    flights: SingleFlight[Descriptor]
    transit: asyncio.Semaphore
    exchange_for: Callable[[Keychain | None], Exchange]
    profiles: ProfileBook
    notices: NoticeBook = field(default_factory=NoticeBook)
    mirrors: Mirrors | None = None
    keychain: Keychain | None = None

    def known_by(self, keychain: Keychain) -> Client:
        """The same connections and limits, with other credentials: what is known of this client is not used."""
        return replace(self, exchange=self.exchange_for(keychain), keychain=keychain)

    def unasked(self) -> Client:
        """The same connections and limits, where nobody says who we are: that a registry asks is an answer, too."""
        return replace(self, exchange=self.exchange_for(None), keychain=None)

    def at_origin(self) -> Client:
        """The same client for what is about to be changed: content comes from the registry itself, not from mirrors."""
        return replace(self, mirrors=None)

    def content(self, host: str, *, without: frozenset[str] = frozenset()) -> Exchange:
        """The exchange for reading content of a host: through its mirrors, but for some, and then from the host itself.

        A mirror that does not answer with content is passed over. `Incoming.mirror` says whose answer it is; where that
        breaks, a request that may be repeated goes to the next place, and any other one ends with the failure.
        """
        return self.exchange if self.mirrors is None else self.mirrors.exchange(self, host, without)

    def origin(self, host: str) -> URL:
        """Where the registry of this name answers: https, or http for hosts that were chosen so and for loopback.

        Where anything about TLS is chosen for a host, TLS is spoken to it on loopback, too.
        """
        if host == DOCKER_HUB:
            return HUB_ORIGIN
        chosen = self.settings.host(host)
        plain = chosen.plain_http or (_is_loopback(host) and not chosen.chooses_tls)
        return URL(f"{'http' if plain else 'https'}://{host}")


def send(
    client: Client,
    request: Request,
    decode: Callable[[Response], Result[T, Reason]],
    *,
    through: Exchange | None = None,
) -> Op[T]:
    """One request whose whole answer is read, at most `request.limit` bytes of it, and decoded.

    It goes `through` another exchange than the client's own, if one is given.
    """

    async def receive(incoming: Incoming) -> Result[T, RegistryError]:
        collected = await collect(incoming, request)
        if not is_successful(collected):
            return Failure(collected.failure())
        decoded = decode(collected.unwrap())
        if is_successful(decoded):
            return Success(decoded.unwrap())
        return Failure(request.failed(decoded.failure(), attempts=incoming.attempts))

    return (client.exchange if through is None else through)(request, receive)


async def collect(incoming: Incoming, request: Request) -> Result[Response, RegistryError]:
    """The whole answer; fails with `LimitExceeded` beyond `request.limit` bytes.

    The body of a refusal is only a comment on its status: where it breaks, or has no end, what there is of it is kept.
    """
    refused = incoming.status >= 400
    limit = ERROR_LIMIT if refused else request.limit
    whole = BytesIO()  # which shows nothing of a token that is in it; nor does anything else while more is awaited
    async for chunk in incoming.chunks:
        if not is_successful(chunk):
            if refused:
                break
            return Failure(chunk.failure())
        if whole.tell() + len(chunk.unwrap()) > limit:
            if refused:
                break
            return Failure(request.failed(LimitExceeded("bytes in an answer", limit)))
        whole.write(chunk.unwrap())
        del chunk
    body = whole.getvalue()
    return Success(Response(incoming.status, incoming.headers, incoming.url, body, incoming.attempts, incoming.peer))


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
