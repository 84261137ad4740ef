"""Requests of any kind, sent through the whole of a client."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.operation import Op
from registry_fp.protocol.message import Body, Chunks, Incoming, Method, Repeat, Request, Response
from registry_fp.transport.port import Client, collect


def request(
    host: str,
    path: str = "/v2/",
    method: Method = "GET",
    *,
    body: Body | bytes | None = None,
    repeat: Repeat = "always",
) -> Request:
    """A request to a server on loopback."""
    return Request("test", host, method, URL(f"http://{host}{path}", encoded=True), body=body, repeat=repeat)


def sent(client: Client, wanted: Request) -> Op[Response]:
    """Send it, and give the whole answer, whatever its status."""

    async def receive(incoming: Incoming) -> Result[Response, RegistryError]:
        return await collect(incoming, wanted)

    return client.exchange(wanted, receive)


def body_of(*parts: bytes, length: int | None = None, opened: list[str] | None = None) -> Body:
    """A body of these parts, which can be opened again; each time is written down."""

    async def chunks() -> Chunks:
        if opened is not None:
            opened.append("opened")
        try:
            for part in parts:
                yield Success(part)
        finally:
            if opened is not None:
                opened.append("closed")

    return Body(chunks, length)


def failing_body(error: RegistryError, *before: bytes, length: int | None = None) -> Body:
    """A body that ends in a failure."""

    async def chunks() -> Chunks:
        for part in before:
            yield Success(part)
        yield Failure(error)

    return Body(chunks, length)


def ticking(parts: Iterable[bytes], wait: Callable[[], object]) -> Body:
    """A body before each part of which something happens."""

    async def chunks() -> Chunks:
        for part in parts:
            pending = wait()
            if hasattr(pending, "__await__"):
                await pending
            yield Success(part)

    return Body(chunks, None)
