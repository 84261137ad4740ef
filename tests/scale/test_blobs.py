"""One manifest of a thousand blobs, and images of as many layers as a container may have."""

from pathlib import Path

import pytest

from registry_fp import Client, docker_save, get_manifest, push, put_manifest, unwrap
from registry_fp.pipelines.copy import copy
from registry_fp.testing import running_registry, sample_image, sample_layer, write_docker_save
from tests.acceptance.reader import Reader, read_archive
from tests.place import Place, fresh
from tests.real.docker_registry import RealRegistry
from tests.scale import filled
from tests.scale.measured_copy import measured_copy
from tests.scale.traffic import connections, reset, traffic

MANY = 1_000
SOME = 100
"""Enough where every request takes a while."""

DEEP = 127
"""The most layers that Docker's overlay2 driver mounts over one another."""

GROWTH_LIMIT = 32 * 2**20


def archive(path: Path, layers: int) -> Path:
    """A `docker save` archive of so many different layers."""
    tars = [sample_layer({f"etc/{number}": b"x" * number}) for number in range(layers)]
    return write_docker_save(path, sample_image("app:1.0", layers=tars)).path


async def test_a_manifest_of_a_thousand_blobs_is_read_and_written_as_it_is(client: Client, here: Place) -> None:
    """Its blobs are its registry's business."""
    whole = filled.wide(SOME if here.embedded is None else MANY)
    filled.put(here.host, here.path, whole, "1.0")
    reset(here)
    read = await unwrap(get_manifest(client, f"{here.repository}:1.0"))
    await unwrap(put_manifest(client, f"{here.repository}:2.0", read))
    if here.embedded is not None:
        assert traffic(here) == {"GET end-3": 1, "PUT end-7a": 1}
    filled.check(here.host, here.path, whole, "2.0")


async def test_a_copy_of_very_many_blobs_is_taken_by_a_real_registry(
    client: Client, here: Place, real_registry: RealRegistry
) -> None:
    """From registries of every kind, byte for byte; within one, by mounts."""
    whole, goal = filled.wide(SOME), fresh()
    filled.put(here.host, here.path, whole, "1.0")
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{real_registry.host}/{goal}:1.0"))
    assert (str(copied.digest), len(copied.blobs)) == (whole.digest, SOME + 1)
    assert {blob.outcome for blob in copied.blobs} == {"mounted" if here.embedded is None else "uploaded"}
    filled.check(real_registry.host, goal, whole, "1.0")


@pytest.mark.parametrize("count", [10, MANY])
async def test_every_blob_of_a_copy_costs_the_same(count: int, client: Client, there: Place) -> None:
    """One request to read it, three to write it; and however many there are, no more connections than at once."""
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        whole = filled.wide(count)
        filled.put(here.host, here.path, whole, "1.0")
        reset(here, there)
        await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        blobs = count + 1
        assert traffic(here) == {"GET end-3": 1, "GET end-2": blobs}
        each = {"HEAD end-2": blobs, "POST end-4a": blobs, "PUT end-6": blobs}
        assert traffic(there) == {"HEAD end-3": 2, "PUT end-7a": 1, **each}
        assert max(connections(here), connections(there)) <= client.settings.concurrency
    filled.check(there.host, there.path, whole, "1.0")


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


async def test_an_image_of_very_many_layers_is_pushed_and_nothing_of_it_twice(
    client: Client, here: Place, tmp_path: Path
) -> None:
    """As many layers as can be run: proven to the last byte, and found again by asking once for each."""
    saved = archive(tmp_path / "app.tar", DEEP)
    first = await unwrap(push(client, docker_save(saved), f"{here.repository}:1.0"))
    Reader(here.host).prove(here.path, "1.0", read_archive(saved)[0])
    reset(here)
    second = await unwrap(push(client, docker_save(saved), f"{here.repository}:2.0"))
    assert (second.digest, second.sent) == (first.digest, 0)
    if here.embedded is not None:
        assert traffic(here) == {"HEAD end-2": DEEP + 1, "PUT end-7a": 1, "HEAD end-3": 2}


@pytest.mark.parametrize("layers", [10, MANY])
async def test_every_layer_of_a_push_costs_the_same(layers: int, client: Client, there: Place, tmp_path: Path) -> None:
    """A layer is sent by two requests, and asked for at most twice; however many an archive may have."""
    saved = archive(tmp_path / "app.tar", layers)
    await unwrap(push(client, docker_save(saved), f"{there.repository}:1.0"))
    asked, blobs = traffic(there), layers + 1
    assert asked.pop("HEAD end-2") <= 2 * blobs
    assert asked == {"PUT end-7a": 1, "HEAD end-3": 2, "POST end-4a": blobs, "PUT end-6": blobs}
    assert connections(there) <= client.settings.concurrency
    Reader(there.host).prove(there.path, "1.0", read_archive(saved)[0])


async def test_a_deep_image_goes_from_registry_to_registry_and_is_the_same(
    client: Client, here: Place, there: Place, tmp_path: Path
) -> None:
    """What is pushed in one place and copied to another is still the image of the archive."""
    saved = archive(tmp_path / "app.tar", DEEP)
    pushed = await unwrap(push(client, docker_save(saved), f"{here.repository}:1.0"))
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:2.0"))
    assert copied.digest == pushed.digest
    Reader(there.host).prove(there.path, "2.0", read_archive(saved)[0])
