"""A place for images, and a client."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from tests.place import Place, place_of


@pytest.fixture(params=["memory", "docker-registry"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The embedded registry, and Debian's docker-registry."""
    with place_of(request, tmp_path) as found:
        yield found


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that gives up at once, so that one fault is enough."""
    async with connect(Settings(retries=0)) as connected:
        yield connected
