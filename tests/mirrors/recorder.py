"""A wire that writes down what goes to a server: every request's line and who it says sends it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

_HEAD = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """One request, as it went over the wire."""

    method: str
    path: str
    ns: str | None
    headers: str

    @property
    def authorization(self) -> str | None:
        """Its Authorization header."""
        found = re.search(r"(?im)^authorization: (.*?)\r?$", self.headers)
        return found[1] if found else None


@dataclass
class Recorder:
    """The running wire: where it is, and all that went up."""

    host: str = ""
    up: bytearray = field(default_factory=bytearray)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def requests(self) -> list[Said]:
        """Every request, oldest first where one followed the other."""
        found = []
        for method, target, headers in _HEAD.findall(bytes(self.up)):
            parts = urlsplit(target.decode())
            ns = parse_qs(parts.query).get("ns", [None])[0]
            found.append(Said(method.decode(), parts.path, ns, headers.decode("latin-1")))
        return found


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[Recorder]:
    """A wire to a server on loopback."""
    recorder = Recorder()
    address, _, port = upstream.rpartition(":")

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recorder.tasks.add(asyncio.create_task(between(reader, writer)))

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(address, int(port))
        heard = bytearray()  # of this connection alone: two of them may speak at once
        try:
            up = asyncio.create_task(_pump(reader, there_writer, heard))
            down = asyncio.create_task(_pump(there_reader, writer, None))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            for each in (writer, there_writer):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray | None) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                if heard is not None:
                    heard += part
                    if b"\r\n\r\n" in heard:
                        recorder.up += heard
                        heard.clear()
                writer.write(part)
                await writer.drain()

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    recorder.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield recorder
    finally:
        server.close()
        for task in recorder.tasks:
            task.cancel()
        await asyncio.gather(*recorder.tasks, return_exceptions=True)
        await server.wait_closed()
