"""Names that mean what a test says they mean, and a client that looks names up there."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

from registry_fp import Client, Settings, anonymous
from registry_fp.client import compose
from registry_fp.pipelines.memory import layer_memory
from registry_fp.transport.clock import SYSTEM_CLOCK
from registry_fp.transport.http import http_exchange


class Names(AbstractResolver):
    """A name server: each question for a name gets the next of its answers, and the last one from then on.

    `asked` is every name that somebody wanted to know.
    """

    def __init__(self, known: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._known = {name: list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name."""
        self.asked.append(host)
        answers = self._known.get(host.lower().rstrip("."))
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def client_with(names: Names, settings: Settings) -> AsyncIterator[Client]:
    """A client that asks this name server, and is anonymous."""
    async with http_exchange(settings, resolver=names) as exchange, layer_memory(settings) as memory:
        yield compose(exchange, settings, keychain=anonymous, clock=SYSTEM_CLOCK, memory=memory)
