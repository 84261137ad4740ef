"""One request, one answer: the only file that imports aiohttp.

aiohttp follows no redirect, keeps no cookie, decompresses nothing and sends no body a second time on its own account:
what is repeated and followed is decided by the wrappers around this, where it can be seen. Every exception of the
network becomes a reason in one table, `BORDER`; what is not in it is a bug, and stays an exception.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Final, TypeAlias, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.http_exceptions import LineTooLong
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import (
    DnsFailed,
    LimitExceeded,
    PolicyRefused,
    ProtocolViolation,
    Reason,
    RegistryError,
    TimedOut,
    TlsFailed,
)
from registry_fp.effect.bracket import finish
from registry_fp.effect.log import log_of
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.location import shown
from registry_fp.protocol.message import Incoming, Request
from registry_fp.transport.gate import gate
from registry_fp.transport.header import joined_headers, sent_headers
from registry_fp.transport.outgoing import Outgoing
from registry_fp.transport.port import Exchange, Receive
from registry_fp.transport.reach import Zone
from registry_fp.transport.route import Route, route_of
from registry_fp.transport.settings import Settings
from registry_fp.transport.socket_fault import host_shown, lost, unconnected
from registry_fp.transport.stages import Stages, Underway
from registry_fp.transport.stall import StallWatch
from registry_fp.transport.tls import Tls, TlsContexts, security_of
from registry_fp.transport.tls_fault import alert_in, tls_fault, unless_tls_page

__all__ = ["BORDER", "http_exchange", "reason_for"]

T = TypeVar("T")

_log: Final = log_of(__name__)

_READ_BUFFER: Final = 256 * 1024
_FIELD_LIMIT: Final = 32 * 1024  # signed Locations and tokens are longer than aiohttp's own limit of 8 KiB for a header

_Translate: TypeAlias = Callable[[BaseException, URL, int], Reason]


@asynccontextmanager
async def http_exchange(settings: Settings, *, resolver: AbstractResolver | None = None) -> AsyncIterator[Exchange]:
    """An exchange over a pool of connections, which are closed at the end; by default the system looks names up."""
    async with AsyncExitStack() as stack:
        pool = _Pool(settings, TlsContexts(settings), asyncio.Semaphore(settings.connections), resolver, stack)

        def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
            return deferred(lambda: _exchange(pool, request, receive))

        yield exchange


def _session(settings: Settings, route: Route, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,  # the pool has the limit
            resolver=resolver,
            socket_factory=None if route.near is None else gate(route.near),
            force_close=route.passed_on,  # tinyproxy ends every connection, and says so of none
        ),
        response_class=_Answer,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"registry-fp/{version('registry-fp')}", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),  # the watch has them all
        auto_decompress=False,
        requote_redirect_url=False,
        trust_env=False,
        read_bufsize=_READ_BUFFER,
        max_field_size=_FIELD_LIMIT,
        trace_configs=[_trace(settings)],
        middlewares=(_sent_once,),
    )


class _Answer(aiohttp.ClientResponse):
    """An answer that keeps where it came from; its connection may be given back before anybody can ask for it."""

    peer: str | None = None
    tls: ssl.SSLObject | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        transport = connection.transport
        name = None if transport is None else transport.get_extra_info("peername")
        self.peer = name[0] if isinstance(name, tuple) else None
        self.tls = None if transport is None else transport.get_extra_info("ssl_object")
        return await super().start(connection)


@dataclass(frozen=True, slots=True)
class _Pool:
    settings: Settings
    contexts: TlsContexts
    slots: asyncio.Semaphore
    resolver: AbstractResolver | None
    stack: AsyncExitStack
    sessions: dict[tuple[Zone | None, bool], aiohttp.ClientSession] = field(default_factory=dict)

    def session(self, route: Route) -> aiohttp.ClientSession:
        """The connections of such routes: one that may end nearer to us is never used for another."""
        kind = (route.near, route.passed_on)
        if kind not in self.sessions:
            self.sessions[kind] = _session(self.settings, route, self.resolver)
            self.stack.push_async_callback(self.sessions[kind].close)
        return self.sessions[kind]


@dataclass(frozen=True, slots=True)
class _Attempt:
    watch: StallWatch
    outgoing: Outgoing | None
    tls: Tls
    route: Route


async def _exchange(pool: _Pool, request: Request, receive: Receive[T]) -> Result[T, RegistryError]:
    scope = asyncio.timeout(None)
    watch = StallWatch(scope, pool.settings.min_rate)
    outgoing = None if request.body is None else Outgoing(request, request.body, watch, pool.settings)
    try:
        async with pool.slots, scope:
            route = route_of(request, pool.settings)
            if not is_successful(route):
                return Failure(request.failed(route.failure()))
            tls = await pool.contexts.tls_for(request)
            if not is_successful(tls):
                return Failure(request.failed(tls.failure()))
            attempt = _Attempt(watch, outgoing, tls.unwrap(), route.unwrap())
            return (await _answered(pool, request, receive, attempt)).alt(attempt.tls.told)
    except TimeoutError:
        if not scope.expired():  # a TimeoutError of anybody else's is a bug
            raise
        return Failure(request.failed(watch.reason))
    finally:
        if outgoing is not None:
            await finish(outgoing.close())


async def _answered(pool: _Pool, request: Request, receive: Receive[T], attempt: _Attempt) -> Result[T, RegistryError]:
    watch, outgoing, route = attempt.watch, attempt.outgoing, attempt.route
    try:
        opened = await pool.session(route).request(
            request.method,
            request.url,
            headers=route.sent(sent_headers(request)),
            data=outgoing,
            allow_redirects=False,
            ssl=attempt.tls.context,
            proxy=None if route.proxy is None else route.proxy.url,
            proxy_headers=route.told(),
            trace_request_ctx=Underway(request, watch),
        )
    except (aiohttp.ClientError, OSError, UnicodeError) as error:
        if outgoing is not None and outgoing.defect is not None:
            raise outgoing.defect from None
        if outgoing is not None and outgoing.failure is not None:
            return Failure(outgoing.failure)
        return Failure(request.failed(_failed(error, request.url, route, 0 if outgoing is None else outgoing.sent)))
    async with opened as response:
        # Not the URL: who knows an upload's can write to it.
        _log.debug("%s %s: %s %d", request.doing, request.target, request.method, response.status)
        if outgoing is not None:
            outgoing.answered()
        watch.ours()
        if route.proxy is not None and response.status == 407:
            return Failure(request.failed(route.proxy.turned_away(407, request.url)))
        async with aclosing(_arriving(response, request, watch, pool.settings.idle_timeout)) as chunks:
            address, tls = (response.peer, response.tls) if isinstance(response, _Answer) else (None, None)
            peer, headers = route.peer(address, request.url), joined_headers(response.headers)
            security = partial(security_of, tls)
            incoming = Incoming(response.status, headers, response.url, chunks, peer=peer, security=security)
            return await unless_tls_page(incoming, request, receive)


async def _arriving(
    response: aiohttp.ClientResponse, request: Request, watch: StallWatch, idle: float
) -> AsyncGenerator[Result[bytes, RegistryError], None]:
    done = 0
    while True:
        watch.theirs("read", idle)
        try:
            chunk = await response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            watch.ours()
            yield Failure(request.failed(reason_for(error, request.url, done)))
            return
        watch.ours(len(chunk))
        if not chunk:
            return
        done += len(chunk)
        yield Success(chunk)
        del chunk  # it may hold a token, and whoever looks at a trace while the next is awaited sees what is held here


async def _sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a request again by itself when a connection ends without an answer.

    It does so for every method but POST and PATCH, even where the registry may have acted already: a deletion would
    then report that there is nothing to delete. Under this type of error it leaves the decision to us.
    """
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _trace(settings: Settings) -> aiohttp.TraceConfig:
    """Moves the watch along where only aiohttp sees how far a request has come."""
    config, stages = aiohttp.TraceConfig(), Stages(settings)
    config.on_connection_create_start.append(stages.connecting)
    config.on_connection_create_end.append(stages.connected)
    config.on_request_headers_sent.append(stages.sent)
    return config


def _failed(error: BaseException, url: URL, route: Route, done: int) -> Reason:
    """The reason that no answer came; what happened on the way to a proxy is told of the proxy."""
    proxy = route.proxy
    if proxy is not None and isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy.turned_away(error.status, url)
    if proxy is not None and isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientConnectorDNSError):
        return proxy.unreached(reason_for(error, proxy.url, done))
    return reason_for(error, url, done)


def reason_for(error: BaseException, url: URL, bytes_done: int) -> Reason:
    """The reason that an exception of the network stands for, after so many bytes of a body; a bug is raised again."""
    for kind, translate in BORDER:
        if isinstance(error, kind):
            return translate(error, url, bytes_done)
    raise error


def _unresolved(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return DnsFailed(host_shown(url), temporary=getattr(cause, "errno", None) == socket.EAI_AGAIN)


def _untrusted(error: BaseException, url: URL, _done: int) -> Reason:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return TlsFailed(host_shown(url), tls_fault(cause))


def _unconnected(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return unconnected(cause, url)


def _too_late(error: BaseException, _url: URL, _done: int) -> Reason:
    return TimedOut("connect", 0.0)


def _lost(error: BaseException, url: URL, done: int) -> Reason:
    alert = alert_in(error)
    if alert is not None:
        return TlsFailed(host_shown(url), alert)
    return lost(error, done)


def _not_http(error: BaseException, _url: URL, _done: int) -> Reason:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, LineTooLong):
            return LimitExceeded("bytes in a header", _FIELD_LIMIT)
        cause = cause.__cause__
    # What follows the colon is what the server sent, which is nobody's business in a log.
    detail = error.message.partition(":")[0] if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
    return ProtocolViolation(f"the answer is not HTTP: {' '.join(detail.split())[:120]}")


def _not_allowed(_error: BaseException, url: URL, _done: int) -> Reason:
    return PolicyRefused("not a URL that can be requested", shown(url))


BORDER: Final[tuple[tuple[type[BaseException], _Translate], ...]] = (
    (aiohttp.ClientConnectorDNSError, _unresolved),
    (aiohttp.ClientConnectorCertificateError, _untrusted),
    (aiohttp.ClientSSLError, _untrusted),
    (aiohttp.ServerFingerprintMismatch, _untrusted),
    (aiohttp.ClientConnectorError, _unconnected),
    (aiohttp.ServerTimeoutError, _too_late),
    (aiohttp.ClientResponseError, _not_http),
    (aiohttp.InvalidURL, _not_allowed),
    (aiohttp.NonHttpUrlClientError, _not_allowed),
    (aiohttp.RedirectClientError, _not_allowed),
    (aiohttp.ClientConnectionError, _lost),
    (aiohttp.ClientPayloadError, _lost),
    (aiohttp.UploadAbortedError, _lost),
    (socket.gaierror, _unresolved),
    (ssl.SSLError, _untrusted),
    (UnicodeError, _unresolved),  # a host with a label that no name server can have
    (OSError, _lost),
)
"""Most particular first. A test proves that every exception of aiohttp's client is in it."""
