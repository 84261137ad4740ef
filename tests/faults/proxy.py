"""A TCP proxy that breaks connections: what stands between a client and a real registry on a bad day."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cut:
    """End a connection after so many bytes in one direction; None is never."""

    up: int | None = None
    down: int | None = None
    reset: bool = True


@dataclass
class Proxy:
    """The running proxy: where it is, how many connections came, and how many bytes went down to the client."""

    host: str = ""
    connections: int = 0
    down: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@asynccontextmanager
async def cutting(upstream: str, *cuts: Cut, always: Cut | None = None) -> AsyncIterator[Proxy]:
    """A proxy to a server: the first connection gets the first cut, and so on; later ones `always`, or none."""
    proxy = Proxy()
    address, _, port = upstream.rpartition(":")

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = cuts[proxy.connections] if proxy.connections < len(cuts) else always or Cut()
        proxy.connections += 1
        proxy.tasks.add(asyncio.create_task(between(reader, writer, cut)))

    def counted(passed: int) -> None:
        proxy.down += passed

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: Cut) -> None:
        there_reader, there_writer = await asyncio.open_connection(address, int(port))
        try:
            async with asyncio.TaskGroup() as group:
                up = group.create_task(_pump(reader, there_writer, cut.up))
                down = group.create_task(_pump(there_reader, writer, cut.down, counted))
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        finally:
            for each in (writer, there_writer):
                if cut.reset and (cut.up is not None or cut.down is not None):
                    peer = each.get_extra_info("socket")
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    each.transport.abort()
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    proxy.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in proxy.tasks:
            task.cancel()
        await asyncio.gather(*proxy.tasks, return_exceptions=True)
        await server.wait_closed()


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    limit: int | None,
    count: Callable[[int], None] = lambda passed: None,
) -> None:
    """Pass bytes on until the end, or until the limit."""
    passed = 0
    with suppress(OSError):
        while part := await reader.read(4096 if limit is None else min(4096, limit - passed)):
            writer.write(part)
            await writer.drain()
            passed += len(part)
            count(len(part))
            if passed == limit:
                return
