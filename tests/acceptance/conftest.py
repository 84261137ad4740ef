"""Three registries, one suite: whatever passes on one of them must pass on all."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry, running_registry
from tests.acceptance.reader import Reader


@dataclass(frozen=True, slots=True)
class Site:
    """A registry under test, a fresh repository in it, and the embedded registry's counters where it is one."""

    host: str
    path: str
    embedded: EmbeddedRegistry | None

    @property
    def repository(self) -> str:
        """The repository, as it stands in a reference."""
        return f"{self.host}/{self.path}"

    @property
    def reader(self) -> Reader:
        """The one who is believed."""
        return Reader(self.host)

    def sent_nothing(self, layers: int) -> None:
        """Since the counts were reset: no byte of a blob, no upload, and few questions (embedded registry only)."""
        if self.embedded is not None:
            counts = self.embedded.counts()
            assert (counts.blob_bytes_in, counts.by_method.get("PATCH", 0), counts.uploads_open) == (0, 0, 0)
            assert counts.requests <= layers + 5

    def reset(self) -> None:
        """Count anew."""
        if self.embedded is not None:
            self.embedded.reset_counts()


@pytest.fixture(params=["memory", "directory", "docker-registry"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The embedded registry in memory, the same in a directory, and Debian's docker-registry."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    if request.param == "docker-registry":
        yield Site(request.getfixturevalue("real_registry").host, path, None)
        return
    with running_registry(None if request.param == "memory" else tmp_path / "registry") as embedded:
        yield Site(embedded.host, path, embedded)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client as people use it, except that 64 KiB are large, so that one image is sent in both ways."""
    async with connect(Settings(small_blob=64 * 1024)) as connected:
        yield connected
