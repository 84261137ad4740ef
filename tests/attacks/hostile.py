"""A registry that answers whatever a test has it answer, and remembers what it was asked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from tests.copy.made import Made, sha256
from tests.transport.chaos import Visit, chaos

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answering: TypeAlias = Callable[[str, str], Said | None]
"""What is said to a method and a path; None is 404."""


@dataclass
class Hostile:
    """Where it is, and what it was asked: methods and paths."""

    host: str
    asked: list[tuple[str, str]]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What would have changed something."""
        return [each for each in self.asked if each[0] not in {"GET", "HEAD"}]


@asynccontextmanager
async def hostile(answering: Answering) -> AsyncIterator[Hostile]:
    """The running registry."""
    asked: list[tuple[str, str]] = []

    async def script(visit: Visit) -> None:
        while True:
            head = (await visit.hear()).decode("latin-1")
            method, target, _ = head.split(" ", 2)
            asked.append((method, unquote(target)))
            length = re.search(r"content-length: (\d+)", head.lower())
            await visit.reader.readexactly(int(length[1]) if length else 0)
            said = answering(method, unquote(target)) or Said(404, b'{"errors": []}')
            named = "".join(f"{name}: {text}\r\n" for name, text in said.headers.items())
            line = f"HTTP/1.1 {said.status} X\r\nContent-Length: {len(said.body)}\r\n{named}\r\n".encode()
            await visit.say(line + (b"" if method == "HEAD" else said.body))

    async with chaos(script) as server:
        yield Hostile(server.host, asked)


def shown(made: Made) -> Said:
    """A manifest, as an honest registry gives it."""
    return Said(200, made.raw, {"Content-Type": made.media_type, "Docker-Content-Digest": made.digest})


def honest(*images: Made, tag: str = "1.0") -> Answering:
    """What has these images, and everything beneath them; the first one under a tag."""
    manifests = {each.digest: each for image in images for each in image.all()} | {tag: images[0]}
    blobs = {digest: content for image in images for digest, content in image.content.items()}

    def answer(_method: str, path: str) -> Said | None:
        kind, name = path.partition("?")[0].split("/")[-2:]
        if kind == "manifests" and name in manifests:
            return shown(manifests[name])
        if kind == "blobs" and name in blobs:
            return Said(200, blobs[name], {"Docker-Content-Digest": sha256(blobs[name])})
        return None

    return answer
