"""The embedded registry: a server on loopback, for as long as its `async with` block lasts."""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, final
from weakref import WeakSet

from aiohttp import web
from multidict import CIMultiDictProxy

from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing.catalogue import Catalogue
from registry_fp.testing.conversation import EMBEDDED, Conversation, Quirks, converse, switched
from registry_fp.testing.counts import Counts, Ledger, SeenRequest
from registry_fp.testing.directory_storage import DirectoryStorage
from registry_fp.testing.endpoints import answer
from registry_fp.testing.faults import Action, Fault, choose
from registry_fp.testing.gate import Gate, visitor_of
from registry_fp.testing.manners import Manners
from registry_fp.testing.replies import CHALLENGE, Reply, problem
from registry_fp.testing.routes import Route, find_route
from registry_fp.testing.storage import MemoryStorage
from registry_fp.testing.upload_location import issued_target
from registry_fp.testing.uploads import Uploads

__all__ = ["EmbeddedRegistry"]

_LOG_LIMIT: Final = 10_000
_READ_SIZE: Final = 256 * 1024


@final
class EmbeddedRegistry:
    """A registry that speaks the whole distribution specification (end-1 to end-14) over real HTTP.

    `async with EmbeddedRegistry() as registry:` serves in the running event loop; `running_registry` serves in a
    thread of its own. Content is kept in memory, or under `root`, where a later registry finds it again. It is
    strict: whatever the specification lets a registry refuse, it refuses.

    `port` 0 takes a free port. With `tls` it serves https. `faults` befall requests, see `Fault`. `basic_auth` is a
    user and a password that every request must carry. `gate` decides who is let in, see `Visitor`. `profile` is the
    kind of registry that it behaves as, and `manners` are oddities of its answers. Three switches change the profile:
    `relative_locations` leaves the origin out of Location and Link, `page_limit` is the most entries of any list's
    page, and `chunk_min_length` is announced as `OCI-Chunk-Min-Length`, and asked of every chunk but the last.
    Entering raises `OSError` where the port or the directory cannot be had.
    """

    def __init__(  # noqa: PLR0913  options, each with a default
        self,
        root: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        faults: Iterable[Fault] = (),
        basic_auth: tuple[str, str] | None = None,
        relative_locations: bool = False,
        page_limit: int | None = None,
        chunk_min_length: int | None = None,
        gate: Gate | None = None,
        profile: RegistryProfile | None = None,
        manners: Manners | None = None,
    ) -> None:
        self._listen = (host, port)
        self._tls = tls
        self._gate = gate
        chosen = switched(profile or EMBEDDED, relative_locations, page_limit, chunk_min_length)
        self._quirks = Quirks(basic_auth, chosen, manners or Manners())
        self.set_faults(*faults)
        self._catalogue = Catalogue(MemoryStorage() if root is None else DirectoryStorage(root))
        self._uploads = Uploads(self._catalogue.storage)
        self._ledger = Ledger(_LOG_LIMIT)
        self._server: _Server | None = None
        self._runner: web.ServerRunner | None = None
        self._host = ""

    async def __aenter__(self) -> Self:
        await self._catalogue.open()
        self._server = _Server(self._respond, self._ledger)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, *self._listen, ssl_context=self._tls).start()
        except BaseException:
            await self._close()
            raise
        address, port = self._runner.addresses[0][:2]
        self._host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def host(self) -> str:
        """Where it listens, as it stands in a reference: `127.0.0.1:PORT`."""
        return self._host

    @property
    def url(self) -> str:
        """Where it listens, as a URL without a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://{self._host}"

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """The newest requests, at most 10,000, oldest first."""
        return self._ledger.requests()

    def counts(self) -> Counts:
        """A snapshot of the totals. A request counts before the first byte of its answer leaves."""
        return self._ledger.counts(len(self._uploads))

    def reset_counts(self) -> None:
        """Count and log anew."""
        self._ledger.reset()

    def set_faults(self, *faults: Fault) -> None:
        """From now on these faults, and no others; `nth` counts from here."""
        # Replaced as one, since another thread may be the one that sets them.
        self._plan = (faults, [0] * len(faults))

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        shape = self._quirks.profile.location
        path, query = issued_target(shape, request.raw_path, request.path, request.query)
        route = find_route(request.method, path, query)
        visit = self._ledger.arrive(request.method, request.path, route, request.headers)
        challenge = self._challenge(request, route)
        admitted = challenge is None
        action = self._next_action(request, route) if admitted else None
        talk = Conversation(
            request, route, query, action, visit, self._ledger, self._catalogue, self._uploads, self._quirks
        )
        try:
            return await converse(talk, answer if challenge is None else lambda _: _refuse(challenge))
        except ConnectionError:  # the client is gone; there is nobody to tell
            return web.Response()
        finally:
            self._ledger.leave(visit)

    async def _close(self) -> None:
        if self._runner is not None and self._server is not None:
            for site in self._runner.sites:
                await site.stop()
            await self._server.hang_up()
            await self._runner.cleanup()
        await self._uploads.discard_all()
        await self._catalogue.storage.close()

    def _challenge(self, request: web.BaseRequest, route: Route) -> str | None:
        if not _is_admitted(self._quirks.basic_auth, request.headers):
            return CHALLENGE
        return None if self._gate is None else self._gate(visitor_of(request, route))

    def _next_action(self, request: web.BaseRequest, route: Route) -> Action | None:
        faults, tallies = self._plan
        action, tallies[:] = choose(faults, tuple(tallies), request.method, route.endpoint, request.path)
        return action


async def _refuse(challenge: str) -> Reply:
    return problem(401, "UNAUTHORIZED", headers={"WWW-Authenticate": challenge})


def _is_admitted(expected: tuple[str, str] | None, headers: CIMultiDictProxy[str]) -> bool:
    if expected is None:
        return True
    scheme, _, credentials = headers.get("Authorization", "").partition(" ")
    right = base64.b64encode(":".join(expected).encode())
    return scheme.lower() == "basic" and secrets.compare_digest(credentials.strip().encode(), right)


@final
class _Server(web.Server):
    """An aiohttp server that knows its connections, so that it can count them and end them all."""

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], ledger: Ledger) -> None:
        # Cancellation is how a handler that stalls on purpose learns that its client has gone.
        super().__init__(self._respond, handler_cancellation=True, access_log=None, read_bufsize=_READ_SIZE)
        self._answer = answer
        self._ledger = ledger
        self._open: dict[object, asyncio.Transport] = {}
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._empty = asyncio.Event()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._ledger.connected()
        self._open[handler] = transport

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._open.pop(handler, None)
        if not self._open:
            self._empty.set()

    async def hang_up(self) -> None:
        """End every connection, and wait for what served it."""
        while self._open:
            self._empty.clear()
            for transport in self._open.values():
                transport.abort()
            await self._empty.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self._tasks.add(request.task)
        return await self._answer(request)
