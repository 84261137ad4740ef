"""One manifest of a thousand blobs, and images of as many layers as a container may have."""

from pathlib import Path

import pytest

from registry_fp import Client, docker_save, get_manifest, push, put_manifest, unwrap
from registry_fp.pipelines.copy import copy
from registry_fp.testing import running_registry, sample_image, sample_layer, write_docker_save
from tests.acceptance.reader import Reader, read_archive
from tests.copy.conftest import Place, fresh
from tests.scale import filled
from tests.scale.measured_copy import measured_copy
from tests.scale.traffic import connections, reset, traffic

MANY = 1_000
DEEP = 127
"""The most layers that Docker's overlay2 driver mounts over one another."""

GROWTH_LIMIT = 32 * 2**20


def archive(path: Path, layers: int) -> Path:
    """A `docker save` archive of so many different layers."""
    tars = [sample_layer({f"etc/{number}": b"x" * number}) for number in range(layers)]
    return write_docker_save(path, sample_image("app:1.0", layers=tars)).path


async def test_a_manifest_of_a_thousand_blobs_is_read_and_written_as_it_is(client: Client, here: Place) -> None:
    """Its blobs are its registry's business."""
    whole = filled.wide(MANY)
    filled.put(here.host, here.path, whole, "1.0")
    reset(here)
    read = await unwrap(get_manifest(client, f"{here.repository}:1.0"))
    await unwrap(put_manifest(client, f"{here.repository}:2.0", read))
    if here.embedded is not None:
        assert traffic(here) == {"GET end-3": 1, "PUT end-7a": 1}
    filled.check(here.host, here.path, whole, "2.0")


async def test_a_copy_of_a_thousand_blobs_arrives_byte_for_byte(client: Client, here: Place, far: Place) -> None:
    """From and to registries of every kind."""
    whole = filled.wide(MANY)
    filled.put(here.host, here.path, whole, "1.0")
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{far.repository}:1.0"))
    assert (str(copied.digest), len(copied.blobs)) == (whole.digest, MANY + 1)
    filled.check(far.host, far.path, whole, "1.0")


@pytest.mark.parametrize("count", [10, MANY])
async def test_every_blob_of_a_copy_costs_the_same(count: int, client: Client, there: Place) -> None:
    """One request to read it, three to write it; and however many there are, no more connections than at once."""
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        filled.put(here.host, here.path, filled.wide(count), "1.0")
        reset(here, there)
        await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        blobs = count + 1
        assert traffic(here) == {"GET end-3": 1, "GET end-2": blobs}
        each = {"HEAD end-2": blobs, "POST end-4a": blobs, "PUT end-6": blobs}
        assert traffic(there) == {"HEAD end-3": 2, "PUT end-7a": 1, **each}
        assert max(connections(here), connections(there)) <= client.settings.concurrency


@pytest.mark.parametrize(("count", "size"), [(MANY, 200_000), (10, 20_000_000)])
def test_the_memory_of_a_copy_does_not_grow_with_its_blobs(count: int, size: int, tmp_path: Path) -> None:
    """200 MB, in many small blobs or a few large ones, through a process that may grow by 32 MiB."""
    whole = filled.wide(count, size)
    with running_registry(tmp_path / "here") as here, running_registry(tmp_path / "there") as there:
        filled.put(here.host, "app", whole, "1.0")
        cost = measured_copy(f"{here.host}/app:1.0", f"{there.host}/app:1.0")
        assert (cost.ended, cost.moved) == (whole.digest, count * size + len(b"{}"))
        assert cost.grown < GROWTH_LIMIT
        filled.check(there.host, "app", whole, "1.0")


@pytest.mark.parametrize("layers", [DEEP, MANY])
async def test_an_image_of_very_many_layers_is_pushed_and_nothing_of_it_twice(
    layers: int, client: Client, here: Place, tmp_path: Path
) -> None:
    """As many layers as can be run, and as many as an archive may have: proven to the last byte."""
    saved = archive(tmp_path / "app.tar", layers)
    first = await unwrap(push(client, docker_save(saved), f"{here.repository}:1.0"))
    Reader(here.host).prove(here.path, "1.0", read_archive(saved)[0])
    reset(here)
    second = await unwrap(push(client, docker_save(saved), f"{here.repository}:2.0"))
    assert (second.digest, second.sent) == (first.digest, 0)
    if here.embedded is not None:
        assert traffic(here) == {"HEAD end-2": layers + 1, "PUT end-7a": 1, "HEAD end-3": 2}


@pytest.mark.parametrize("layers", [10, DEEP])
async def test_every_layer_of_a_push_costs_the_same(layers: int, client: Client, there: Place, tmp_path: Path) -> None:
    """A layer of unknown digest is sent, and asked for once if it was told before; never more than that."""
    saved = archive(tmp_path / "app.tar", layers)
    await unwrap(push(client, docker_save(saved), f"{there.repository}:1.0"))
    asked = traffic(there)
    assert asked.pop("HEAD end-2") <= 2 * (layers + 1)
    blobs = {"POST end-4a": layers + 1, "PUT end-6": layers + 1}
    assert asked == {"PUT end-7a": 1, "HEAD end-3": 2, **blobs}
    assert connections(there) <= client.settings.concurrency


@pytest.mark.parametrize("layers", [DEEP])
async def test_a_deep_image_goes_from_registry_to_registry_and_is_the_same(
    layers: int, client: Client, here: Place, far: Place, tmp_path: Path
) -> None:
    """What is pushed in one place and copied to another is still the image of the archive."""
    saved = archive(tmp_path / "app.tar", layers)
    pushed = await unwrap(push(client, docker_save(saved), f"{here.repository}:1.0"))
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{far.repository}:2.0"))
    assert copied.digest == pushed.digest
    Reader(far.host).prove(far.path, "2.0", read_archive(saved)[0])
