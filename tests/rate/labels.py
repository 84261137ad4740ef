"""A server before a registry: it gives the answers of the registry, with headers of the test's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.tokens.server import serving

_HOPS = {"connection", "transfer-encoding", "keep-alive"}  # for one connection only (RFC 9110, 7.6.1)


@dataclass(slots=True)
class Labels:
    """`headers` are on every answer; of `statuses` each comes once, instead of an answer; `asked` is what was asked."""

    headers: Mapping[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    host: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.statuses.reverse()


@asynccontextmanager
async def labelled(upstream: str, labels: Labels) -> AsyncIterator[Labels]:
    """Serve the registry at `upstream` (`HOST:PORT`) once more, with labels."""
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            labels.asked.append((request.method, request.path))
            if labels.statuses:
                return web.Response(status=labels.statuses.pop(), headers=labels.headers)
            url = f"http://{upstream}{request.raw_path}"
            data = request.content if request.body_exists else None
            async with session.request(
                request.method, url, headers=request.headers, data=data, allow_redirects=False
            ) as given:
                headers = CIMultiDict((k, v) for k, v in given.headers.items() if k.lower() not in _HOPS)
                headers.extend(labels.headers)
                response = web.StreamResponse(status=given.status, headers=headers)
                await response.prepare(request)
                async for chunk in given.content.iter_any():
                    await response.write(chunk)
                return response

        async with serving(answer) as host:
            labels.host = host
            yield labels
