"""One request, one answer: the only file that imports aiohttp.

aiohttp follows no redirect, keeps no cookie, decompresses nothing and sends no body a second time on its own account:
what is repeated and followed is decided by the wrappers around this, where it can be seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from types import SimpleNamespace
from typing import Final, TypeVar

import aiohttp
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.bracket import finish
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.refusal import fault_of
from registry_fp.transport.border import FIELD_LIMIT, reason_for
from registry_fp.transport.clock import Clock
from registry_fp.transport.outgoing import Outgoing
from registry_fp.transport.port import Exchange, Receive, collect
from registry_fp.transport.settings import Settings
from registry_fp.transport.stall import StallWatch

__all__ = ["http_exchange"]

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

_READ_BUFFER: Final = 256 * 1024


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
        max_field_size=FIELD_LIMIT,
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
