"""One registry for each test, once in memory and once in a directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry, running_registry
from registry_fp.testing.pytest_plugin import embedded_registry
from tests.testing.wire import Wire

__all__ = ["embedded_registry", "registry", "wire"]


@pytest.fixture(params=["memory", "directory"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedRegistry]:
    """An empty registry in its own thread."""
    with running_registry(None if request.param == "memory" else tmp_path / "store") as running:
        yield running


@pytest.fixture
def wire(registry: EmbeddedRegistry) -> Iterator[Wire]:
    """A connection to it."""
    plain = Wire(registry.host)
    yield plain
    plain.connection.close()
