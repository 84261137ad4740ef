"""Inspect: images, indexes and artifacts, in a registry and on disk."""

import json
from pathlib import Path

import pytest

from registry_fp import (
    BadReference,
    Client,
    Err,
    InspectedImage,
    InspectedIndex,
    LimitExceeded,
    NoSuchPlatform,
    inspect,
    settle,
    unwrap,
)
from registry_fp.archive.source import any_archive, docker_save, oci_layout
from registry_fp.domain.platform import local_platform
from registry_fp.pipelines.image_view import ImageNoun
from registry_fp.testing import running_registry, write_docker_save
from tests.copy.made import INDEX, Made, artifact, five_platforms, image, index, layer, put
from tests.place import Place
from tests.real.tool import Tool


async def _image(client: Client, name: ImageNoun, platform: str | None = None) -> InspectedImage:
    found = await unwrap(inspect(client, name, platform=platform))
    assert isinstance(found, InspectedImage)
    return found


async def test_an_index_shows_its_platforms_and_one_of_them_its_image(place: Place, client: Client) -> None:
    """The list first; then, for a platform, what a machine of that kind would run."""
    many = five_platforms()
    put(place.host, place.path, many, "1.0")
    name = f"{place.repository}:1.0"
    whole = await unwrap(inspect(client, name))
    assert isinstance(whole, InspectedIndex)
    assert [str(each) for each in whole.platforms] == [each.platform for each in many.listed]
    assert (str(whole.digest), dict(whole.annotations or {})) == (
        many.digest,
        {"org.opencontainers.image.ref.name": "kept"},
    )
    arm = await _image(client, name, "linux/aarch64")
    assert (str(arm.digest), arm.name) == (many.listed[1].digest, f"{place.repository}:1.0@{many.listed[1].digest}")
    assert str(arm.platform) == "linux/arm64"
    assert (await _image(client, name, "linux/arm/v8")).digest == (await _image(client, name, "linux/arm/v7")).digest
    out = await settle(inspect(client, name, platform="linux/riscv64"))
    assert isinstance(out, Err)
    assert out.error.doing == "inspect"
    assert isinstance(out.error.reason, NoSuchPlatform)
    assert "linux/s390x" in out.error.reason.available


async def test_skopeo_says_the_same(place: Place, client: Client, skopeo: Tool, tmp_path: Path) -> None:
    """Layers, labels, environment, platform and time, by somebody else's reading."""
    saved = write_docker_save(tmp_path / "app.tar").path
    await skopeo("copy", "--dest-tls-verify=false", f"docker-archive:{saved}", f"docker://{place.repository}:1.0")
    shown = await skopeo("inspect", "--tls-verify=false", f"docker://{place.repository}:1.0")
    theirs = json.loads(shown.stdout)
    ours = await _image(client, f"{place.repository}:1.0", "local")
    assert [str(each.digest) for each in ours.layers] == theirs["Layers"]
    assert (dict(ours.labels), list(ours.env)) == (theirs["Labels"], theirs["Env"])
    assert (ours.created, str(ours.platform)) == (theirs["Created"], f"{theirs['Os']}/{theirs['Architecture']}")
    assert str(ours.digest) == theirs["Digest"]
    before = await _image(client, docker_save(saved))
    assert before.unpacked == before.size == sum(len(each) for each in _plain_layers(saved))
    assert ours.unpacked is None
    assert [step.created_by for step in ours.history] == [step.created_by for step in before.history]


def _plain_layers(path: Path) -> list[bytes]:
    """The plain layers of the sample image, which is always the same."""
    return list(write_docker_save(path).images[0].layers)


async def test_an_artifact_says_what_it_is_and_what_it_is_about(place: Place, client: Client) -> None:
    """It has no platform and no configuration that anybody could read."""
    about = image(layer("app"))
    bill = artifact(about, "application/spdx+json", b"a bill of materials")
    put(place.host, place.path, about)
    put(place.host, place.path, bill, "bill")
    found = await _image(client, f"{place.repository}:bill")
    assert (found.artifact_type, found.platform, found.config) == ("application/spdx+json", None, None)
    assert found.subject is not None
    assert str(found.subject.digest) == about.digest
    assert (found.env, dict(found.labels), found.history, found.created) == ((), {}, (), None)
    assert [each.media_type for each in found.layers] == ["application/octet-stream"]


@pytest.mark.parametrize("name", ["umoci-oci", "skopeo-oci.tar", "skopeo-zstd-oci"])
async def test_a_layout_is_inspected_where_it_lies(name: str, client: Client, sample_archives: dict[str, Path]) -> None:
    """A folder or a tar, whatever compressed its layers; and one that is not said to be a layout is found to be one."""
    found = await _image(client, oci_layout(sample_archives[name]))
    assert found == await _image(client, any_archive(sample_archives[name]))
    assert (found.created, found.env) == ("2024-01-01T00:00:00Z", ("STAGE=test",))
    saved = await _image(client, docker_save(sample_archives["skopeo.tar"]))
    assert saved == await _image(client, any_archive(sample_archives["skopeo.tar"]))
    assert [each.diff_id for each in found.layers] == [each.diff_id for each in saved.layers]


async def test_a_platform_that_cannot_be_read_is_refused_before_anything_is_asked(client: Client) -> None:
    """A mistyped option costs no request."""
    with running_registry() as registry:
        out = await settle(inspect(client, f"{registry.host}/team/app:1.0", platform="linux/"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)
        assert registry.counts().requests == 0


async def test_an_index_in_an_index_is_followed_but_not_for_ever(client: Client) -> None:
    """A release's index of indexes is honest; a hundred of them in each other are not."""
    made = index(image(layer("deep"), platform=str(local_platform())))
    with running_registry() as registry:
        for depth in range(20):
            put(registry.host, "team/app", made, f"v{depth}")
            document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [made.descriptor()]}
            made = Made(INDEX, json.dumps(document).encode(), {}, (made,))
        near = await _image(client, f"{registry.host}/team/app:v3", "local")
        assert near.platform is not None
        assert near.platform.architecture == local_platform().architecture
        out = await settle(inspect(client, f"{registry.host}/team/app:v19", platform="local"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, LimitExceeded)
