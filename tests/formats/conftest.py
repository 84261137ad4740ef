"""Registries, and a client."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import running_registry
from tests.formats.place import Place, fresh


@pytest.fixture(params=["memory", "directory", "docker-registry"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The embedded registry in memory, the same in a directory, and Debian's docker-registry."""
    if request.param == "docker-registry":
        yield Place(request.getfixturevalue("real_registry").host, fresh())
        return
    with running_registry(None if request.param == "memory" else tmp_path / "registry") as embedded:
        yield Place(embedded.host, fresh(), embedded)


@pytest.fixture
def embedded() -> Iterator[Place]:
    """The embedded registry, whose counters can be read."""
    with running_registry() as registry:
        yield Place(registry.host, fresh(), registry)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client as people use it."""
    async with connect(Settings()) as connected:
        yield connected
