"""Registries with and without the referrers API, and something in them to attach to."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry_fp import Client, Descriptor, connect, parse_manifest, put_blob, put_manifest, unwrap
from registry_fp.testing import EmbeddedRegistry
from tests.acceptance.reader import OCI, Got, Reader
from tests.artifacts.gate import Gate, gate_to
from tests.real.docker_registry import RealRegistry
from tests.real.oras import oras_tool
from tests.real.tool import Tool

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class Site:
    """A registry under test, and a fresh repository in it."""

    host: str
    path: str
    embedded: EmbeddedRegistry | None = None
    gate: Gate | None = None

    @property
    def repository(self) -> str:
        """The repository, as it stands in a reference."""
        return f"{self.host}/{self.path}"

    async def get(self, path: str, **headers: str) -> Got:
        """One GET below the repository, by the one who is believed; in a thread, since the registry is in this loop."""
        return await asyncio.to_thread(Reader(self.host).get, f"{self.path}/{path}", **headers)

    async def tags(self) -> set[str]:
        """The tags of the repository."""
        return await asyncio.to_thread(Reader(self.host).tags, self.path)

    async def listed(self, subject: Descriptor) -> list[dict[str, Any]]:
        """What points at a manifest, as somebody else reads it: from the registry, or else from the fallback tag."""
        got = await self.get(f"referrers/{subject.digest}")
        if got.status != 200:
            got = await self.get(f"manifests/{fallback(subject)}", Accept=INDEX)
        return list(json.loads(got.body)["manifests"]) if got.status == 200 else []


def fallback(subject: Descriptor) -> str:
    """The tag that clients keep the list under."""
    return str(subject.digest).replace(":", "-")


@pytest.fixture(params=["embedded", "embedded without referrers", "docker-registry"])
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """One registry that lists referrers, and two that do not."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    if request.param == "docker-registry":
        registry: RealRegistry = request.getfixturevalue("real_registry")
        yield Site(registry.host, path)
        return
    async with EmbeddedRegistry() as embedded:
        if request.param == "embedded":
            yield Site(embedded.host, path, embedded)
            return
        async with gate_to(embedded.host) as gate:
            yield Site(gate.host, path, embedded, gate)


@pytest.fixture
async def gated() -> AsyncIterator[Site]:
    """An embedded registry without the referrers API, behind a gate."""
    async with EmbeddedRegistry() as embedded, gate_to(embedded.host) as gate:
        yield Site(gate.host, "team/app", embedded, gate)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client as people use it."""
    async with connect() as connected:
        yield connected


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files, one of them empty and one in a folder of its own."""
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    contents = {"report.json": b'{"ok": true}\n', "empty": b"", "deep/large.bin": bytes(range(256)) * 12_000}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


async def image_in(client: Client, repository: str, text: str = "{}") -> Descriptor:
    """A manifest to attach to, tagged 1.0."""
    config = await unwrap(put_blob(client, repository, text.encode()))
    document = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": str(config.digest),
            "size": config.size,
        },
        "layers": [],
    }
    return await unwrap(
        put_manifest(client, f"{repository}:1.0", parse_manifest(json.dumps(document).encode()).unwrap())
    )


@pytest.fixture
async def subject(site: Site, client: Client) -> Descriptor:
    """What is attached to."""
    return await image_in(client, site.repository)


@pytest.fixture(scope="session")
def oras(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """The reference tool."""
    return oras_tool(tmp_path_factory.mktemp("oras"))
