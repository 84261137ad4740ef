"""A proxy that leads every host to servers of its own choice: names that exist nowhere else, as behind a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.transport.chaos import Chaos, Visit, chaos


@asynccontextmanager
async def tunnelling(places: Mapping[str, str], *, login: bytes | None = None) -> AsyncIterator[Chaos]:
    """A proxy for CONNECT alone, which knows where these names are, and demands a `Proxy-Authorization` if wanted."""

    async def script(visit: Visit) -> None:
        head = await visit.hear()
        target = head.split(b" ", 2)[1].decode()
        if login is not None and b"Proxy-Authorization: " + login not in head:
            await visit.say(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            return
        if target not in places:
            await visit.say(b"HTTP/1.1 502 Where\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = places[target].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await visit.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            down = asyncio.create_task(_passed(reader, visit.writer))
            await _passed(visit.reader, writer)
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with chaos(script) as running:
        yield running


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
