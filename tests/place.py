"""Places: repositories that nobody else uses, in registries of several kinds."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@contextmanager
def place_of(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """A place of the kind that a fixture's parameter names: "docker-registry", "directory" or "memory"."""
    if request.param == "docker-registry":
        yield Place(request.getfixturevalue("real_registry").host, fresh())
        return
    with running_registry(folder if request.param == "directory" else None) as embedded:
        yield Place(embedded.host, fresh(), embedded)
