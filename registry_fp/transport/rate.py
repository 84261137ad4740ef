"""Rates: how fast one host is asked, and how fast bytes go to it and come from it, where that was chosen.

A rate is kept over all the work of a client with the host, and evenly: what was not used is worth no more than a
quarter of a second's burst. The time that is waited here is our own, so no stream counts as stuck because of it.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.operation import Op
from registry_fp.protocol.message import Body, Chunks, Incoming, Request, held_body
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.port import Exchange, Receive

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

__all__ = ["Pace", "pace_of"]

T = TypeVar("T")

_BURST: Final = 0.25
"""Seconds of a rate that may be used at once."""

_PIECES: Final = 4  # of a burst: who waits for a quarter of it is woken while there is some left, so none is lost


def pace_of(chosen: HostSettings) -> Pace | None:
    """The rates that were chosen for a host; None where there is none, which costs nothing."""
    if chosen.requests_per_second is None and chosen.bytes_per_second is None:
        return None
    return Pace(chosen.requests_per_second, chosen.bytes_per_second)


@final
class Pace:
    """The rates of one host: requests a second, and bytes of bodies a second in each direction; None is as it comes."""

    __slots__ = ("_in", "_out", "_turns")

    def __init__(self, requests: float | None, transferred: int | None) -> None:
        self._turns = None if requests is None else _limiter(requests, least=1.0)
        self._out = None if transferred is None else _Flow(transferred)
        self._in = None if transferred is None else _Flow(transferred)

    async def turn(self) -> None:
        """Wait until one more request may begin."""
        if self._turns is not None:
            await self._turns.acquire()

    def exchange(self, inner: Exchange, request: Request, receive: Receive[T]) -> Op[T]:
        """One exchange whose body goes out, and whose answer comes in, no faster than was chosen."""
        sent, received = self._out, self._in
        if sent is None or received is None:
            return inner(request, receive)

        async def slowly(incoming: Incoming) -> Result[T, RegistryError]:
            async with aclosing(received.through(incoming.chunks)) as chunks:
                return await receive(replace(incoming, chunks=chunks))

        if request.body is None:
            return inner(request, slowly)
        body = held_body(request.body) if isinstance(request.body, bytes) else request.body
        return inner(replace(request, body=Body(lambda: sent.through(body.open()), body.length)), slowly)


@final
class _Flow:
    """Bytes at a rate, in pieces that are a small part of a second each."""

    __slots__ = ("_limiter", "_piece")

    def __init__(self, per_second: int) -> None:
        self._limiter = _limiter(float(per_second))
        self._piece = int(per_second * _BURST) // _PIECES

    async def through(self, chunks: Chunks) -> Chunks:
        """The same bytes, in their time; the source is closed with this."""
        async with aclosing(chunks):
            async for chunk in chunks:
                if not is_successful(chunk):
                    yield chunk
                    continue
                whole = chunk.unwrap()
                for begin in range(0, len(whole), self._piece):
                    piece = whole[begin : begin + self._piece]
                    await self._limiter.acquire(len(piece))
                    yield Success(piece)


def _limiter(per_second: float, *, least: float = 0.0) -> AsyncLimiter:
    from aiolimiter import AsyncLimiter  # noqa: PLC0415  most clients have no rate, and need not load it

    burst = max(least, per_second * _BURST)
    return AsyncLimiter(burst, burst / per_second)
