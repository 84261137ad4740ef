"""Push all: a whole archive, under every name that it was saved with."""

from pathlib import Path

import pytest

from registry_fp import Client, PushOptions, docker_save, push_all, unwrap
from registry_fp.testing import SavedLayout, write_docker_save
from tests.acceptance.conftest import Site
from tests.acceptance.images import image, small
from tests.acceptance.reader import read_archive


@pytest.mark.parametrize("layout", ["legacy", "oci"])
async def test_every_image_stands_under_all_its_original_tags(
    layout: SavedLayout, site: Site, client: Client, tmp_path: Path
) -> None:
    """Moving a machine's images to another registry is one call, and loses no name."""
    archive = tmp_path / "all.tar"
    write_docker_save(
        archive,
        image("app:1.0", "app:latest", "localhost:5000/team/app:1.0"),
        image("app:2.0", "docker.io/library/tool:7", seed=1),
        small("ghcr.io/team/tiny:1"),
        layout=layout,
    )
    pushed = await unwrap(push_all(client, docker_save(archive), site.repository))
    expected = {
        "library/app": {"1.0": 0, "latest": 0, "2.0": 1},
        "library/tool": {"7": 1},
        "team/app": {"1.0": 0},
        "team/tiny": {"1": 2},
    }
    saved = read_archive(archive)
    names = {f"{site.repository}/{path}:{tag}" for path, tags in expected.items() for tag in tags}
    assert {str(each.reference) for each in pushed} == names
    for path, tags in expected.items():
        assert site.reader.tags(f"{site.path}/{path}") == set(tags)
        for tag, position in tags.items():
            site.reader.prove(f"{site.path}/{path}", tag, saved[position])


async def test_from_the_second_repository_on_no_blob_is_sent(site: Site, client: Client, tmp_path: Path) -> None:
    """One image with names in three repositories is sent once."""
    archive = tmp_path / "all.tar"
    write_docker_save(archive, image("one:1.0", "two:1.0", "three:1.0", "three:1.1"), layout="legacy")
    first, *others = await unwrap(push_all(client, docker_save(archive), site.repository))
    assert {blob.outcome for blob in first.blobs} == {"uploaded"}
    outcomes = [({blob.outcome for blob in each.blobs}, each.sent) for each in others]
    assert outcomes == [({"mounted"}, 0), ({"mounted"}, 0), ({"exists"}, 0)]
    if site.embedded is not None:
        assert site.embedded.counts().blob_bytes_in == first.sent


async def test_tags_that_only_the_older_file_names_are_kept(site: Site, client: Client, tmp_path: Path) -> None:
    """Some writers leave `RepoTags` empty and name the image in `repositories` alone."""
    archive = tmp_path / "old.tar"
    write_docker_save(archive, small("app:1.0", "app:latest"), layout="legacy")
    untagged = archive.read_bytes().replace(b'"RepoTags":["app:1.0","app:latest"]', b'"RepoTags":null' + b" " * 20)
    archive.write_bytes(untagged)
    pushed = await unwrap(push_all(client, docker_save(archive), site.repository, options=PushOptions(concurrency=1)))
    assert {each.reference.tag for each in pushed} == {"1.0", "latest"}
    site.reader.prove(f"{site.path}/library/app", "latest", read_archive(archive)[0])


async def test_names_that_differ_only_by_their_host_become_one(site: Site, client: Client, tmp_path: Path) -> None:
    """An image that was pulled from a mirror and from the origin has two names, which are one in the new place."""
    archive = tmp_path / "twice.tar"
    write_docker_save(archive, small("ghcr.io/team/app:1.0", "quay.io/team/app:1.0"))
    pushed = await unwrap(push_all(client, docker_save(archive), site.repository))
    assert [str(each.reference) for each in pushed] == [f"{site.repository}/team/app:1.0"]
    site.reader.prove(f"{site.path}/team/app", "1.0", read_archive(archive)[0])
