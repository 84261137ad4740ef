"""Into an OCI image layout: every blob as the registry has it, and never a byte twice."""

import json
from pathlib import Path

import pytest

from registry_fp import Client, NoSuchPlatform, settle, unwrap
from registry_fp.archive.source import any_archive, oci_layout
from registry_fp.effect.exits import Err
from registry_fp.pipelines.pull import PullOptions, pull
from registry_fp.testing import EmbeddedRegistry
from tests.acceptance.images import image, small
from tests.pull.conftest import Site
from tests.pull.publishing import index, publish, publish_image
from tests.pull.reading import files_of, listed, names_in, reachable

PLACES = ["layout", "layout.tar"]


@pytest.mark.parametrize("place", PLACES)
async def test_a_layout_holds_the_image_byte_for_byte(place: str, site: Site, client: Client, tmp_path: Path) -> None:
    """What is compressed stays as it is, so every digest of the registry is a digest of the layout."""
    name = f"{site.repository}:1.0"
    made = await publish_image(client, name, image("app:1.0"))
    pulled = await unwrap(pull(client, name, oci_layout(tmp_path / place)))
    files = files_of(tmp_path / place)
    entry = listed(files)
    assert (entry["digest"], str(pulled.digest)) == (str(made.digest), str(made.digest))
    assert entry["annotations"] == {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": "1.0",
    }
    assert files.keys() - reachable(files, entry).keys() == {"index.json", "oci-layout"}
    assert names_in(tmp_path) == [place]


@pytest.mark.parametrize("place", PLACES)
async def test_all_platforms_of_an_index_come_along(place: str, site: Site, client: Client, tmp_path: Path) -> None:
    """A mirror on a disk needs the index and everything beneath it, and a layer that two images share once."""
    made = await _two_platforms(client, site.repository)
    options = PullOptions(platform="all")
    pulled = await unwrap(pull(client, f"{site.repository}:1", oci_layout(tmp_path / place), options=options))
    files = files_of(tmp_path / place)
    assert listed(files)["digest"] == str(pulled.digest) == made["all"]
    assert {made["amd64"], made["arm64"]} <= {f"sha256:{name.rpartition('/')[2]}" for name in files}
    assert files.keys() - reachable(files, listed(files)).keys() == {"index.json", "oci-layout"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
async def test_one_platform_of_an_index_is_all_that_comes(
    architecture: str, place: str, site: Site, client: Client, tmp_path: Path
) -> None:
    """Nobody wants to fetch the images of nine other machines."""
    made = await _two_platforms(client, site.repository)
    options = PullOptions(platform=f"linux/{architecture}")
    await unwrap(pull(client, f"{site.repository}:1", oci_layout(tmp_path / place), options=options))
    files = files_of(tmp_path / place)
    assert listed(files)["digest"] == made[architecture]
    assert files.keys() - reachable(files, listed(files)).keys() == {"index.json", "oci-layout"}


async def test_a_platform_that_is_not_there_is_named_with_those_that_are(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Also where the image is not in an index: running it would fail later, and elsewhere."""
    name = f"{embedded_registry.host}/app"
    await _two_platforms(client, name)
    await publish_image(client, f"{name}:alone", small())
    for tag, available in (("1", ("linux/amd64", "linux/arm64")), ("alone", ("linux/amd64",))):
        options = PullOptions(platform="linux/s390x")
        out = await settle(pull(client, f"{name}:{tag}", any_archive(tmp_path / "app.tar"), options=options))
        assert isinstance(out, Err)
        assert out.error.reason == NoSuchPlatform("linux/s390x", available)
    assert names_in(tmp_path) == []


async def test_what_a_layout_holds_is_not_fetched_again(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """A mirror that runs every night pays for what is new."""
    name, layout = f"{embedded_registry.host}/app", oci_layout(tmp_path / "layout")
    await publish_image(client, f"{name}:1", image("app:1.0"))
    await unwrap(pull(client, f"{name}:1", layout))
    embedded_registry.reset_counts()
    again = await unwrap(pull(client, f"{name}:1", layout))
    assert (again.moved, embedded_registry.counts().blob_bytes_out) == (0, 0)
    other = image("app:2.0", seed=2)
    await publish_image(client, f"{name}:2", other)
    new = await unwrap(pull(client, f"{name}:2", layout))
    assert [blob.outcome for blob in new.blobs].count("exists") == len(set(other.layers)) - 2
    assert len(files_of(tmp_path / "layout")["index.json"]) > 0


async def test_a_name_in_the_layout_can_be_chosen(site: Site, client: Client, tmp_path: Path) -> None:
    """One layout holds many images, from several registries."""
    await publish_image(client, f"{site.repository}:1", small())
    await unwrap(pull(client, f"{site.repository}:1", oci_layout(tmp_path / "layout", image="base")))
    entry = listed(files_of(tmp_path / "layout"))
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "base"}


async def test_an_artifact_is_pulled_into_a_layout_as_it_is(site: Site, client: Client, tmp_path: Path) -> None:
    """A chart or a policy has no platform and no diff_ids."""
    made = await publish_image(
        client,
        f"{site.repository}:1",
        small(),
        config=b"{}",
        layers=[b"chart"],
        layer_type="application/vnd.test.chart",
        config_type="application/vnd.test.config+json",
    )
    await unwrap(pull(client, f"{site.repository}:1", oci_layout(tmp_path / "chart.tar")))
    assert listed(files_of(tmp_path / "chart.tar"))["digest"] == str(made.digest)


async def test_images_of_two_repositories_under_one_tag_are_both_listed(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Nearly everything is called `latest` somewhere: a folder that many images come to loses none of them."""
    names = [f"{embedded_registry.host}/{path}:latest" for path in ("one", "two")]
    made = [await publish_image(client, name, image("app:1.0", seed=seed)) for seed, name in enumerate(names)]
    for name in (*names, names[0]):
        await unwrap(pull(client, name, oci_layout(tmp_path / "all")))
    entries = json.loads((tmp_path / "all" / "index.json").read_bytes())["manifests"]
    assert {each["annotations"]["io.containerd.image.name"]: each["digest"] for each in entries} == {
        name: str(each.digest) for name, each in zip(names, made, strict=True)
    }
    assert len(entries) == len(names)


async def _two_platforms(client: Client, repository: str) -> dict[str, str]:
    """An index of two images that share their lowest layers, under tag 1; all digests."""
    one, two = image("app:1.0"), image("app:1.0", seed=1)
    amd64 = await publish_image(client, f"{repository}@", one)
    arm64 = await publish_image(client, f"{repository}@", two, config=two.config.replace(b'"amd64"', b'"arm64"'))
    both = await publish(client, f"{repository}:1", index((amd64, "linux/amd64"), (arm64, "linux/arm64")))
    return {"amd64": str(amd64.digest), "arm64": str(arm64.digest), "all": str(both.digest)}
