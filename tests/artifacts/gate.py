"""A gate in front of a registry: it makes an older registry of a newer one, and lets others go first.

It forwards real HTTP. What a registry without the referrers API says is left out; writes on condition are kept to, if
the gate is told so; and whoever waits for a request is called before it goes on.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp import web

_OWN = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Gate:
    """The running gate: where it is, what went through it as (method, path, status), and who is to be called.

    `before` is called with the method and the path of each request, `conditional` makes it keep to If-Match.
    """

    host: str = ""
    passed: list[tuple[str, str, int]] = field(default_factory=list)
    before: Callable[[str, str], Awaitable[None]] | None = None
    conditional: bool = False

    def count(self, method: str, part: str) -> int:
        """How many requests of this method there were with this in their path."""
        return sum(each == method and part in path for each, path, _ in self.passed)


@asynccontextmanager
async def gate_to(upstream: str) -> AsyncIterator[Gate]:
    """A gate on loopback, as long as the block lasts."""
    gate = Gate()
    writing = asyncio.Lock()
    tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    async def through(request: web.BaseRequest, session: aiohttp.ClientSession) -> web.Response:
        body = b"".join([part async for part in request.content.iter_any()])
        headers = {name: text for name, text in request.headers.items() if name.lower() not in {*_OWN, "host"}}
        url = f"http://{upstream}{request.raw_path}"
        if "/referrers/" in request.path:
            return web.Response(status=404, text="404 page not found")
        expected = request.headers.get("If-Match")
        if gate.conditional and expected is not None:
            async with session.head(url, headers={"Accept": "*/*"}) as now:
                if f'"{now.headers.get("Docker-Content-Digest")}"' != expected:
                    return web.Response(status=412)
        async with session.request(
            request.method, url, headers=headers, data=io.BytesIO(body) if body else None, allow_redirects=False
        ) as answer:
            content = await answer.read()
            kept = {name: text for name, text in answer.headers.items() if name.lower() not in {*_OWN, "oci-subject"}}
            if "Location" in kept:
                kept["Location"] = kept["Location"].replace(f"http://{upstream}", f"http://{gate.host}")
            if gate.conditional and "Docker-Content-Digest" in kept:
                kept["ETag"] = f'"{kept["Docker-Content-Digest"]}"'
            length = {"Content-Length": answer.headers["Content-Length"]} if request.method == "HEAD" else {}
            return web.Response(status=answer.status, headers={**kept, **length}, body=content)

    async def forward(request: web.BaseRequest, session: aiohttp.ClientSession) -> web.Response:
        tasks.add(request.task)
        if gate.before is not None:
            await gate.before(request.method, request.path)
        if gate.conditional and request.method == "PUT" and "/manifests/" in request.path:
            async with writing:  # to look and to write are one
                response = await through(request, session)
        else:
            response = await through(request, session)
        gate.passed.append((request.method, request.path, response.status))
        return response

    async with aiohttp.ClientSession(auto_decompress=False) as session:
        server = web.Server(lambda request: forward(request, session), access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            gate.host = f"127.0.0.1:{runner.addresses[0][1]}"
            yield gate
        finally:
            await runner.cleanup()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
