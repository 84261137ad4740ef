"""Convert, in registries: an image under other media types, proven by a reader that has none of our code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_fp import BadReference, Client, Misconfigured, NoSuchPlatform, NotFound, Op, Unsupported, unwrap
from registry_fp.domain.media_type import Family
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.convert import convert
from registry_fp.pipelines.rewritten import RewriteOptions
from tests.acceptance.reader import read_archive
from tests.formats.place import DOCKER, DOCKER_LIST, OCI, OCI_INDEX, Place, fresh, layer_tar, sha256
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool

OTHER: dict[str, Family] = {DOCKER: "oci", OCI: "docker"}


async def _reason(op: Op[Any]) -> object:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _blobs(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(each["digest"], each["size"]) for each in (manifest["config"], *manifest["layers"])]


@pytest.mark.parametrize("kind", [DOCKER, OCI])
async def test_an_image_is_the_same_blobs_under_other_names(kind: str, place: Place, client: Client) -> None:
    """Nothing is downloaded, compressed or uploaded for it."""
    place.image("1", kind=kind)
    if place.registry is not None:
        place.registry.reset_counts()
    done = await unwrap(convert(client, f"{place.repository}:1", f"{place.repository}:2", to=OTHER[kind]))
    assert (done.moved, {blob.outcome for blob in done.blobs}) == (0, {"exists"})
    if place.registry is not None:
        assert place.registry.counts().blob_bytes_in == place.registry.counts().blob_bytes_out == 0
    before, _, _ = place.manifest("1")
    after, raw, told = place.manifest("2")
    assert _blobs(after) == _blobs(before)
    assert (told, after["mediaType"], str(done.digest)) == (done.manifest.media_type, told, sha256(raw))
    assert told == {DOCKER: OCI, OCI: DOCKER}[kind]
    assert raw.startswith(b'{\n   "schemaVersion"')
    for blob in (after["config"], *after["layers"]):
        place.blob(blob)


async def test_an_index_is_converted_with_all_its_images(place: Place, client: Client) -> None:
    """What an index lists has other digests afterwards, and all of it is there."""
    images = [place.image(None, kind=DOCKER, architecture=name) for name in ("amd64", "arm64", "s390x")]
    place.index("1", images, kind=DOCKER_LIST)
    goal = place.neighbour()
    done = await unwrap(convert(client, f"{place.repository}:1", f"{goal.repository}:1", to="oci"))
    index, _, told = goal.manifest("1")
    assert (told, index["mediaType"], len(done.manifests)) == (OCI_INDEX, OCI_INDEX, 4)
    for entry, old in zip(index["manifests"], images, strict=True):
        image, raw, kind = goal.manifest(entry["digest"])
        assert (kind, len(raw), entry["mediaType"], entry["platform"]) == (OCI, entry["size"], OCI, old["platform"])
        assert _blobs(image) == _blobs(place.manifest(old["digest"])[0])
        assert json.loads(goal.blob(image["config"]))["architecture"] == old["platform"]["architecture"]
    assert done.moved == 0


async def test_an_image_is_converted_on_its_way_to_another_registry(
    place: Place, embedded: Place, client: Client
) -> None:
    """To a registry that takes one family alone, for example."""
    place.image("1", kind=DOCKER)
    done = await unwrap(convert(client, f"{place.repository}:1", f"{embedded.repository}:1", to="oci"))
    image, _, _ = embedded.manifest("1")
    assert [json.loads(embedded.blob(image["config"]))["os"], *map(embedded.blob, image["layers"])] == [
        "linux",
        b"one",
        b"two",
    ]
    assert done.moved == sum(size for _, size in _blobs(image))


async def test_what_was_converted_before_is_not_moved_again(embedded: Place, client: Client) -> None:
    """The digest of what it becomes is known before anything is asked for."""
    images = [embedded.image(None, kind=DOCKER, architecture=name) for name in ("amd64", "arm64")]
    embedded.index("1", images, kind=DOCKER_LIST)
    goal = f"{embedded.neighbour().repository}:1"
    first = await unwrap(convert(client, f"{embedded.repository}:1", goal, to="oci"))
    assert embedded.registry is not None
    embedded.registry.reset_counts()
    second = await unwrap(convert(client, f"{embedded.repository}:1", goal, to="oci"))
    assert second.digest == first.digest
    counts = embedded.registry.counts()
    assert (counts.by_method.get("POST", 0), counts.blob_bytes_in, counts.blob_bytes_out) == (0, 0, 0)
    assert counts.requests <= 9  # the index and two images read; the goal and its two asked for, named, confirmed


async def test_an_image_that_has_the_media_types_keeps_its_digest(place: Place, client: Client) -> None:
    """A conversion may be part of every release, and must cost nothing where it does nothing."""
    place.image("1", kind=OCI)
    done = await unwrap(convert(client, f"{place.repository}:1", f"{place.repository}:2", to="oci"))
    assert place.manifest("2")[1] == place.manifest("1")[1]
    assert done.source is not None
    assert done.source.digest == done.digest


async def test_one_platform_of_an_index_can_be_converted(embedded: Place, client: Client) -> None:
    """A registry that takes no lists takes one image of one."""
    images = [embedded.image(None, architecture=name) for name in ("amd64", "arm64")]
    embedded.index("1", images)
    source, target = f"{embedded.repository}:1", f"{embedded.repository}:arm"
    await unwrap(convert(client, source, target, to="docker", options=RewriteOptions(platform="linux/arm64")))
    image, _, kind = embedded.manifest("arm")
    assert (kind, json.loads(embedded.blob(image["config"]))["architecture"]) == (DOCKER, "arm64")
    none = convert(client, source, target, to="docker", options=RewriteOptions(platform="linux/riscv64"))
    assert isinstance(await _reason(none), NoSuchPlatform)


async def test_what_cannot_be_said_is_refused_before_anything_is_sent(embedded: Place, client: Client) -> None:
    """Also where it is one image of many."""
    good = embedded.image(None, architecture="amd64")
    bad = embedded.image(
        None, architecture="arm64", subject={key: good[key] for key in ("mediaType", "digest", "size")}
    )
    embedded.index("1", [good, bad])
    assert embedded.registry is not None
    embedded.registry.reset_counts()
    goal = embedded.neighbour()
    reason = await _reason(convert(client, f"{embedded.repository}:1", f"{goal.repository}:1", to="docker"))
    assert isinstance(reason, Unsupported)
    assert set(embedded.registry.counts().by_method) == {"GET"}


async def test_bad_names_and_settings_are_refused_before_any_request(embedded: Place, client: Client) -> None:
    """As everywhere."""
    assert embedded.registry is not None
    pinned = f"{embedded.repository}@sha256:{'0' * 64}"
    for source, target in (("UPPER", "app:1"), (embedded.repository, "a b"), (embedded.repository, pinned)):
        assert isinstance(await _reason(convert(client, source, target, to="oci")), BadReference)
    nothing = RewriteOptions(concurrency=0)
    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    assert isinstance(await _reason(convert(client, *both, to="oci", options=nothing)), Misconfigured)
    assert embedded.registry.requests == ()
    assert isinstance(await _reason(convert(client, *both, to="oci")), NotFound)


@pytest.mark.parametrize("kind", [DOCKER, OCI])
async def test_skopeo_reads_what_was_converted(
    kind: str, real_registry: RealRegistry, client: Client, skopeo: Tool, tmp_path: Path
) -> None:
    """Another reader proves every digest, unpacks every layer, and takes it for the image that it was."""
    place = Place(real_registry.host, fresh())
    tar = layer_tar({"etc/motd": b"hello"})
    rootfs = {"type": "layers", "diff_ids": [sha256(tar)]}
    place.image("1", kind=kind, layers=[gzip.compress(tar)], config={"rootfs": rootfs})
    await unwrap(convert(client, f"{place.repository}:1", f"{place.repository}:2", to=OTHER[kind]))
    origin = ("copy", "--src-tls-verify=false", f"docker://{place.repository}:2")
    await skopeo(*origin, "--preserve-digests", f"dir:{tmp_path / 'image'}")
    assert (tmp_path / "image" / "manifest.json").read_bytes() == place.manifest("2")[1]
    await skopeo(*origin, f"docker-archive:{tmp_path / 'image.tar'}:app:1")
    assert read_archive(tmp_path / "image.tar")[0].diff_ids == (sha256(tar),)
