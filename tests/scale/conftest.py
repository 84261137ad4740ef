"""Registries to read from and to write to, and a client."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from tests.copy.conftest import Place, fresh, here, there

__all__ = ["client", "far", "here", "there"]


@pytest.fixture(params=["memory", "docker-registry"])
def far(request: pytest.FixtureRequest, there: Place) -> Iterator[Place]:
    """Where images go: an embedded registry, and Debian's docker-registry."""
    yield there if request.param == "memory" else Place(request.getfixturevalue("real_registry").host, fresh())


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client as people use it, that remembers nothing of other tests."""
    async with connect(Settings(cache_dir=tmp_path / "cache")) as connected:
        yield connected
