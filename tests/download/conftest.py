"""A registry with a blob in it, and a client that does not wait between attempts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from registry_fp import Client, Descriptor, Settings, connect, put_blob, unwrap
from registry_fp.testing import EmbeddedRegistry
from tests.transport.clocks import InstantClock

SETTINGS = Settings(cache=False)
HASTY = Settings(cache=False, answer_timeout=0.3, idle_timeout=0.3)


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob in the embedded registry."""

    registry: EmbeddedRegistry
    content: bytes
    descriptor: Descriptor

    @property
    def repository(self) -> str:
        """Where it is."""
        return f"{self.registry.host}/app"

    def ranges(self) -> list[str | None]:
        """The Range header of each request, oldest first."""
        return [seen.headers.get("Range") for seen in self.registry.requests]


@pytest.fixture
def time() -> InstantClock:
    """The client's clock."""
    return InstantClock()


@pytest.fixture
async def client(time: InstantClock) -> AsyncIterator[Client]:
    """A client that waits in no time."""
    async with connect(SETTINGS, clock=time.clock) as connected:
        yield connected


@pytest.fixture
async def stored(client: Client) -> AsyncIterator[Stored]:
    """A blob of a million bytes, nothing counted yet."""
    content = os.urandom(1_000_000)
    async with EmbeddedRegistry() as registry:
        descriptor = await unwrap(put_blob(client, f"{registry.host}/app", content))
        registry.reset_counts()
        yield Stored(registry, content, descriptor)
