"""Push: the image in the registry is the image in the archive."""

import asyncio
from pathlib import Path

import pytest

from registry_fp import Client, Compression, PushOptions, Settings, connect, digest_of, docker_save, push, unwrap
from registry_fp.testing import running_registry, sample_image, sample_layer, write_docker_save
from tests.acceptance.conftest import Site
from tests.acceptance.images import SHAPES, WRAPPERS, image, small
from tests.acceptance.reader import DOCKER, OCI, Reader, read_archive
from tests.archive.tars import Save, config


def by_sha512(layer: bytes) -> dict[str, object]:
    """A `rootfs` that names its layer by another algorithm than everybody's."""
    return {"type": "layers", "diff_ids": [str(digest_of(layer, "sha512"))]}


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_pushed_image_is_the_archives_image_down_to_the_last_byte(
    shape: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """Whatever wrote the archive and however it travels, what others pull is what was saved."""
    archive = tmp_path / "app.tar"
    SHAPES[shape](archive)
    options = PushOptions(compression=compression)
    pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    stored = site.reader.prove(site.path, "1.0", read_archive(archive)[0])
    assert str(pushed.digest) == stored.digest
    assert set(stored.codecs) == {"gzip" if shape.endswith("with gzip") else compression}
    assert stored.manifest["mediaType"] == (
        DOCKER if shape.startswith("legacy") and "zstd" not in stored.codecs else OCI
    )
    assert stored.layers[0] == stored.layers[-1]
    assert len({blob.descriptor.digest for blob in pushed.blobs}) == len(pushed.blobs) == 5
    if site.embedded is not None:
        counts = site.embedded.counts()
        assert (counts.blob_bytes_in, counts.uploads_open) == (pushed.sent, 0)


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_an_archive_that_somebody_compressed_gives_the_same_image(
    wrapper: str, site: Site, client: Client, tmp_path: Path
) -> None:
    """People keep archives as `app.tar.gz`, and expect no difference."""
    plain, wrapped = tmp_path / "app.tar", tmp_path / f"app.tar.{wrapper}"
    write_docker_save(plain, small("app:1.0"))
    wrapped.write_bytes(WRAPPERS[wrapper](plain.read_bytes()))
    first = await unwrap(push(client, docker_save(plain), f"{site.repository}:plain"))
    second = await unwrap(push(client, docker_save(wrapped), f"{site.repository}:{wrapper}"))
    assert first.digest == second.digest
    site.reader.prove(site.path, wrapper, read_archive(plain)[0])


@pytest.mark.parametrize(("choice", "found"), [("app:2.0", 1), (0, 0), ("2", 2), ("example.test/other:1.0", 2)])
async def test_one_image_of_several_is_chosen_by_its_tag_or_its_position(
    choice: str | int, found: int, site: Site, client: Client, tmp_path: Path
) -> None:
    """One archive often holds a whole release."""
    archive = tmp_path / "release.tar"
    write_docker_save(
        archive, small("app:1.0"), small("app:2.0", "app:latest", text="two"), small("example.test/other:1.0", text="x")
    )
    await unwrap(push(client, docker_save(archive, image=choice), f"{site.repository}:chosen"))
    site.reader.prove(site.path, "chosen", read_archive(archive)[found])


LAYER = sample_layer({"etc/motd": b"hello" * 20_000})
UNUSUAL = {
    "no layers at all": Save(layers=()),
    "a layer of no bytes": Save(layers=(LAYER, b"")),
    "a layer of no files": Save(layers=(LAYER, bytes(1024))),
    "diff_ids by sha512": Save(layers=(LAYER,), config_raw=config([], rootfs=by_sha512(LAYER))),
    "a layer that is called config": Save(layers=(LAYER,), layer_names=("config",)),
    "no tag": Save(layers=(LAYER,), tags=None),
}


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("what", UNUSUAL)
async def test_an_unusual_image_is_pushed_like_any_other(
    what: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """`FROM scratch` with nothing but labels is an image, and builders write stranger ones."""
    archive, options = tmp_path / "app.tar", PushOptions(compression=compression)
    archive.write_bytes(bytes(UNUSUAL[what]))
    pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    assert len(pushed.blobs) == 1 + len(UNUSUAL[what].layers)
    site.reader.prove(site.path, "1.0", read_archive(archive)[0])


async def test_an_image_of_127_layers_costs_few_requests_each(site: Site, client: Client, tmp_path: Path) -> None:
    """As many layers as Docker allows: the questions grow with the layers, and no faster."""
    archive = tmp_path / "deep.tar"
    layers = [sample_layer({f"etc/{number}": bytes([number])}) for number in range(127)]
    write_docker_save(archive, sample_image("app:1.0", layers=layers))
    pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0"))
    if site.embedded is not None:
        assert site.embedded.counts().requests <= 3 * len(pushed.blobs) + 5
        assert site.embedded.counts().peak_in_flight <= 6
    site.reader.prove(site.path, "1.0", read_archive(archive)[0])


@pytest.mark.parametrize(("shape", "compression"), [("legacy", "gzip"), ("OCI", "zstd"), ("OCI with gzip", "none")])
async def test_two_machines_that_push_one_archive_name_it_by_one_digest(
    shape: str, compression: Compression, site: Site, tmp_path: Path
) -> None:
    """A digest that depends on who pushed cannot be compared, pinned or signed."""
    archive = tmp_path / "app.tar"
    SHAPES[shape](archive)
    digests = set()
    for number, small_blob in enumerate((0, 64 * 1024, 16 * 1024 * 1024)):
        async with connect(Settings(cache=False, small_blob=small_blob)) as machine:
            options = PushOptions(compression=compression, concurrency=number + 1)
            target = f"{site.repository}/{number}:1.0"
            digests.add((await unwrap(push(machine, docker_save(archive), target, options=options))).digest)
    assert len(digests) == 1


async def test_the_layouts_of_one_image_become_the_same_layers(site: Site, client: Client, tmp_path: Path) -> None:
    """Who updates Docker finds the layers of the last push still there."""
    layers = []
    for number, shape in enumerate(("legacy", "legacy with hard links", "OCI")):
        SHAPES[shape](tmp_path / shape)
        pushed = await unwrap(push(client, docker_save(tmp_path / shape), f"{site.repository}:{number}"))
        layers.append([blob.descriptor.digest for blob in pushed.blobs])
    assert layers[0] == layers[1] == layers[2]
    for number, shape in enumerate(("legacy", "legacy with hard links", "OCI")):
        site.reader.prove(site.path, str(number), read_archive(tmp_path / shape)[0])


async def test_many_pushes_at_once_on_one_client_send_each_blob_once(
    site: Site, client: Client, tmp_path: Path
) -> None:
    """A service pushes for many users at once, and most images share their lower layers."""
    archives = [tmp_path / f"{seed}.tar" for seed in range(3)]
    for seed, archive in enumerate(archives):
        write_docker_save(archive, image("app:1.0", seed=seed), layout="legacy" if seed == 1 else "oci")
    jobs = [(archive, f"{number}-{archive.stem}") for number in range(3) for archive in archives]
    pushes = [push(client, docker_save(archive), f"{site.repository}:{tag}") for archive, tag in jobs]
    done = await asyncio.gather(*(unwrap(each) for each in pushes))
    for archive, tag in jobs:
        site.reader.prove(site.path, tag, read_archive(archive)[0])
    if site.embedded is not None:
        counts = site.embedded.counts()
        sizes = {blob.descriptor.digest: blob.descriptor.size for pushed in done for blob in pushed.blobs}
        assert (counts.blob_bytes_in, counts.uploads_open) == (sum(sizes.values()), 0)


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
async def test_a_registry_may_have_an_ipv6_address(client: Client, tmp_path: Path) -> None:
    """`[::1]:5000/app` is a reference like any other."""
    archive = tmp_path / "app.tar"
    write_docker_save(archive, small("app:1.0"))
    with running_registry(host="::1") as registry:
        await unwrap(push(client, docker_save(archive), f"{registry.host}/app:1.0"))
        Reader(registry.host).prove("app", "1.0", read_archive(archive)[0])
