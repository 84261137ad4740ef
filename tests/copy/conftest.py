"""Two registries of each kind, and a client."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry, running_registry


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that nobody else uses, and the registry's counters where it is an embedded one."""

    host: str
    path: str
    embedded: EmbeddedRegistry | None = None

    @property
    def repository(self) -> str:
        """As it stands in a reference."""
        return f"{self.host}/{self.path}"


def fresh() -> str:
    """A repository path that nobody else uses."""
    return f"team-{uuid.uuid4().hex[:12]}/app"


@pytest.fixture(params=["memory", "directory", "docker-registry"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where images are copied from."""
    if request.param == "docker-registry":
        yield Place(request.getfixturevalue("real_registry").host, fresh())
        return
    with running_registry(None if request.param == "memory" else tmp_path / "here") as embedded:
        yield Place(embedded.host, fresh(), embedded)


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
