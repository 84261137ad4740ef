"""One registry and a client that does not try again."""

from collections.abc import AsyncIterator, Iterator

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry


@pytest.fixture
def registry(embedded_registry: EmbeddedRegistry) -> Iterator[EmbeddedRegistry]:
    """A registry that must hold nothing, and no open upload, when the test is over."""
    yield embedded_registry
    assert _stored(embedded_registry) == 0
    assert embedded_registry.counts().uploads_open == 0


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client for which 4 KiB are large, so that the layers of small archives are streamed too."""
    async with connect(Settings(retries=0, small_blob=4096)) as connected:
        yield connected


def _stored(registry: EmbeddedRegistry) -> int:
    """How many requests made a blob or a manifest."""
    writing = {"end-4b", "end-6", "end-7a", "end-7b", "end-11"}
    return sum(seen.endpoint in writing and seen.status == 201 for seen in registry.requests)
