"""Archives of a containerd store list what they do not hold: that is refused, or repaired, and never guessed."""

import json
from pathlib import Path

import pytest

from registry_fp import Client, Err, MissingContent, PushOptions, oci_layout, push, settle, unwrap
from registry_fp.testing import sample_image, write_docker_save
from tests.copy.made import INDEX, Made, check, image, index, layer
from tests.copy.made import request as ask
from tests.layout.written import blob, containerd_index, pack, write_layout
from tests.place import Place

SEVEN = tuple(f"linux/{name}" for name in ("amd64", "386", "arm64/v8", "arm/v7", "arm/v6", "s390x", "ppc64le"))
PRESENT = PushOptions(missing="present")


def _images() -> tuple[Made, ...]:
    return tuple(image(layer(name), platform=name) for name in SEVEN)


def _saved(folder: Path, made: Made, *kept: Made) -> Path:
    """A layout as containerd exports it: the index whole, and of what it lists only some."""
    write_layout(folder, made)
    needed = {name for each in kept for name in (each.digest, *each.blobs)} | {made.digest}
    for path in (folder / "blobs" / "sha256").iterdir():
        if f"sha256:{path.name}" not in needed:
            path.unlink()
    return folder


@pytest.mark.parametrize("packed", [False, True])
async def test_strictly_everything_that_is_not_there_is_listed_before_any_request(
    packed: bool, client: Client, place: Place, tmp_path: Path
) -> None:
    """Whoever saved it can see at once what to fetch; and half an image is never in the registry."""
    images = _images()
    made = containerd_index(images)
    path = _saved(tmp_path / "app", made, images[2])
    lost = next(digest for digest, content in images[2].blobs.items() if content == layer(SEVEN[2]))
    blob(path, lost).unlink()
    source = oci_layout(pack(path, tmp_path / "app.tar") if packed else path)
    done = await settle(push(client, source, f"{place.repository}:1.0"))
    assert isinstance(done, Err)
    assert isinstance(done.error.reason, MissingContent)
    absent = {each.digest for each in made.listed if each is not images[2]} | {lost}
    assert {str(digest) for digest in done.error.reason.digests} == absent
    assert place.embedded is not None
    assert place.embedded.counts().requests == 0


async def test_one_platform_of_seven_is_pushed_with_an_index_of_what_is_there(
    client: Client, anywhere: Place, tmp_path: Path
) -> None:
    """The other platforms and every attestation go, also the one of the image that is there, since it is absent."""
    images = _images()
    made = containerd_index(images, annotations={"kept": "yes"}, unknown=[1, {"a": 1.5}])
    source = oci_layout(pack(_saved(tmp_path / "app", made, images[2]), tmp_path / "app.tar"))
    pushed = await unwrap(push(client, source, f"{anywhere.repository}:1.0", options=PRESENT))
    before = json.loads(made.raw)
    status, headers, body = ask(anywhere.host, "GET", f"/v2/{anywhere.path}/manifests/1.0", headers={"Accept": INDEX})
    after = json.loads(body)
    assert (status, headers["Docker-Content-Digest"]) == (200, str(pushed.digest))
    assert after == before | {"manifests": [before["manifests"][2]]}
    assert list(after) == list(before)
    assert [str(each.digest) for each in pushed.dropped] == [
        each["digest"] for each in before["manifests"] if each["digest"] != images[2].digest
    ]
    check(anywhere.host, anywhere.path, images[2])


async def test_an_attestation_of_an_image_that_is_not_there_goes_with_it(
    client: Client, place: Place, tmp_path: Path
) -> None:
    """It would be about something that nobody can find; that of an image that stays, stays."""
    images = _images()[:3]
    made = containerd_index(images)
    attestations = made.listed[3:]
    folder = _saved(tmp_path / "app", made, images[0], *attestations)
    pushed = await unwrap(push(client, oci_layout(folder), f"{place.repository}:1.0", options=PRESENT))
    _, _, body = ask(place.host, "GET", f"/v2/{place.path}/manifests/1.0", headers={"Accept": INDEX})
    kept = [each["digest"] for each in json.loads(body)["manifests"]]
    assert kept == [images[0].digest, attestations[0].digest]
    assert len(pushed.dropped) == 4
    check(place.host, place.path, images[0])
    check(place.host, place.path, attestations[0])


async def test_an_image_without_one_of_its_layers_is_not_there(client: Client, place: Place, tmp_path: Path) -> None:
    """A manifest whose layer is missing is refused by every registry, so it counts as absent."""
    images = _images()[:2]
    made = index(*images)
    folder = _saved(tmp_path / "app", made, *images)
    blob(folder, next(digest for digest, content in images[0].blobs.items() if content == layer(SEVEN[0]))).unlink()
    pushed = await unwrap(push(client, oci_layout(folder), f"{place.repository}:1.0", options=PRESENT))
    assert [str(each.digest) for each in pushed.dropped] == [images[0].digest]
    assert ask(place.host, "HEAD", f"/v2/{place.path}/manifests/{images[0].digest}")[0] == 404
    check(place.host, place.path, images[1])


async def test_an_index_within_an_index_is_made_anew_and_so_is_the_one_above(
    client: Client, place: Place, tmp_path: Path
) -> None:
    """The outer one points at the inner one's bytes, which are others now."""
    images = _images()[:4]
    inner, hollow = index(*images[:2]), index(images[3])
    made = index(inner, images[2], hollow)
    folder = _saved(tmp_path / "app", made, inner, hollow, images[1], images[2])
    pushed = await unwrap(push(client, oci_layout(folder), f"{place.repository}:1.0", options=PRESENT))
    _, _, body = ask(place.host, "GET", f"/v2/{place.path}/manifests/1.0", headers={"Accept": INDEX})
    first, second = json.loads(body)["manifests"]
    assert second["digest"] == images[2].digest
    _, _, below = ask(place.host, "GET", f"/v2/{place.path}/manifests/{first['digest']}", headers={"Accept": INDEX})
    assert (len(below), [each["digest"] for each in json.loads(below)["manifests"]]) == (
        first["size"],
        [images[1].digest],
    )
    assert {str(each.digest) for each in pushed.dropped} == {images[0].digest, images[3].digest, hollow.digest}


async def test_what_is_whole_is_not_touched(client: Client, place: Place, tmp_path: Path) -> None:
    """Repair is for what is broken: where everything is there, the digest stays."""
    made = containerd_index(_images())
    source = oci_layout(write_layout(tmp_path / "app", made))
    pushed = await unwrap(push(client, source, f"{place.repository}:1.0", options=PRESENT))
    check(place.host, place.path, made, "1.0")
    assert (str(pushed.digest), pushed.dropped) == (made.digest, ())


@pytest.mark.parametrize("left", ["nothing", "attestations"])
async def test_an_index_of_no_image_is_not_pushed(left: str, client: Client, place: Place, tmp_path: Path) -> None:
    """Where not one image is there, there is nothing to repair: everything absent is listed."""
    images = _images()[:2]
    made = containerd_index(images)
    folder = _saved(tmp_path / "app", made, *(made.listed[2:] if left == "attestations" else ()))
    done = await settle(push(client, oci_layout(folder), f"{place.repository}:1.0", options=PRESENT))
    assert isinstance(done, Err)
    assert isinstance(done.error.reason, MissingContent)
    assert len(done.error.reason.digests) == (2 if left == "attestations" else 4)


async def test_one_platform_needs_only_its_own_content(client: Client, place: Place, tmp_path: Path) -> None:
    """Whoever asks for the one platform that was saved gets it, strictly, with its own digest."""
    images = _images()
    source = oci_layout(_saved(tmp_path / "app", containerd_index(images), images[2]))
    options = PushOptions(platform="linux/arm64")
    pushed = await unwrap(push(client, source, f"{place.repository}:1.0", options=options))
    assert str(pushed.digest) == images[2].digest
    check(place.host, place.path, images[2], "1.0")


async def test_an_archive_that_is_both_can_be_pushed_as_the_layout_that_it_is(
    client: Client, place: Place, tmp_path: Path
) -> None:
    """Docker 25 writes a layout with a `manifest.json`; named as a layout, its own manifest is pushed unchanged."""
    write_docker_save(tmp_path / "saved.tar", sample_image("app:1.0"))
    pushed = await unwrap(push(client, oci_layout(tmp_path / "saved.tar"), f"{place.repository}:1.0"))
    _, _, body = ask(place.host, "GET", f"/v2/{place.path}/manifests/1.0", headers={"Accept": "*/*"})
    assert pushed.manifest.size == len(body)
