"""Uploads in registries that take bytes in their own way: they are sent all the same, and nothing is left open."""

from pathlib import Path
from typing import Any

import pytest

from registry_fp import Client, Settings, anonymous, connect, copy, docker_save, push, unwrap
from registry_fp.testing import running_registry
from tests.copy import made
from tests.profiles.journey import proven, round_trip
from tests.profiles.kind import CUT_LIMIT, LIMIT, kind, saved_image
from tests.transport.clocks import InstantClock

FACTS: dict[str, dict[str, Any]] = {
    "201 to a PATCH": {"patch_status": 201},
    "204 to a PATCH": {"patch_status": 204},
    "one chunk and no second": {"patch_status": 201, "accepts_chunked": False, "status": False},
    "no Range": {"range_of": "none"},
    "a Range of the chunk": {"range_of": "chunk"},
    "a smallest chunk": {"min_chunk": LIMIT // 3},
    "a smallest chunk, and the largest": {"min_chunk": LIMIT // 3, "max_body": LIMIT},
    "a body of at most, by 413": {"max_body": LIMIT},
    "a body of at most, by 416": {"max_body": LIMIT, "too_large": 416},
    "a body of at most, by a cut": {"max_body": CUT_LIMIT, "too_large": "reset"},
    "a body of at most, by a cut, and a lost session": {"max_body": CUT_LIMIT, "too_large": "reset", "status": False},
    "a body of at most, by 413, and no status": {"max_body": LIMIT, "status": False},
    "a chunk of at most, by 413": {"max_chunk": LIMIT},
    "a chunk of at most, by 416": {"max_chunk": LIMIT, "too_large": 416},
    "both at most": {"max_body": LIMIT, "max_chunk": LIMIT // 2, "too_large": 416},
    "a body of at most, 201, no Range": {"max_body": LIMIT, "patch_status": 201, "range_of": "none"},
    "a body of at most, a Range of the chunk": {"max_body": LIMIT, "range_of": "chunk"},
    "a body of at most, odd Locations": {"max_body": LIMIT, "location": "elsewhere", "head_digest": False},
    "no HEAD": {"head": 405, "max_body": LIMIT},
    "a length is needed": {"needs_length": True},
    "a length is needed, and a body of at most": {"needs_length": True, "max_body": LIMIT},
}


@pytest.mark.parametrize("fact", FACTS)
async def test_an_image_goes_there_and_back(fact: str, client: Client, tmp_path: Path) -> None:
    """What the registry wants is learned from its answers, with no option set (ocx-sh/ocx#237, openai/tart#159)."""
    with kind(tmp_path / "there", **FACTS[fact]) as there:
        await round_trip(there, client, tmp_path)
        assert there.registry.counts().uploads_open == 0


@pytest.mark.parametrize("fact", FACTS)
async def test_an_index_is_copied_there(fact: str, client: Client, tmp_path: Path) -> None:
    """A blob that comes from another registry is sent as it comes, and has to be asked for again."""
    with kind(tmp_path / "there", **FACTS[fact]) as there:
        layers = ((made.layer(name, 3 * there.limit), name) for name in made.PLATFORMS[:2])
        index = made.index(*(made.image(layer, platform=name) for layer, name in layers))
        with running_registry() as here:
            made.put(here.host, "app", index, "1")
            await unwrap(copy(client, f"{here.host}/app:1", f"{there.host}/app:1"))
        assert there.registry.counts().uploads_open == 0
        with there.seen_plainly() as plain:
            made.check(plain.host, "app", index, "1")


@pytest.mark.parametrize("fact", FACTS)
async def test_layers_that_are_compressed_on_the_way_are_sent_too(fact: str, tmp_path: Path) -> None:
    """Of those nobody knows the length beforehand, and with one blob at a time each finds out by itself."""
    settings = Settings(small_blob=1024, concurrency=1)
    with kind(tmp_path / "there", **FACTS[fact]) as there:
        saved_image(tmp_path / "app.tar", there.limit)
        async with connect(settings, keychain=anonymous, clock=InstantClock().clock) as client:
            pushed = await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{there.host}/team/app:1.0"))
        proven(there, tmp_path, str(pushed.digest))
        assert there.registry.counts().uploads_open == 0


async def test_a_limit_is_learned_once(client: Client, tmp_path: Path) -> None:
    """Every layer after the first knows it, so that no body is sent to be refused (regclient/regclient#1028)."""
    images = [made.image(made.layer(f"layer {number}", 3 * LIMIT), platform="linux/amd64") for number in range(4)]
    with kind(tmp_path / "there", max_body=LIMIT) as there:
        with running_registry() as here:
            for number, image in enumerate(images):
                made.put(here.host, "app", image, str(number))
                await unwrap(copy(client, f"{here.host}/app:{number}", f"{there.host}/app:{number}"))
        refused = [each for each in there.registry.requests if each.status == 413]
        assert 0 < len(refused) <= 4  # as many as it takes to halve the first attempt down to the limit, if at all
        size = sum(len(layer) for image in images for layer in image.blobs.values())
        assert there.registry.counts().blob_bytes_in <= 2.1 * size
