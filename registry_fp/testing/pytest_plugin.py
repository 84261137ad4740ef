"""A pytest plugin: `pytest_plugins = ["registry_fp.testing.pytest_plugin"]` gives a test an `embedded_registry`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry_fp.testing.embedded import EmbeddedRegistry
from registry_fp.testing.threaded import running_registry

__all__ = ["embedded_registry"]


@pytest.fixture
def embedded_registry() -> Iterator[EmbeddedRegistry]:
    """An empty registry for one test, in memory and in its own thread, so that any kind of test can use it."""
    with running_registry() as registry:
        yield registry
