"""What other tools save, we push: skopeo, podman, buildah, and umoci by way of skopeo."""

import io
import json
import tarfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_fp import connect, docker_save, push, push_all, unwrap
from tests.acceptance.images import SHAPES
from tests.acceptance.reader import OCI, Reader, read_archive
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool


def _path() -> str:
    return f"team-{uuid.uuid4().hex[:12]}"


@pytest.mark.parametrize("name", ["skopeo.tar", "skopeo-two-tags.tar"])
async def test_an_archive_of_skopeo_is_pushed_whole(
    name: str, sample_archives: dict[str, Path], real_registry: RealRegistry
) -> None:
    """Its layers come from umoci, and lack the padding and the end marker that others write."""
    archive, path = sample_archives[name], _path()
    async with connect() as client:
        await unwrap(push(client, docker_save(archive), f"{real_registry.host}/{path}:1.0"))
        everywhere = await unwrap(push_all(client, docker_save(archive), f"{real_registry.host}/{path}"))
    (saved,) = read_archive(archive)
    reader = Reader(real_registry.host)
    reader.prove(path, "1.0", saved)
    assert reader.tags(f"{path}/team/app") == {tag.rpartition(":")[2] for tag in saved.tags}
    assert len(everywhere) == len(saved.tags)
    assert sum(each.sent for each in everywhere) == 0


@pytest.mark.parametrize(("name", "codec"), [("umoci-oci", "gzip"), ("skopeo-zstd-oci", "zstd")])
async def test_layers_that_others_compressed_travel_as_they_are(
    name: str, codec: str, sample_archives: dict[str, Path], real_registry: RealRegistry, tmp_path: Path
) -> None:
    """Docker saves what containerd stores: gzip by whoever built it, or zstd by skopeo. Their digests must survive."""
    layout, archive, path = sample_archives[name], tmp_path / "app.tar", _path()
    digests = _as_docker_25(layout, archive)
    async with connect() as client:
        pushed = await unwrap(push(client, docker_save(archive), f"{real_registry.host}/{path}:1.0"))
    stored = Reader(real_registry.host).prove(path, "1.0", read_archive(archive)[0])
    assert (stored.layers, set(stored.codecs)) == (digests, {codec})
    assert pushed.manifest.media_type == OCI


def _as_docker_25(layout: Path, archive: Path) -> tuple[str, ...]:
    """Pack a layout and put a manifest.json beside, as Docker 25 does; the digests of the layers."""

    def blob(descriptor: Mapping[str, Any]) -> str:
        return f"blobs/{descriptor['digest'].replace(':', '/')}"

    (listed,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads((layout / blob(listed)).read_bytes())
    entry = {"Config": blob(manifest["config"]), "RepoTags": ["app:1.0"], "Layers": [*map(blob, manifest["layers"])]}
    raw = json.dumps([entry]).encode()
    member = tarfile.TarInfo("manifest.json")
    member.size = len(raw)
    with tarfile.open(archive, "w") as tar:
        tar.add(layout, ".")
        tar.addfile(member, io.BytesIO(raw))
    return tuple(layer["digest"] for layer in manifest["layers"])


async def test_an_archive_of_buildah_is_pushed_whole(buildah_archive: Path, real_registry: RealRegistry) -> None:
    """A build without a daemon ends in such an archive."""
    path = _path()
    async with connect() as client:
        await unwrap(push(client, docker_save(buildah_archive), f"{real_registry.host}/{path}:1.0"))
    Reader(real_registry.host).prove(path, "1.0", read_archive(buildah_archive)[0])


async def test_an_archive_of_podman_is_pushed_whole_with_all_its_images_and_tags(
    podman_archives: dict[str, Path], real_registry: RealRegistry
) -> None:
    """`podman save --multi-image-archive` is the `docker save` of those who have no docker."""
    archive, path = podman_archives["podman-two-images.tar"], _path()
    async with connect() as client:
        await unwrap(push_all(client, docker_save(archive), f"{real_registry.host}/{path}"))
        chosen = docker_save(archive, image="example.test/team/other:2.0")
        await unwrap(push(client, chosen, f"{real_registry.host}/{path}/chosen:1.0"))
    reader = Reader(real_registry.host)
    for saved in read_archive(archive):
        for tag in saved.tags:
            _, _, name = tag.partition("/")
            reader.prove(f"{path}/{name.partition(':')[0]}", name.partition(":")[2], saved)
        if saved.tags == ("example.test/team/other:2.0",):
            reader.prove(f"{path}/chosen", "1.0", saved)


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_image_that_went_through_skopeo_comes_back_as_the_same_layers(
    shape: str, skopeo: Tool, real_registry: RealRegistry, tmp_path: Path
) -> None:
    """Out of a registry and into another one, by way of a file: the image keeps its id."""
    first, second, path = tmp_path / "first.tar", tmp_path / "second.tar", _path()
    SHAPES[shape](first)
    origin = f"{real_registry.host}/{path}:1.0"
    async with connect() as client:
        await unwrap(push(client, docker_save(first), origin))
        await skopeo("copy", "--src-tls-verify=false", f"docker://{origin}", f"docker-archive:{second}:app:1.0")
        again = await unwrap(push(client, docker_save(second), f"{real_registry.host}/{path}:2.0"))
    one, two = read_archive(first)[0], read_archive(second)[0]
    Reader(real_registry.host).prove(path, "2.0", two)
    assert one.diff_ids == two.diff_ids
    if not shape.endswith("with gzip"):  # those were compressed by another engine
        assert {blob.outcome for blob in again.blobs[1:]} == {"exists"}
