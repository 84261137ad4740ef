"""Servers on loopback, each an origin of its own, that let a world answer; they see every byte that is sent to them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from tests.secrets.world import Answer, World

__all__ = ["served_origins"]

_TLS = b"\x16"

Address = tuple[str, str, str]
"""A scheme, the address that is listened on, and the name that URLs have for it."""


@asynccontextmanager
async def served_origins(
    addresses: tuple[Address, ...], tls: ssl.SSLContext, world: Callable[[], World]
) -> AsyncIterator[tuple[str, ...]]:
    """The origins of servers at these addresses, for as long as the block lasts; `world` is what answers just now."""
    async with AsyncExitStack() as stack:
        origins: list[str] = []
        for scheme, listened, name in addresses:
            talking: set[asyncio.Task[None]] = set()
            bound = socket.create_server((listened, 0))
            origin = f"{scheme}://{name}:{bound.getsockname()[1]}"
            visited = _visited(world, origin, talking)
            server = await asyncio.start_server(visited, sock=bound, ssl=tls if scheme == "https" else None)
            stack.push_async_callback(_closed, server, talking)
            origins.append(origin)
        yield tuple(origins)


async def _closed(server: asyncio.Server, talking: set[asyncio.Task[None]]) -> None:
    server.close()
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    await server.wait_closed()


def _visited(
    world: Callable[[], World], origin: str, talking: set[asyncio.Task[None]]
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_talk(reader, writer, world, origin))
        talking.add(task)
        task.add_done_callback(talking.discard)

    return visited


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, world: Callable[[], World], origin: str
) -> None:
    try:
        while True:
            begun = await reader.readexactly(1)
            if begun == _TLS:  # from somebody who was told that it is spoken here
                return
            head = (begun + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip("\r\n").split("\r\n")
            method, target, _ = first.split(" ")
            headers = dict(line.split(": ", 1) for line in lines)
            named = {name.lower(): value for name, value in headers.items()}
            body = await _body(reader, named)
            answer = world().heard(origin, method, target, headers, body)
            writer.write(_rendered(answer, method))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    whole = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        whole += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return whole


def _rendered(answer: Answer, method: str) -> bytes:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    lines = (f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in headers.items()))
    head = "\r\n".join((*lines, "", "")).encode("latin-1")
    return head if method == "HEAD" else head + answer.body
