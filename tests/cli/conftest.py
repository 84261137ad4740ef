"""Registries for commands to talk to, and archives for them to push."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import Digest, Settings, connect, docker_save, parse_manifest, push, put_manifest, unwrap
from registry_fp.testing import EmbeddedRegistry, running_registry, sample_image, write_docker_save
from tests.cli.shell import end_all


@dataclass(frozen=True, slots=True)
class Shelf:
    """A registry that holds an image with two tags, and an index that lists it."""

    host: str
    archive: Path
    image: Digest
    index: Digest

    @property
    def repository(self) -> str:
        """Where they are."""
        return f"{self.host}/team/app"


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """A test that fails half-way must not leave a server behind."""
    yield
    end_all()


@pytest.fixture
def registry() -> Iterator[EmbeddedRegistry]:
    """An empty registry."""
    with running_registry() as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of one small image."""
    return write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=1)).path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A registry to read from."""
    path = tmp_path_factory.mktemp("shelf") / "app.tar"
    write_docker_save(path, sample_image("app:1.0", mebibytes=1))
    with running_registry() as running:
        yield asyncio.run(_fill(running.host, path))


async def _fill(host: str, archive: Path) -> Shelf:
    repository = f"{host}/team/app"
    async with connect(Settings(cache=False)) as client:
        pushed = await unwrap(push(client, docker_save(archive), f"{repository}:1.0"))
        await unwrap(push(client, docker_save(archive), f"{repository}:latest"))
        listed = {
            "mediaType": pushed.manifest.media_type,
            "digest": str(pushed.digest),
            "size": pushed.manifest.size,
            "platform": {"os": "linux", "architecture": "amd64"},
        }
        media_type = "application/vnd.oci.image.index.v1+json"
        raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [listed]}).encode()
        index = parse_manifest(raw).unwrap()
        await unwrap(put_manifest(client, f"{repository}:many", index))
    return Shelf(host, archive, pushed.digest, index.digest)
