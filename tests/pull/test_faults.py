"""Whatever goes wrong on the way: the error says what, and nothing stands under the archive's name."""

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Settings,
    connect,
    digest_of,
    docker_save,
    put_blob,
    settle,
    unwrap,
)
from registry_fp.archive.source import ImageSource, oci_layout
from registry_fp.domain.errors import (
    ConnectionLost,
    DigestMismatch,
    InvalidImage,
    MediaTypeMismatch,
    NotFound,
    Reason,
    SizeMismatch,
    Unsupported,
)
from registry_fp.effect.exits import Err
from registry_fp.pipelines.pull import PullOptions, pull
from registry_fp.testing import Answer, Corrupt, DropAfter, EmbeddedRegistry, Fault, Stall
from tests.acceptance.images import image, small
from tests.pull.publishing import OCI, index, publish, publish_image
from tests.pull.reading import EMPTY_TAR, files_of, names_in, read_saved

PLACES: dict[str, Callable[[Path], ImageSource]] = {
    "docker archive": lambda folder: docker_save(folder / "app.tar"),
    "layout archive": lambda folder: oci_layout(folder / "layout.tar"),
}
LAYER = digest_of(gzip.compress(small().layers[0], 1, mtime=0))
WIRE: dict[str, tuple[Fault, type[object]]] = {
    "cut": (Fault(DropAfter(10), "GET", "end-2", LAYER.hex), ConnectionLost),
    "a flipped bit": (Fault(Corrupt(5), "GET", "end-2", LAYER.hex), DigestMismatch),
    "too short": (Fault(Answer(200, {}, b"short"), "GET", "end-2", LAYER.hex), SizeMismatch),
    "too long": (Fault(Answer(200, {}, bytes(10_000)), "GET", "end-2", LAYER.hex), SizeMismatch),
    "gone": (Fault(Answer(404), "GET", "end-2", LAYER.hex), NotFound),
    "a manifest with a flipped bit": (Fault(Corrupt(60), "GET", "end-3"), object),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", WIRE)
async def test_a_fault_of_the_wire_leaves_nothing_under_the_name(
    fault: str, place: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """And when the fault is gone, the same pull succeeds."""
    name, to = f"{embedded_registry.host}/app@", PLACES[place](tmp_path)
    made = await publish_image(client, name, small())
    name += str(made.digest)
    embedded_registry.set_faults(WIRE[fault][0])
    out = await settle(pull(client, name, to))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, WIRE[fault][1])
    assert [file for file in names_in(tmp_path) if not file.startswith(".")] == []
    embedded_registry.set_faults()
    await unwrap(pull(client, name, to))
    assert names_in(tmp_path) == [Path(to.path).name]


async def _false_diff_id(client: Client, name: str) -> Reason:
    good, other = small(), small(text="other")
    await publish_image(client, name, good, config=other.config)
    told = f"expected {other.diff_ids[0]}, found {good.diff_ids[0]}"
    return InvalidImage("diff_id mismatch", str(LAYER), told)


async def _too_few_diff_ids(client: Client, name: str) -> Reason:
    await publish_image(client, name, image("app:1"), config=small().config)
    return InvalidImage("layer count", str(small().config_digest), "5 layers and 1 diff_ids")


async def _two_diff_ids_of_one_layer(client: Client, name: str) -> Reason:
    one, two = small(), small(text="other")
    config = image("app:1", seed=3).config
    document = json.loads(config)
    document["rootfs"]["diff_ids"] = [str(one.diff_ids[0]), str(two.diff_ids[0])]
    packed = gzip.compress(one.layers[0], 1, mtime=0)
    await publish_image(client, name, one, config=json.dumps(document).encode(), layers=[packed, packed])
    return InvalidImage("diff_id mismatch", str(LAYER), "one layer has two of them")


async def _cut_gzip(client: Client, name: str) -> Reason:
    packed = gzip.compress(small().layers[0], 1, mtime=0)[:-20]
    await publish_image(client, name, small(), layers=[packed])
    return InvalidImage("bad layer", str(digest_of(packed)), "the compressed stream is cut short")


async def _broken_gzip(client: Client, name: str) -> Reason:
    packed = bytearray(gzip.compress(image("app:1").layers[0], 1, mtime=0))
    packed[len(packed) // 2] ^= 0xFF
    await publish_image(client, name, small(), layers=[bytes(packed)])
    return InvalidImage("bad layer", str(digest_of(bytes(packed))))


async def _artifact(client: Client, name: str) -> Reason:
    await publish_image(client, name, small(), config_type="application/vnd.test.config+json")
    return Unsupported("a docker archive of an artifact that is no image; an OCI layout holds it")


async def _foreign_layer(client: Client, name: str) -> Reason:
    await publish_image(client, name, small(), layer_type=f"{OCI}.layer.nondistributable.v1.tar+gzip")
    return Unsupported("a docker archive without the layers that may not be distributed; ask for them as well")


async def _an_index_where_an_image_was_promised(client: Client, name: str) -> Reason:
    made = await publish_image(client, name.rpartition(":")[0] + "@", small())
    inner = await publish(client, name.rpartition(":")[0] + "@", index((made, "linux/amd64")))
    false = inner.model_copy(update={"media_type": f"{OCI}.manifest.v1+json"})
    await publish(client, name, index((false, "linux/amd64")))
    return MediaTypeMismatch(f"{OCI}.manifest.v1+json", f"{OCI}.index.v1+json")


LIES = {
    "a false diff_id": _false_diff_id,
    "too few diff_ids": _too_few_diff_ids,
    "two diff_ids of one layer": _two_diff_ids_of_one_layer,
    "gzip that is cut short": _cut_gzip,
    "gzip that is broken": _broken_gzip,
    "an artifact": _artifact,
    "a foreign layer": _foreign_layer,
    "an index where an image was promised": _an_index_where_an_image_was_promised,
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_image_that_is_not_what_it_says_is_no_docker_archive(
    lie: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Every digest of the registry is right here, and the image is still wrong; an older archive stays as it is."""
    (tmp_path / "app.tar").write_bytes(EMPTY_TAR)
    name = f"{embedded_registry.host}/app:1"
    expected = await LIES[lie](client, name)
    options = PullOptions(platform="linux/amd64" if "index" in lie else "local")
    out = await settle(pull(client, name, docker_save(tmp_path / "app.tar"), options=options))
    assert isinstance(out, Err)
    found = out.error.reason
    if isinstance(found, InvalidImage) and lie == "gzip that is broken":
        found = InvalidImage(found.kind, found.member)  # what the engine says is the engine's
    assert found == expected
    assert (tmp_path / "app.tar").read_bytes() == EMPTY_TAR


async def test_foreign_layers_come_when_they_are_asked_for(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Some registries do hold them, and an archive for a machine without a network needs them."""
    name = f"{embedded_registry.host}/app:1"
    packed = gzip.compress(small().layers[0], 1, mtime=0)
    await unwrap(put_blob(client, name.rpartition(":")[0], packed))
    await _foreign_layer(client, name)
    plain = await unwrap(pull(client, name, oci_layout(tmp_path / "without.tar")))
    assert [blob.outcome for blob in plain.blobs] == ["fetched", "referenced"]
    for to in (docker_save(tmp_path / "app.tar"), oci_layout(tmp_path / "layout.tar")):
        await unwrap(pull(client, name, to, options=PullOptions(foreign=True)))
    assert read_saved(tmp_path / "app.tar").layers == small().layers
    assert packed in files_of(tmp_path / "layout.tar").values()


async def test_a_layer_that_is_foreign_in_one_place_only_is_fetched(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """An index can list two images of one layer that do not call it the same; one of them needs its bytes."""
    repository = f"{embedded_registry.host}/app"
    packed = gzip.compress(small().layers[0], 1, mtime=0)
    plain = await publish_image(client, f"{repository}@", small())
    foreign_type = f"{OCI}.layer.nondistributable.v1.tar+gzip"
    foreign = await publish_image(client, f"{repository}@", small(), layer_type=foreign_type)
    await publish(client, f"{repository}:1", index((plain, "linux/amd64"), (foreign, "linux/arm64")))
    await unwrap(pull(client, f"{repository}:1", oci_layout(tmp_path / "l.tar"), options=PullOptions(platform="all")))
    assert packed in files_of(tmp_path / "l.tar").values()


@pytest.mark.parametrize("place", PLACES)
async def test_a_pull_that_is_cancelled_ends_and_the_next_one_goes_on(
    place: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """A service that shuts down leaves no half archive, and does not fetch again what it had."""
    sample, to, name = image("app:1.0"), PLACES[place](tmp_path), f"{embedded_registry.host}/app:1"
    await publish_image(client, name, sample)
    last = digest_of(gzip.compress(sample.layers[3], 1, mtime=0))
    embedded_registry.set_faults(Fault(Stall(5), "GET", "end-2", last.hex))
    waiting = asyncio.Event()

    def watch(event: object) -> None:
        if getattr(event, "blob", None) == str(last):
            waiting.set()

    options = PullOptions(concurrency=1, on_event=watch)
    job = asyncio.create_task(pull(client, name, to, options=options).awaitable())
    await waiting.wait()
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
    assert names_in(tmp_path) == [f".{Path(to.path).name}.partial"]
    embedded_registry.set_faults()
    done = await unwrap(pull(client, name, to))
    assert {blob.outcome for blob in done.blobs} >= {"exists", "fetched"}
    assert names_in(tmp_path) == [Path(to.path).name]


@pytest.mark.parametrize("place", PLACES)
async def test_a_cancellation_at_any_moment_leaves_a_whole_archive_or_none(
    place: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Also while the hidden folder is being taken, or removed: nothing stays locked or open."""
    to, name = PLACES[place](tmp_path), f"{embedded_registry.host}/app:1"
    await publish_image(client, name, small())
    for turns in range(1, 121, 3):
        job = asyncio.create_task(pull(client, name, to).awaitable())
        for _ in range(turns):
            await asyncio.sleep(0)
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
        if Path(to.path).name in names_in(tmp_path):
            files_of(Path(to.path))
    await unwrap(pull(client, name, to))
    assert names_in(tmp_path) == [Path(to.path).name]


@pytest.mark.parametrize("place", PLACES)
async def test_a_layer_that_is_cut_twice_is_continued(
    place: str, embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """A long download over a poor line ends, and nothing of it comes twice."""
    sample, name = image("app:1.0"), f"{embedded_registry.host}/app:1"
    largest = max((gzip.compress(layer, 1, mtime=0) for layer in sample.layers), key=len)
    async with connect(Settings(retries=2, cache=False)) as client:
        await publish_image(client, name, sample)
        cut = DropAfter(len(largest) // 3)
        embedded_registry.set_faults(Fault(cut, "GET", "end-2", digest_of(largest).hex, nth=(1, 2)))
        embedded_registry.reset_counts()
        done = await unwrap(pull(client, name, PLACES[place](tmp_path)))
    assert embedded_registry.counts().by_status[206] == 2
    assert embedded_registry.counts().blob_bytes_out <= done.moved * 1.1
    assert names_in(tmp_path) == [Path(done.path).name]


async def test_staged_content_that_was_changed_is_fetched_again(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """What an interrupted pull left has lain on a disk since; only its digest says what it is."""
    sample, name = image("app:1.0"), f"{embedded_registry.host}/app:1"
    await publish_image(client, name, sample)
    folder = tmp_path / ".app.tar.partial"
    folder.mkdir(0o700)
    for layer in sample.layers:
        (folder / f"sha256-{digest_of(layer).hex}").write_bytes(layer[:-1] + b"x")
    (folder / f"sha256-{'0' * 64}").write_bytes(b"of another image")
    done = await unwrap(pull(client, name, docker_save(tmp_path / "app.tar")))
    assert {blob.outcome for blob in done.blobs} == {"fetched"}
    assert read_saved(tmp_path / "app.tar").layers == sample.layers
    assert names_in(tmp_path) == ["app.tar"]


@pytest.mark.parametrize("place", PLACES)
async def test_a_disk_that_takes_no_more_leaves_nothing_under_the_name(
    place: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """While staging, and while packing: the limit is above each layer, and below the archive."""
    sample, name = image("app:1.0"), f"{embedded_registry.host}/app:1"
    await publish_image(client, name, sample)
    to = PLACES[place](tmp_path)
    for limit in (100_000, max(map(len, sample.layers)) + 1000):
        command = [sys.executable, "-m", "tests.pull.limited", str(limit), name, to.path]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert done.returncode == 74, done.stderr
        assert [file for file in names_in(tmp_path) if not file.startswith(".")] == []
    await unwrap(pull(client, name, to))
    assert names_in(tmp_path) == [Path(to.path).name]
