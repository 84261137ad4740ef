"""Clients that know nobody, and do not wait."""

from collections.abc import AsyncIterator

import pytest

from registry_fp import Client, Settings, anonymous, connect


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """It knows nothing of the registries that it talks to."""
    async with connect(Settings(cache=False, retries=0), keychain=anonymous) as connected:
        yield connected
