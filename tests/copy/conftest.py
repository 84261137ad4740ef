"""Two registries of each kind, and a client."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import running_registry
from tests.place import Place, fresh, place_of


@pytest.fixture(params=["memory", "directory", "docker-registry"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where images are copied from."""
    with place_of(request, tmp_path / "here") as place:
        yield place


@pytest.fixture
def there() -> Iterator[Place]:
    """Where images are copied to: another registry."""
    with running_registry() as embedded:
        yield Place(embedded.host, fresh(), embedded)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client as people use it."""
    async with connect(Settings()) as connected:
        yield connected
