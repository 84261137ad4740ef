"""Other people's tools read what we pulled: skopeo, podman and umoci; and our own push does."""

import json
from pathlib import Path

import pytest

from registry_fp import Client, docker_save, push, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.pull import pull
from tests.acceptance.images import image
from tests.pull.conftest import Site
from tests.pull.publishing import publish_image
from tests.pull.reading import read_saved
from tests.real.tool import Tool


async def test_skopeo_copies_a_pulled_docker_archive_whole(
    site: Site, client: Client, skopeo: Tool, tmp_path: Path
) -> None:
    """It is built on the library of podman, buildah and CRI-O."""
    sample = image("app:1.0")
    await publish_image(client, f"{site.repository}:1", sample)
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "app.tar", image="app:1.0")))
    seen = json.loads((await skopeo("inspect", f"docker-archive:{tmp_path / 'app.tar'}:app:1.0")).stdout)
    assert seen["Layers"] == [str(diff_id) for diff_id in sample.diff_ids]
    config = await skopeo("inspect", "--config", "--raw", f"docker-archive:{tmp_path / 'app.tar'}")
    assert config.stdout.encode() == sample.config
    await skopeo("copy", f"docker-archive:{tmp_path / 'app.tar'}", f"dir:{tmp_path / 'copy'}")
    for layer in sample.diff_ids:
        assert (tmp_path / "copy" / layer.hex).stat().st_size > 0


async def test_skopeo_and_ours_save_the_same_image(site: Site, client: Client, skopeo: Tool, tmp_path: Path) -> None:
    """Another program, another form of archive, and the same configuration and layers."""
    await publish_image(client, f"{site.repository}:1", image("app:1.0"))
    await skopeo(
        "copy", "--src-tls-verify=false", f"docker://{site.repository}:1", f"docker-archive:{tmp_path / 'a.tar'}"
    )
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "b.tar")))
    theirs = await unwrap(push(client, docker_save(tmp_path / "a.tar"), f"{site.repository}:theirs"))
    ours = await unwrap(push(client, docker_save(tmp_path / "b.tar"), f"{site.repository}:ours"))
    assert {blob.descriptor.digest for blob in theirs.blobs} == {blob.descriptor.digest for blob in ours.blobs}
    assert ours.sent == 0


async def test_podman_loads_a_pulled_docker_archive_and_saves_it_again(
    site: Site, client: Client, podman: Tool, tmp_path: Path
) -> None:
    """What `docker load` does, without a daemon; and the image keeps its id."""
    sample = image("app:1.0")
    await publish_image(client, f"{site.repository}:1", sample)
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "app.tar", image="h.test/app:1.0")))
    await podman("load", "--input", tmp_path / "app.tar")
    shown = await podman("image", "inspect", "--format", "{{.Id}}", "h.test/app:1.0")
    await podman("rmi", "h.test/app:1.0")
    assert shown.stdout.strip() == sample.config_digest.hex


@pytest.mark.parametrize("place", ["layout", "layout.tar"])
async def test_skopeo_and_umoci_read_a_pulled_layout(  # noqa: PLR0917  fixtures
    place: str, site: Site, client: Client, skopeo: Tool, umoci: Tool, tmp_path: Path
) -> None:
    """The digests that they see are those of the registry."""
    made = await publish_image(client, f"{site.repository}:1.0", image("app:1.0"))
    await unwrap(pull(client, f"{site.repository}:1.0", oci_layout(tmp_path / place)))
    transport = "oci-archive" if place.endswith(".tar") else "oci"
    seen = json.loads((await skopeo("inspect", f"{transport}:{tmp_path / place}:1.0")).stdout)
    assert seen["Digest"] == str(made.digest)
    if place == "layout":
        await umoci("unpack", "--rootless", "--image", f"{tmp_path / place}:1.0", tmp_path / "bundle")
        assert (tmp_path / "bundle" / "rootfs" / "etc" / "seed").read_text() == "0"


async def test_our_push_takes_a_pulled_archive_back(site: Site, client: Client, tmp_path: Path) -> None:
    """Across a border that only files cross: what arrives is what left."""
    await publish_image(client, f"{site.repository}:1", image("app:1.0"))
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "app.tar")))
    await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{site.repository}/there:1"))
    await unwrap(
        pull(client, f"{site.repository}/there:1", docker_save(tmp_path / "again.tar", image=f"{site.repository}:1"))
    )
    assert read_saved(tmp_path / "app.tar") == read_saved(tmp_path / "again.tar")
    assert (tmp_path / "app.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
