"""An archive as of `docker save`: the image keeps its id, its layers and its name, and is always the same bytes."""

import asyncio
import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_fp import Client, Compression, PushOptions, connect, docker_save, push, settle, unwrap
from registry_fp.pipelines.pull import pull
from registry_fp.testing import sample_image
from tests.acceptance.images import SHAPES, image, small
from tests.acceptance.reader import read_archive
from tests.pull.conftest import Site
from tests.pull.publishing import publish_image
from tests.pull.reading import EMPTY_TAR, names_in, read_saved

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda layer: gzip.compress(layer, 1),
    "two members of gzip": lambda layer: gzip.compress(layer[:1000]) + gzip.compress(layer[1000:]),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_what_was_pushed_comes_back(
    shape: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """The same configuration to the byte, the same layers unpacked, and the name that it has in the registry."""
    SHAPES[shape](tmp_path / "app.tar")
    name = f"{site.repository}:1.0"
    options = PushOptions(compression=compression)
    await unwrap(push(client, docker_save(tmp_path / "app.tar"), name, options=options))
    pulled = await unwrap(pull(client, name, docker_save(tmp_path / "pulled.tar")))
    found, saved = read_saved(tmp_path / "pulled.tar"), read_archive(tmp_path / "app.tar")[0]
    assert (found.config, found.layers) == (saved.config, image("app:1.0").layers)
    assert found.entry["RepoTags"] == [name]
    assert {blob.outcome for blob in pulled.blobs} == {"fetched"}
    assert names_in(tmp_path) == ["app.tar", "pulled.tar"]


async def test_from_archive_to_registry_to_archive_not_a_byte_changes(
    site: Site, client: Client, tmp_path: Path
) -> None:
    """What goes round must not wander: the same image is the same file, whenever and wherever it is pulled."""
    SHAPES["legacy"](tmp_path / "app.tar")
    name = f"{site.repository}:1.0"
    await unwrap(push(client, docker_save(tmp_path / "app.tar"), name))
    await unwrap(pull(client, name, docker_save(tmp_path / "one.tar")))
    pushed = await unwrap(push(client, docker_save(tmp_path / "one.tar"), name))
    assert sum(blob.sent for blob in pushed.blobs) == 0
    await unwrap(pull(client, name, docker_save(tmp_path / "two.tar")))
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@pytest.mark.parametrize("way", WAYS)
async def test_a_layer_is_unpacked_by_what_it_is(way: str, site: Site, client: Client, tmp_path: Path) -> None:
    """A media type is a claim, and registries hold layers that are something else; the diff_id decides."""
    sample = image("app:1.0")
    await publish_image(client, f"{site.repository}:1", sample, layers=[WAYS[way](layer) for layer in sample.layers])
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "app.tar")))
    assert read_saved(tmp_path / "app.tar").layers == sample.layers


async def test_an_image_without_layers_is_an_archive_too(site: Site, client: Client, tmp_path: Path) -> None:
    """`FROM scratch` with nothing but a label is an image."""
    await publish_image(client, f"{site.repository}:1", sample_image(layers=[]))
    await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "app.tar")))
    assert read_saved(tmp_path / "app.tar").layers == ()


@pytest.mark.parametrize(
    ("chosen", "tags"),
    [
        (None, None),
        ("app", ["app:latest"]),
        ("docker.io/team/app:2", ["team/app:2"]),
        ("h.example/a:1", ["h.example/a:1"]),
    ],
)
async def test_an_image_is_called_what_one_wants(
    chosen: str | None, tags: list[str] | None, site: Site, client: Client, tmp_path: Path
) -> None:
    """Pulled by digest it has no name; and Docker writes a name without what it fills in again."""
    made = await publish_image(client, f"{site.repository}:1", small())
    name = f"{site.repository}@{made.digest}"
    await unwrap(pull(client, name, docker_save(tmp_path / "app.tar", image=chosen)))
    assert read_saved(tmp_path / "app.tar").entry["RepoTags"] == tags


async def test_an_archive_is_replaced_by_a_whole_one_and_a_link_stays_a_link(
    site: Site, client: Client, tmp_path: Path
) -> None:
    """Who reads `latest.tar` at that moment sees the old one or the new one."""
    (tmp_path / "real.tar").write_bytes(EMPTY_TAR)
    (tmp_path / "latest.tar").symlink_to("real.tar")
    await publish_image(client, f"{site.repository}:1", small())
    with (tmp_path / "real.tar").open("rb") as reader:
        await unwrap(pull(client, f"{site.repository}:1", docker_save(tmp_path / "latest.tar")))
        assert reader.read() == EMPTY_TAR
    assert (tmp_path / "latest.tar").is_symlink()
    assert read_saved(tmp_path / "real.tar").layers == small().layers


async def test_many_pulls_at_once_are_each_whole(site: Site, tmp_path: Path) -> None:
    """A service pulls for several people at once, over one client."""
    sample = image("app:1.0")
    async with connect() as client:
        await publish_image(client, f"{site.repository}:1", sample)
        pulls = [
            settle(pull(client, f"{site.repository}:1", docker_save(tmp_path / f"{number}.tar"))) for number in range(4)
        ]
        await asyncio.gather(*pulls)
    assert {read_saved(tmp_path / f"{number}.tar").layers for number in range(4)} == {sample.layers}
