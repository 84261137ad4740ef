"""An image in a registry: the embedded one, and Debian's."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry, running_registry


@dataclass(frozen=True, slots=True)
class Site:
    """A registry, a fresh repository in it, and the embedded registry itself where it is one."""

    repository: str
    embedded: EmbeddedRegistry | None


@pytest.fixture(params=["embedded", "docker-registry"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Whatever is pulled from one of them must come from the other just so."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    if request.param == "docker-registry":
        yield Site(f"{request.getfixturevalue('real_registry').host}/{path}", None)
        return
    with running_registry() as embedded:
        yield Site(f"{embedded.host}/{path}", embedded)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that gives up at once, so that one fault is enough."""
    async with connect(Settings(retries=0)) as connected:
        yield connected
