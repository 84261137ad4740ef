"""Registries that layouts are pushed to, and a client."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import running_registry
from tests.place import Place, place_of


@pytest.fixture(params=["memory", "docker-registry"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The embedded registry, and Debian's docker-registry."""
    with place_of(request, tmp_path) as found:
        yield found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The embedded registry, which counts."""
    with running_registry(tmp_path / "registry") as embedded:
        yield Place(embedded.host, "team/app", embedded)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client as people use it."""
    async with connect(Settings()) as connected:
        yield connected
