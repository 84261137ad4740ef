"""A client as people use it, except that 32 KiB are large, and that waiting takes no time."""

from collections.abc import AsyncIterator

import pytest

from registry_fp import Client, Settings, anonymous, connect
from tests.transport.clocks import InstantClock


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """It knows nothing of the registries that it talks to."""
    settings = Settings(small_blob=32 * 1024)
    async with connect(settings, keychain=anonymous, clock=InstantClock().clock) as connected:
        yield connected
