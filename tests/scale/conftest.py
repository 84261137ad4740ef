"""Registries to read from and to write to, and a client."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from tests.copy.conftest import here, there

__all__ = ["client", "here", "there"]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client as people use it, that remembers nothing of other tests."""
    async with connect(Settings(cache_dir=tmp_path / "cache")) as connected:
        yield connected
