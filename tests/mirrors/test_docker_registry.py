"""Debian's docker-registry as a cache of another one: the pair that most companies have."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

from registry_fp import get_manifest, oci_layout, pull, unwrap
from registry_fp.transport.host_settings import HostSettings
from tests.copy.made import put
from tests.mirrors.conftest import IMAGE, OLD, opened
from tests.mirrors.recorder import recording
from tests.mirrors.test_places import holds_image
from tests.real.docker_registry import RealRegistry, docker_registry
from tests.transport.clocks import InstantClock


async def test_a_cache_brings_what_the_registry_has_and_keeps_it(
    real_registry: RealRegistry, tmp_path: Path, clock: InstantClock
) -> None:
    """The first pull fills the cache, the second one comes out of it; the registry never hears of us."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    await asyncio.to_thread(put, real_registry.host, path, IMAGE, "1")
    async with recording(real_registry.host) as origin:
        cached = {"proxy": {"remoteurl": f"http://{origin.host}"}}
        async with docker_registry(tmp_path / "cache", settings=cached) as cache:
            origin.up.clear()
            chosen = {origin.host: HostSettings(mirrors=(cache.host,))}
            name = f"{origin.host}/{path}:1"
            async with opened(clock, chosen) as client:
                await unwrap(pull(client, name, oci_layout(tmp_path / "one")))
                assert holds_image(tmp_path / "one")
                assert "registry-fp" not in origin.up.decode("latin-1")
                assert {said.ns for said in origin.requests} == {None}
                fetched = [said for said in origin.requests if said.method == "GET" and "/blobs/" in said.path]
                assert len(fetched) >= len(IMAGE.blobs)
                origin.up.clear()
                await unwrap(pull(client, name, oci_layout(tmp_path / "two")))
                assert holds_image(tmp_path / "two")
                assert not [said for said in origin.requests if "/blobs/" in said.path]


async def test_a_tag_that_moved_is_the_new_one_through_the_cache(
    real_registry: RealRegistry, tmp_path: Path, clock: InstantClock
) -> None:
    """What is written goes to the registry, and the cache asks it again what a tag stands for."""
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    cached = {"proxy": {"remoteurl": f"http://{real_registry.host}"}}
    async with docker_registry(tmp_path / "cache", settings=cached) as cache:
        chosen = {real_registry.host: HostSettings(mirrors=(cache.host,))}
        async with opened(clock, chosen) as client:
            for made in (OLD, IMAGE):
                await asyncio.to_thread(put, real_registry.host, path, made, "1")
                found = await unwrap(get_manifest(client, f"{real_registry.host}/{path}:1"))
                assert str(found.digest) == made.digest
                assert found.raw == made.raw
