"""A server that does to each connection exactly what it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Visit:
    """One connection, and what has been heard on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    chaos: Chaos

    async def hear(self) -> bytes:
        """The head of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.chaos.heads.append(head)
        return head

    async def hear_all(self) -> bytes:
        """A request with a Content-Length, head and body."""
        head = await self.hear()
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        return await self.reader.readexactly(length)

    async def say(self, *parts: bytes) -> None:
        """Send, and wait until it is on its way."""
        for part in parts:
            self.writer.write(part)
            self.chaos.sent += len(part)
            await self.writer.drain()

    async def gone(self) -> None:
        """Wait, reading nothing of use, until the other side hangs up."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """End the connection with a reset instead of an end."""
        peer: socket.socket = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script: TypeAlias = Callable[[Visit], Awaitable[None]]
"""What happens on one connection; when it returns, the connection is closed."""


@dataclass
class Chaos:
    """The running server: where it is, how often it was connected to, what it heard, and how many bytes it sent."""

    host: str = ""
    visits: int = 0
    heads: list[bytes] = field(default_factory=list)
    sent: int = 0


@asynccontextmanager
async def chaos(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Chaos]:
    """A server on loopback; the first connection gets the first script, and so on, and the last one gets the rest."""
    running = Chaos()
    tasks: set[asyncio.Task[None]] = set()

    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = scripts[min(running.visits, len(scripts) - 1)]
        running.visits += 1
        tasks.add(asyncio.create_task(played(script, reader, writer)))

    async def played(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await script(Visit(reader, writer, running))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(visited, "127.0.0.1", 0, ssl=tls, limit=2**20)
    running.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def answer(status: str = "200 OK", body: bytes = b"{}", *, repeatedly: bool = True, **headers: str) -> Script:
    """Answer every request with the same, and keep the connection."""
    named = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    whole = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{named}\r\n".encode() + body

    async def script(visit: Visit) -> None:
        await visit.hear()
        await visit.say(whole)
        while repeatedly:
            await visit.hear()
            await visit.say(whole)

    return script


def say(*parts: bytes, then: Script | None = None) -> Script:
    """Hear a request, say this, and close or go on."""

    async def script(visit: Visit) -> None:
        await visit.hear()
        await visit.say(*parts)
        if then is not None:
            await then(visit)

    return script


async def gone(visit: Visit) -> None:
    """Nothing more, until the other side hangs up."""
    await visit.gone()


async def reset(visit: Visit) -> None:
    """A reset."""
    visit.reset()


def endless(part: bytes) -> Script:
    """The same again and again, as long as anybody listens."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.say(part)

    return script
