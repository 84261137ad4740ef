"""An `index.json` that itself lists the platforms of one image: it is the index of that image."""

import json
from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Err,
    InspectedIndex,
    InvalidImage,
    PushOptions,
    inspect,
    list_files,
    oci_layout,
    push,
    push_all,
    settle,
    tree,
    unwrap,
)
from tests.copy.made import Made, check, image, layer
from tests.layout.test_push import FORMS
from tests.layout.written import attestation, entry, write_layout
from tests.place import Place

IMAGES = tuple(image(layer("shared"), layer(name), platform=name) for name in ("linux/amd64", "linux/arm64"))


def _whole(folder: Path) -> Made:
    """The image that the layout is, as somebody else would make it: of the file's exact bytes."""
    return Made("application/vnd.oci.image.index.v1+json", (folder / "index.json").read_bytes(), {}, IMAGES)


@pytest.mark.parametrize("form", FORMS)
async def test_it_is_pushed_as_the_index_that_it_is(form: str, client: Client, anywhere: Place, tmp_path: Path) -> None:
    """Some builders write one layout for all platforms, and list them at the top."""
    folder = write_layout(tmp_path / "app", *IMAGES)
    path = FORMS[form](folder, tmp_path / "app.tar")
    pushed = await unwrap(push(client, oci_layout(path), f"{anywhere.repository}:1.0"))
    assert str(pushed.digest) == _whole(folder).digest
    check(anywhere.host, anywhere.path, _whole(folder), "1.0")


async def test_one_of_its_platforms_is_chosen_as_from_any_index(client: Client, place: Place, tmp_path: Path) -> None:
    """By what it runs on, or by its position, as before."""
    folder = write_layout(tmp_path / "app", *IMAGES)
    arm = PushOptions(platform="linux/arm64")
    pushed = await unwrap(push(client, oci_layout(folder), f"{place.repository}:arm", options=arm))
    assert str(pushed.digest) == IMAGES[1].digest
    first = await unwrap(push(client, oci_layout(folder, image=0), f"{place.repository}:first"))
    assert str(first.digest) == IMAGES[0].digest


async def test_it_is_looked_at_as_an_index(client: Client, tmp_path: Path) -> None:
    """What is asked of an image on disk is answered without a choice."""
    folder = write_layout(tmp_path / "app", *IMAGES)
    found = await unwrap(inspect(client, oci_layout(folder)))
    assert isinstance(found, InspectedIndex)
    assert [str(each) for each in found.platforms] == ["linux/amd64", "linux/arm64"]
    root = (await unwrap(tree(client, oci_layout(folder)))).root
    assert [node.role for node in root.children] == ["image", "image"]
    files = await unwrap(list_files(client, oci_layout(folder), platform="linux/arm64"))
    assert {each.path for each in files} >= {"shared"}


async def test_what_builders_list_beside_an_image_comes_along(client: Client, place: Place, tmp_path: Path) -> None:
    """An attestation has a platform of its own, which no machine has."""
    about = attestation(IMAGES[0])
    folder = write_layout(tmp_path / "app", IMAGES[0], about)
    await unwrap(push(client, oci_layout(folder), f"{place.repository}:1.0"))
    raw = (folder / "index.json").read_bytes()
    check(place.host, place.path, Made("application/vnd.oci.image.index.v1+json", raw, {}, (IMAGES[0], about)), "1.0")


async def test_images_that_are_not_platforms_of_one_are_several(client: Client, place: Place, tmp_path: Path) -> None:
    """Two for one platform, one that has a name, one without a platform: nobody has said which is meant."""
    other = image(layer("other"), platform="linux/amd64")
    bare = image(layer("bare"))
    layouts = {
        "twice": [entry(IMAGES[0]), entry(other)],
        "named": [entry(IMAGES[0], "1.0"), entry(IMAGES[1])],
        "bare": [entry(IMAGES[0]), entry(bare)],
    }
    for name, entries in layouts.items():
        folder = write_layout(tmp_path / name, *IMAGES, other, bare, entries=entries)
        out = await settle(push(client, oci_layout(folder), f"{place.repository}:1.0"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, InvalidImage)
        assert out.error.reason.kind == "several images"


async def test_a_changed_file_is_not_taken_for_what_was_read(client: Client, place: Place, tmp_path: Path) -> None:
    """Bytes that are pushed are those whose digest is told, whatever happens to the folder meanwhile."""
    folder = write_layout(tmp_path / "app", *IMAGES)
    document = json.loads((folder / "index.json").read_text())
    document["manifests"][0]["size"] += 1
    (folder / "index.json").write_text(json.dumps(document))
    out = await settle(push(client, oci_layout(folder), f"{place.repository}:1.0"))
    assert isinstance(out, Err)
    assert place.embedded is not None
    assert place.embedded.counts().requests == 0


async def test_without_a_name_it_goes_nowhere_by_itself(client: Client, place: Place, tmp_path: Path) -> None:
    """`--all-tags` is about tags, and there is none."""
    folder = write_layout(tmp_path / "app", *IMAGES)
    out = await settle(push_all(client, oci_layout(folder), place.repository))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert out.error.reason.kind == "no tags"
