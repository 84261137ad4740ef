"""Pushing again: what is there already is not sent, and what is not there is never taken for granted."""

from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Compression,
    PushOptions,
    Settings,
    connect,
    delete_blob,
    docker_save,
    push,
    unwrap,
)
from registry_fp.testing import write_docker_save
from tests.acceptance.conftest import Site
from tests.acceptance.images import SHAPES, image, packed
from tests.acceptance.reader import read_archive


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("shape", ["legacy", "legacy with gzip", "OCI", "OCI with gzip"])
async def test_a_second_push_sends_nothing(
    shape: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """Most pushes of a release repeat the one before; only the manifest goes out again."""
    archive, options = tmp_path / "app.tar", PushOptions(compression=compression)
    SHAPES[shape](archive)
    first = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    site.reset()
    again = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.1", options=options))
    site.sent_nothing(layers=4)
    assert ({blob.outcome for blob in again.blobs}, again.sent, again.digest) == ({"exists"}, 0, first.digest)
    assert again.summary == "5 blobs: 5 exists; 0 bytes sent"
    site.reader.prove(site.path, "1.1", read_archive(archive)[0])


@pytest.mark.parametrize(("shape", "compression"), [("legacy", "none"), ("OCI", "none"), ("OCI with gzip", "gzip")])
async def test_a_stranger_sends_nothing_where_the_archive_itself_names_the_blobs(
    shape: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """A build machine that was made a minute ago has no memory, and need not have one."""
    archive, options = tmp_path / "app.tar", PushOptions(compression=compression)
    SHAPES[shape](archive)
    first = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    site.reset()
    async with connect(Settings(cache=False)) as stranger:
        again = await unwrap(push(stranger, docker_save(archive), f"{site.repository}:1.0", options=options))
    site.sent_nothing(layers=4)
    assert (again.sent, again.digest) == (0, first.digest)


async def test_what_a_client_learnt_outlives_it(site: Site, client: Client, tmp_path: Path) -> None:
    """Each run of a command is a new client; without a memory on disk it would compress everything again."""
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)
    await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0"))
    site.reset()
    async with connect() as later:
        again = await unwrap(push(later, docker_save(archive), f"{site.repository}:1.0"))
    site.sent_nothing(layers=4)
    assert again.sent == 0


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_a_second_repository_takes_the_blobs_of_the_first(
    compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """Promoting an image from `staging/` to `live/` moves names, and no bytes."""
    archive, options = tmp_path / "app.tar", PushOptions(compression=compression)
    SHAPES["legacy"](archive)
    await unwrap(push(client, docker_save(archive), f"{site.repository}/staging:1.0", options=options))
    site.reset()
    live = await unwrap(push(client, docker_save(archive), f"{site.repository}/live:1.0", options=options))
    assert ({blob.outcome for blob in live.blobs}, live.sent) == ({"mounted"}, 0)
    if site.embedded is not None:
        assert (site.embedded.counts().blob_bytes_in, site.embedded.counts().uploads_open) == (0, 0)
    site.reader.prove(f"{site.path}/live", "1.0", read_archive(archive)[0])


async def test_only_the_layers_that_changed_are_sent(site: Site, client: Client, tmp_path: Path) -> None:
    """The everyday push: a new build of an application on the same base."""
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    write_docker_save(first, image("app:1.0"), layout="legacy")
    write_docker_save(second, image("app:1.1", seed=1), layout="legacy")
    await unwrap(push(client, docker_save(first), f"{site.repository}:1.0"))
    pushed = await unwrap(push(client, docker_save(second), f"{site.repository}:1.1"))
    assert [blob.outcome for blob in pushed.blobs] == ["uploaded", "exists", "exists", "uploaded", "uploaded"]
    site.reader.prove(site.path, "1.1", read_archive(second)[0])


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_a_memory_that_is_wrong_costs_work_and_nothing_else(
    compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """Registries collect their garbage: what was remembered to be there may be gone, here and with the neighbour."""
    archive, options = tmp_path / "app.tar", PushOptions(compression=compression)
    SHAPES["legacy"](archive)
    first = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    for blob in first.blobs:
        await unwrap(delete_blob(client, site.repository, blob.descriptor.digest))
    for repository, path in ((site.repository, site.path), (f"{site.repository}/other", f"{site.path}/other")):
        again = await unwrap(push(client, docker_save(archive), f"{repository}:1.0", options=options))
        assert again.digest == first.digest
        site.reader.prove(path, "1.0", read_archive(archive)[0])
        for blob in first.blobs:
            await unwrap(delete_blob(client, repository, blob.descriptor.digest))
    if site.embedded is not None:
        assert site.embedded.counts().uploads_open == 0


async def test_an_archive_that_was_compressed_anew_is_pushed_as_it_is_now(
    site: Site, client: Client, tmp_path: Path
) -> None:
    """The same names and diff_ids, other bytes: what was remembered of the old ones must not stand for the new."""
    archive, digests = tmp_path / "app.tar", []
    for level in (6, 1):
        archive.write_bytes(bytes(packed(image("app:1.0"), level)))
        pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:{level}"))
        async with connect(Settings(cache=False)) as stranger:
            other = await unwrap(push(stranger, docker_save(archive), f"{site.repository}/cold:{level}"))
        assert pushed.digest == other.digest
        digests.append(site.reader.prove(site.path, str(level), read_archive(archive)[0]).digest)
    assert digests[0] != digests[1]


async def test_another_level_of_compression_is_another_blob(site: Site, client: Client, tmp_path: Path) -> None:
    """Who asks for the best compression does not get what the last push happened to leave."""
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)
    sizes = []
    for level in (None, 9, 1):
        options = PushOptions(level=level)
        pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:{level}", options=options))
        sizes.append(sum(blob.descriptor.size for blob in pushed.blobs))
    assert sizes[1] < sizes[0] == sizes[2]


async def test_a_damaged_memory_is_forgotten(site: Site, tmp_path: Path) -> None:
    """A cache file that a full disk cut short must not stop a release."""
    archive, cache = tmp_path / "app.tar", tmp_path / "memory"
    SHAPES["legacy"](archive)
    settings = Settings(cache_dir=cache)
    digests = set()
    for spoil in (False, True, False):
        if spoil:
            for file in cache.iterdir():
                file.write_bytes(b"no database at all " * 100)
        async with connect(settings) as client:
            digests.add((await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0"))).digest)
    assert len(digests) == 1
