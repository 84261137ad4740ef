"""Registries whose storage can be reached from behind, and a client that tries once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry, running_registry
from tests.copy.made import Made, put
from tests.copy.made import request as ask
from tests.place import fresh
from tests.real.docker_registry import serve_docker_registry


@dataclass(frozen=True, slots=True)
class Vault:
    """A repository that nobody else uses, and the folder that its registry keeps all content in."""

    host: str
    path: str
    blobs: Path
    embedded: EmbeddedRegistry | None = None

    @property
    def registry(self) -> EmbeddedRegistry:
        """The embedded registry, where it is known to be one."""
        assert self.embedded is not None
        return self.embedded

    def put(self, made: Made) -> str:
        """Put an image there; its name."""
        put(self.host, self.path, made, "1.0")
        if self.embedded is not None:
            self.embedded.reset_counts()
        return f"{self.host}/{self.path}:1.0"

    def lose(self, made: Made) -> None:
        """Remove a manifest, and leave what lists it."""
        assert ask(self.host, "DELETE", f"/v2/{self.path}/manifests/{made.digest}")[0] == 202

    def name(self, digest: str) -> str:
        """What a failure calls a part of the image."""
        return f"{self.host}/{self.path}@{digest}"

    def kept(self, digest: str) -> Path:
        """The file that holds a blob or a manifest."""
        value = digest.partition(":")[2]
        return self.blobs / (value if self.embedded is not None else f"{value[:2]}/{value}/data")


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Vault]:
    """The embedded registry, which knows what it was asked for, and whose faults can be chosen."""
    with running_registry(tmp_path / "registry") as embedded:
        yield Vault(embedded.host, fresh(), tmp_path / "registry/blobs/sha256", embedded)


@pytest.fixture(params=["embedded", "docker-registry"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    """The embedded registry, and Debian's docker-registry."""
    if request.param == "docker-registry":
        with serve_docker_registry(tmp_path / "docker-registry") as real:  # one of its own: what is in it is damaged
            yield Vault(real.host, fresh(), real.storage / "docker/registry/v2/blobs/sha256")
        return
    yield request.getfixturevalue("counting")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that gives up at once, so that one fault is enough."""
    async with connect(Settings(retries=0, cache=False)) as connected:
        yield connected
