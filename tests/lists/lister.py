"""A server that answers each path as it is told: what registries of other people do to listings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.transport.chaos import Chaos, Visit, chaos

__all__ = ["Lister", "Told", "serving", "told"]


@dataclass(frozen=True)
class Told:
    """One answer: its body as it is, its status and its headers."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def told(document: Any, status: int = 200, *, following: str | None = None, **headers: str) -> Told:
    """A document as an answer; `following` is the target of its Link."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    link = {} if following is None else {"Link": f'<{following}>; rel="next"'}
    return Told(json.dumps(document).encode(), status, {**link, **named})


@dataclass
class Lister:
    """The running server, and every target that it was asked for, as `METHOD target`."""

    chaos: Chaos
    asked: list[str]

    @property
    def host(self) -> str:
        """Where it listens."""
        return self.chaos.host


@asynccontextmanager
async def serving(answer: Callable[[str], Told], **methods: Callable[[str], Told]) -> AsyncIterator[Lister]:
    """Answer every target, path and query, with what `answer` makes of it, or what is named for its method."""
    asked: list[str] = []

    async def script(visit: Visit) -> None:
        while True:
            method, target, _ = (await visit.hear()).split(b"\r\n")[0].decode().split(" ")
            asked.append(f"{method} {target}")
            said = methods.get(method, answer)(target)
            named = "".join(f"{name}: {text}\r\n" for name, text in said.headers.items())
            head = f"HTTP/1.1 {said.status} Told\r\nContent-Length: {len(said.body)}\r\n{named}\r\n".encode()
            await visit.say(head if method == "HEAD" else head + said.body)

    async with chaos(script) as running:
        yield Lister(running, asked)
        await asyncio.sleep(0)
