"""Registries that layouts are pushed to, and a client."""

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


@pytest.fixture(params=["memory", "docker-registry"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The embedded registry, and Debian's docker-registry."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    if request.param == "docker-registry":
        yield Place(request.getfixturevalue("real_registry").host, path)
        return
    with running_registry() as embedded:
        yield Place(embedded.host, path, embedded)


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
