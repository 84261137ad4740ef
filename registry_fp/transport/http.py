"""One request, one answer: the only file that imports aiohttp.

aiohttp follows no redirect, keeps no cookie, decompresses nothing and sends no body a second time on its own account:
what is repeated and followed is decided by the wrappers around this, where it can be seen. Every exception of the
network becomes a reason in one table, `BORDER`; what is not in it is a bug, and stays an exception.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from types import SimpleNamespace
from typing import Final, TypeAlias, TypeVar

import aiohttp
from aiohttp.http_exceptions import LineTooLong
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import (
    ConnectFailed,
    ConnectionLost,
    DnsFailed,
    LimitExceeded,
    LocalIo,
    PolicyRefused,
    ProtocolViolation,
    Reason,
    RegistryError,
    TimedOut,
    TlsFailed,
)
from registry_fp.effect.bracket import finish
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.location import shown
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.refusal import fault_of
from registry_fp.transport.clock import Clock
from registry_fp.transport.outgoing import Outgoing
from registry_fp.transport.port import Exchange, Receive, collect
from registry_fp.transport.settings import Settings
from registry_fp.transport.stall import StallWatch

__all__ = ["BORDER", "http_exchange", "reason_for"]

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

_READ_BUFFER: Final = 256 * 1024
_FIELD_LIMIT: Final = 32 * 1024  # signed Locations and tokens are longer than aiohttp's own limit of 8 KiB for a header

_Translate: TypeAlias = Callable[[BaseException, URL, int], Reason]
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


@asynccontextmanager
async def http_exchange(settings: Settings, clock: Clock) -> AsyncIterator[Exchange]:
    """An exchange over a pool of connections, which are closed at the end."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections, limit_per_host=settings.connections_per_host),
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

    pool = _Pool(session, settings, clock)

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        return deferred(lambda: _exchange(pool, request, receive))

    async with session:
        yield exchange


@dataclass(frozen=True, slots=True)
class _Pool:
    session: aiohttp.ClientSession
    settings: Settings
    clock: Clock


async def _exchange(pool: _Pool, request: Request, receive: Receive[T]) -> Result[T, RegistryError]:
    scope = asyncio.timeout(None)
    watch = StallWatch(scope, pool.settings.min_rate)
    outgoing = None if request.body is None else Outgoing(request, request.body, watch, pool.settings)
    try:
        async with scope:
            return await _answered(pool, request, receive, watch, outgoing)
    except TimeoutError:
        if not scope.expired():  # a TimeoutError of anybody else's is a bug
            raise
        return Failure(request.failed(watch.reason))
    finally:
        if outgoing is not None:
            await finish(outgoing.close())


async def _answered(
    pool: _Pool, request: Request, receive: Receive[T], watch: StallWatch, outgoing: Outgoing | None
) -> Result[T, RegistryError]:
    try:
        opened = await pool.session.request(
            request.method,
            request.url,
            headers=_headers(request),
            data=outgoing,
            allow_redirects=False,
            trace_request_ctx=_Trace(request, watch),
        )
    except (aiohttp.ClientError, OSError, UnicodeError) as error:
        if outgoing is not None and outgoing.defect is not None:
            raise outgoing.defect from None
        if outgoing is not None and outgoing.failure is not None:
            return Failure(outgoing.failure)
        return Failure(request.failed(reason_for(error, request.url, 0 if outgoing is None else outgoing.sent)))
    async with opened as response:
        # Not the URL: who knows an upload's can write to it.
        _log.debug("%s %s: %s %d", request.doing, request.target, request.method, response.status)
        if outgoing is not None:
            outgoing.answered()
        watch.ours()
        async with aclosing(_arriving(response, request, watch, pool.settings.idle_timeout)) as chunks:
            incoming = Incoming(response.status, _joined(response.headers), response.url, chunks)
            if response.status in (408, 429) or response.status >= 500:
                return Failure(await _fault(incoming, request, pool.clock))
            return await receive(incoming)


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


async def _fault(incoming: Incoming, request: Request, clock: Clock) -> RegistryError:
    """The failure that a 408, 429 or 5xx stands for."""
    collected = await collect(incoming, request)
    if not is_successful(collected):
        return collected.failure()
    reason = fault_of(collected.unwrap(), clock.wall())
    assert reason is not None  # noqa: S101  the statuses that lead here are the ones that it knows
    return request.failed(reason)


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


class _Trace(SimpleNamespace):
    """What the trace below needs to know about the request that it sees."""

    def __init__(self, request: Request, watch: StallWatch) -> None:
        super().__init__(request=request, watch=watch)


def _trace(settings: Settings) -> aiohttp.TraceConfig:
    """Moves the watch along where only aiohttp sees how far a request has come."""

    async def connecting(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        _of(context).watch.theirs("connect", settings.connect_timeout)

    async def connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        _of(context).watch.ours()

    async def sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        trace = _of(context)
        if trace.request.body is None:
            trace.watch.theirs("response", trace.request.patience * settings.answer_timeout)

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(connecting)
    config.on_connection_create_end.append(connected)
    config.on_request_headers_sent.append(sent)
    return config


def _of(context: SimpleNamespace) -> _Trace:
    trace: _Trace = context.trace_request_ctx
    return trace


def _headers(request: Request) -> dict[str, str]:
    body = request.body
    length = len(body) if isinstance(body, bytes) else None if body is None else body.length
    sized = {} if length is None else {"Content-Length": str(length)}
    return {**request.headers, **sized}


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def reason_for(error: BaseException, url: URL, bytes_done: int) -> Reason:
    """The reason that an exception of the network stands for, after so many bytes of a body; a bug is raised again."""
    for kind, translate in BORDER:
        if isinstance(error, kind):
            return translate(error, url, bytes_done)
    raise error


def _unresolved(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return DnsFailed(_host(url), temporary=getattr(cause, "errno", None) == socket.EAI_AGAIN)


def _untrusted(error: BaseException, url: URL, _done: int) -> Reason:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TlsFailed(_host(url), cause.verify_message)
    return TlsFailed(_host(url), getattr(cause, "reason", None) or "the other side does not speak TLS")


def _unconnected(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = getattr(cause, "errno", None)
    if number in _OUT_OF_FILES:
        return LocalIo(number, "a socket")
    # Several addresses tried at once fail with one error for all, which has words and no number.
    return ConnectFailed(_host(url), os.strerror(number).lower() if number else str(cause)[:120] or "refused")


def _too_late(error: BaseException, _url: URL, _done: int) -> Reason:
    return TimedOut("connect", 0.0)


def _lost(error: BaseException, _url: URL, done: int) -> Reason:
    number = getattr(error, "errno", None)
    return LocalIo(number, "a socket") if number in _OUT_OF_FILES else ConnectionLost(done)


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


def _host(url: URL) -> str:
    return url.host_port_subcomponent or url.host or "?"
