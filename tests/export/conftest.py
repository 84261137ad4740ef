"""A place for images, and a client."""

from collections.abc import AsyncIterator

import pytest

from registry_fp import Client, Settings, connect
from tests.inspect.conftest import place

__all__ = ["client", "place"]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that gives up at once, so that one fault is enough."""
    async with connect(Settings(retries=0)) as connected:
        yield connected
