"""An index of a thousand images: each costs the same as the first, and none of them stays in memory."""

from pathlib import Path

import pytest

from registry_fp import Client, Err, get_manifest, head_manifest, put_manifest, settle, unwrap
from registry_fp.pipelines.copy import copy
from registry_fp.testing import Answer, Fault, running_registry
from tests.copy import made
from tests.place import Place, fresh
from tests.real.docker_registry import RealRegistry
from tests.scale import filled
from tests.scale.measured_copy import measured_copy
from tests.scale.traffic import connections, reset, traffic

MANY = 1_000
SOME = 100
"""Enough where every request takes a while, or where nothing but the order matters."""

GROWTH_LIMIT = 32 * 2**20


async def test_a_thousand_entries_are_read_and_written_as_one_document(client: Client, here: Place) -> None:
    """An index is its bytes: nothing beneath it is looked at, and nothing in it is written anew."""
    whole = filled.index(SOME if here.embedded is None else MANY)
    filled.put(here.host, here.path, whole, "1.0")
    reset(here)
    read = await unwrap(get_manifest(client, f"{here.repository}:1.0"))
    stored = await unwrap(put_manifest(client, f"{here.repository}:2.0", read))
    shown = await unwrap(head_manifest(client, f"{here.repository}:2.0"))
    assert (read.raw, str(stored.digest), shown.size) == (whole.raw, whole.digest, len(whole.raw))
    if here.embedded is not None:
        assert traffic(here) == {"GET end-3": 1, "PUT end-7a": 1, "HEAD end-3": 1}
    filled.check(here.host, here.path, whole, "2.0")


async def test_a_copy_of_very_many_images_is_taken_by_a_real_registry(
    client: Client, here: Place, real_registry: RealRegistry
) -> None:
    """From registries of every kind, byte for byte; within one, by mounts."""
    whole, goal = filled.index(SOME), fresh()
    filled.put(here.host, here.path, whole, "1.0")
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{real_registry.host}/{goal}:1.0"))
    assert (str(copied.digest), len(copied.manifests)) == (whole.digest, SOME + 1)
    assert {blob.outcome for blob in copied.blobs} == {"mounted" if here.embedded is None else "uploaded"}
    filled.check(real_registry.host, goal, whole, "1.0")


@pytest.mark.parametrize("count", [10, MANY])
async def test_every_image_of_an_index_costs_the_same(count: int, client: Client, there: Place) -> None:
    """One request to read a manifest and one to read a blob; to write, one for each answer that is needed."""
    whole = filled.index(count)
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        filled.put(here.host, here.path, whole, "1.0")
        reset(here, there)
        await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        manifests, blobs = count + 1, count + 1
        assert traffic(here) == {"GET end-3": manifests, "GET end-2": blobs}
        assert traffic(there) == {
            "HEAD end-3": manifests + 1,  # is it there? and of the root, at last: is it there now?
            "HEAD end-2": blobs,
            "POST end-4a": blobs,
            "PUT end-6": blobs,
            "PUT end-7a": manifests,
        }
        assert max(connections(here), connections(there)) <= client.settings.concurrency
    filled.check(there.host, there.path, whole, "1.0")


@pytest.mark.parametrize("count", [10, SOME])
async def test_within_a_registry_every_blob_is_mounted_and_none_is_read(count: int, client: Client) -> None:
    """An index changes its repository without one byte of a layer."""
    whole = filled.index(count)
    with running_registry() as embedded:
        here = Place(embedded.host, "one", embedded)
        filled.put(here.host, here.path, whole, "1.0")
        reset(here)
        await unwrap(copy(client, f"{here.repository}:1.0", f"{here.host}/two:1.0"))
        counts = embedded.counts()
        assert (counts.blob_bytes_in, counts.blob_bytes_out) == (0, 0)
        assert counts.requests <= 6 * (count + 1) + 10
        filled.check(here.host, "two", whole, "1.0")


async def test_the_second_copy_of_very_many_images_asks_once_for_each(client: Client, there: Place) -> None:
    """Some registries take an index without what it lists; so each image is asked for, and none of their blobs."""
    with running_registry() as embedded:
        source = f"{embedded.host}/app:1.0"
        filled.put(embedded.host, "app", filled.index(SOME), "1.0")
        await unwrap(copy(client, source, f"{there.repository}:1.0"))
        reset(there)
        embedded.reset_counts()
        await unwrap(copy(client, source, f"{there.repository}:2.0"))
        assert embedded.counts().requests == 1
    assert traffic(there) == {"HEAD end-3": SOME + 2, "GET end-3": 1, "PUT end-7a": 1}


async def test_a_copy_that_broke_in_the_middle_does_not_begin_anew(client: Client, there: Place) -> None:
    """What has arrived is found again: the second run reads no blob, and only what was not stored is put."""
    whole, refused = filled.index(SOME), 60
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        filled.put(here.host, here.path, whole, "1.0")
        assert there.embedded is not None
        there.embedded.set_faults(Fault(Answer(403), endpoint="end-7a", nth=tuple(range(refused, 2 * SOME))))
        broken = await settle(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        assert isinstance(broken, Err)
        assert made.request(there.host, "HEAD", f"/v2/{there.path}/manifests/1.0")[0] == 404
        there.embedded.set_faults()
        reset(here, there)
        again = await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        assert again.moved == 0
        assert "GET end-2" not in traffic(here)
        assert traffic(there)["PUT end-7a"] == SOME + 1 - (refused - 1)
    filled.check(there.host, there.path, whole, "1.0")


async def test_one_image_that_is_listed_ten_thousand_times_is_one_image(client: Client, there: Place) -> None:
    """A small document must not be able to order ten thousand downloads."""
    image = filled.image(0)
    whole = made.index(*[image] * 10_000)
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        filled.put(here.host, here.path, whole, "1.0")
        reset(here)
        await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
        assert traffic(here) == {"GET end-3": 2, "GET end-2": 2}
    filled.check(there.host, there.path, whole, "1.0")


def test_the_memory_of_a_copy_does_not_grow_with_the_images(tmp_path: Path) -> None:
    """A thousand manifests are a few hundred kilobytes; what is done with each must not stay behind."""
    whole = filled.index(MANY)
    with running_registry(tmp_path / "here") as here, running_registry() as there:
        filled.put(here.host, "app", whole, "1.0")
        cost = measured_copy(f"{here.host}/app:1.0", f"{there.host}/app:1.0")
        assert (cost.ended, cost.moved) == (whole.digest, sum(map(len, whole.content.values())))
        assert cost.grown < GROWTH_LIMIT
        filled.check(there.host, "app", whole, "1.0")
