"""Mirrors that give wrong bytes, or break off: what is kept is the image, from wherever it had to come."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Op,
    RegistryError,
    consume_blob,
    copy,
    docker_save,
    get_blob,
    get_manifest,
    inspect,
    list_files,
    oci_layout,
    pull,
    pull_artifact,
    push_artifact,
    read_file,
    settle,
    unwrap,
)
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err
from registry_fp.protocol.message import Chunks
from registry_fp.testing import Answer, Corrupt, Drop, DropAfter, EmbeddedRegistry, Fault, running_registry
from registry_fp.testing.faults import Action
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.mirror import DISTRUST_SECONDS
from tests.copy.made import check, sha256
from tests.download.taking import Taken, take
from tests.mirrors.conftest import IMAGE, PATH, Connecting, Places, fill, opened
from tests.mirrors.test_places import holds_image
from tests.pull.reading import read_saved
from tests.transport.clocks import InstantClock

DIGESTS = {len(content): digest for digest, content in IMAGE.blobs.items()}
LARGE = DIGESTS[max(DIGESTS)]
CONFIG = DIGESTS[min(DIGESTS)]

READS: dict[str, Callable[[Client, Places, Path], Op[Any]]] = {
    "blob": lambda client, places, _: get_blob(client, places.repository, LARGE),
    "manifest": lambda client, places, _: get_manifest(client, places.name),
    "layout folder": lambda client, places, to: pull(client, places.name, oci_layout(to / "app")),
    "layout archive": lambda client, places, to: pull(client, places.name, oci_layout(to / "app.tar")),
    "docker archive": lambda client, places, to: pull(client, places.name, docker_save(to / "app.tar")),
    "copy": lambda client, places, _: copy(client, places.name, f"{places.second.host}/copied:1"),
    "inspect": lambda client, places, _: inspect(client, places.name, platform="linux/amd64"),
    "files": lambda client, places, _: list_files(client, places.name, platform="linux/amd64"),
    "file": lambda client, places, _: read_file(client, places.name, "usr", platform="linux/amd64"),
}


@pytest.mark.parametrize("at", [0, 20, 100_000])
@pytest.mark.parametrize("verb", READS)
async def test_content_is_fetched_again_from_the_next_place(
    places: Places, connecting: Connecting, tmp_path: Path, verb: str, at: int
) -> None:
    """A cache whose disk is bad has nothing that is worth having; what is proven comes from elsewhere."""
    endpoint = "end-3" if verb == "manifest" else "end-2"
    places.first.set_faults(Fault(Corrupt(at), endpoint=endpoint, method="GET"))
    async with connecting(places.first.host) as client:
        made = await unwrap(READS[verb](client, places, tmp_path))
        assert places.asked()["first"] > 0
    if verb == "blob":
        assert sha256(made) == LARGE
    if verb == "layout folder":
        assert holds_image(tmp_path / "app")
    if verb == "docker archive":
        assert sha256(read_saved(tmp_path / "app.tar").config) == CONFIG


async def test_a_copy_is_of_the_right_bytes(places: Places, connecting: Connecting, clock: InstantClock) -> None:
    """Wrong ones go as far as the target, which does not take them; and nothing is left open there."""
    places.first.set_faults(Fault(Corrupt(5_000), endpoint="end-2", method="GET"))
    with running_registry() as target:
        async with connecting() as client:
            await unwrap(copy(client, places.name, f"{target.host}/copied:1"))
        check(target.host, "copied", IMAGE, "1")
        assert target.counts().uploads_open == 0
    assert places.asked()["origin"] == 0


async def test_a_mirror_that_lied_is_left_alone_for_a_while(
    places: Places, connecting: Connecting, clock: InstantClock
) -> None:
    """Every one of its answers costs a whole blob until it is found out."""
    places.first.set_faults(Fault(Corrupt(), endpoint="end-2", method="GET", nth=(1,)))
    async with connecting() as client:
        for passed in (0, DISTRUST_SECONDS - 1, 1):
            clock.passed += passed
            assert sha256(await unwrap(get_blob(client, places.repository, LARGE))) == LARGE
    assert places.asked() == {"origin": 0, "first": 2, "second": 2}


async def test_a_stream_that_was_wrong_says_so_and_comes_from_elsewhere_when_it_is_asked_for_again(
    places: Places, connecting: Connecting
) -> None:
    """Who uses a stream has used it when it turns out to be wrong: it is not called again without its knowledge."""
    used: list[bytes] = []

    async def use(chunks: Chunks) -> Result[None, RegistryError]:
        used.append(b"")
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            used[-1] += chunk.unwrap()
        return Success(None)

    places.first.set_faults(Fault(Corrupt(), endpoint="end-2", method="GET"))
    async with connecting(places.first.host) as client:
        out = await settle(consume_blob(client, places.repository, LARGE, use))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.DigestMismatch)
        assert len(used) == 1
        await unwrap(consume_blob(client, places.repository, LARGE, use))
    assert sha256(used[1]) == LARGE


async def test_where_everybody_is_wrong_nothing_is_kept(places: Places, connecting: Connecting, tmp_path: Path) -> None:
    """And each place was asked once, the registry last."""
    for each in (places.first, places.second, places.origin):
        each.set_faults(Fault(Corrupt(50_000), endpoint="end-2", path=LARGE))
    async with connecting() as client:
        out = await settle(get_blob(client, places.repository, LARGE))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.DigestMismatch)
        assert places.asked() == {"origin": 1, "first": 1, "second": 1}
        assert isinstance(await settle(pull(client, places.name, docker_save(tmp_path / "app.tar"))), Err)
    assert not (tmp_path / "app.tar").exists()


async def test_files_of_an_artifact_are_the_right_ones(
    places: Places, connecting: Connecting, clock: InstantClock, tmp_path: Path
) -> None:
    """They are seen when all of them are there, and those that were wrong are never seen."""
    (tmp_path / "from").mkdir()
    names = ["one", "two"]
    for name in names:
        (tmp_path / "from" / name).write_bytes(os.urandom(50_000))
    async with opened(clock, {}) as client:
        for host in (places.origin.host, places.first.host):
            files = [tmp_path / "from" / name for name in names]
            await unwrap(push_artifact(client, files, f"{host}/{PATH}:files"))
    places.first.set_faults(Fault(Corrupt(40_000), endpoint="end-2", method="GET", nth=(2,)))
    async with connecting(places.first.host) as client:
        await unwrap(pull_artifact(client, f"{places.repository}:files", tmp_path / "to"))
    for name in names:
        assert (tmp_path / "to" / name).read_bytes() == (tmp_path / "from" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == names


@pytest.mark.parametrize("size", [0, 300_000, 899_000])
async def test_a_blob_goes_on_at_the_next_place_where_it_broke(
    places: Places, connecting: Connecting, size: int
) -> None:
    """What a mirror gave before it went away is kept, and only the rest is asked for."""
    places.first.set_faults(
        Fault(DropAfter(size), endpoint="end-2", nth=(1,)), Fault(Drop(), endpoint="end-2", nth=tuple(range(2, 9)))
    )
    async with connecting(places.first.host) as client:
        assert sha256(await unwrap(get_blob(client, places.repository, LARGE))) == LARGE
    ranges = [seen.headers.get("Range") for seen in places.origin.requests]
    assert ranges == [f"bytes={size}-" if size else None]
    assert places.origin.counts().blob_bytes_out == len(IMAGE.blobs[LARGE]) - size


async def test_a_mirror_that_breaks_off_now_and_then_is_kept(places: Places, connecting: Connecting) -> None:
    """As long as something comes it is as good as any registry."""
    places.first.set_faults(Fault(DropAfter(200_000), endpoint="end-2"))
    async with connecting(places.first.host) as client:
        assert sha256(await unwrap(get_blob(client, places.repository, LARGE))) == LARGE
    assert places.asked() == {"origin": 0, "first": 5, "second": 0}


@pytest.mark.parametrize("bytes_a_time", [1000, 50_000])
async def test_a_mirror_that_gives_a_little_at_a_time_is_passed_over(
    places: Places, connecting: Connecting, bytes_a_time: int
) -> None:
    """One that always breaks off would otherwise hold up a blob for days, while the registry could give it at once."""
    places.first.set_faults(Fault(DropAfter(bytes_a_time), endpoint="end-2"))
    async with connecting(places.first.host) as client:
        assert sha256(await unwrap(get_blob(client, places.repository, LARGE))) == LARGE
    assert places.asked() == {"origin": 1, "first": 1, "second": 0}
    assert places.origin.counts().blob_bytes_out == len(IMAGE.blobs[LARGE]) - bytes_a_time


async def test_a_blob_of_another_size_is_passed_over_before_any_of_it_is_used(
    places: Places, connecting: Connecting
) -> None:
    """Where the size is known, the head of the answer tells."""
    places.first.set_faults(Fault(Answer(200, {}, b"short"), endpoint="end-2"))
    async with connecting(places.first.host) as client:
        manifest = (await unwrap(get_manifest(client, places.name))).model
        assert not hasattr(manifest, "manifests")
        layer = manifest.layers[-1]
        taken = await take(client, places.repository, layer)
    assert taken == Taken(IMAGE.blobs[str(layer.digest)], None)


def actions() -> st.SearchStrategy[Action]:
    """What can go wrong with an answer."""
    statuses = st.sampled_from([200, 204, 206, 301, 401, 403, 404, 416, 500, 503])
    return (
        st.builds(Corrupt, st.integers(0, 900_000))
        | st.builds(DropAfter, st.integers(0, 900_000))
        | st.builds(Drop, reset=st.booleans())
        | st.builds(Answer, statuses, st.just({}), st.binary(max_size=20))
    )


class TestAnyMirror:
    """One set of registries for many examples."""

    @settings(max_examples=60, derandomize=True)
    @given(plan=st.lists(st.lists(st.tuples(actions(), st.integers(1, 6)), max_size=4), min_size=2, max_size=2))
    async def test_whatever_mirrors_do_the_image_is_the_registrys(
        self, plan: list[list[tuple[Action, int]]], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """With a registry that is in order, no mirror can make a pull fail, or make it wrong."""
        with running_registry() as origin, running_registry() as first, running_registry() as second:
            mirrors: list[EmbeddedRegistry] = [first, second]
            for each in (origin, *mirrors):
                fill(each, IMAGE)
            for each, faults in zip(mirrors, plan, strict=True):
                each.set_faults(*(Fault(action, nth=(nth,)) for action, nth in faults))
            chosen = {origin.host: HostSettings(mirrors=tuple(each.host for each in mirrors))}
            path = tmp_path_factory.mktemp("any") / "app"
            async with opened(InstantClock(), chosen) as client:
                await unwrap(pull(client, f"{origin.host}/{PATH}:1", oci_layout(path)))
            assert holds_image(path)
