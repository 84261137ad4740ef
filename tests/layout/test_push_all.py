"""Push all, from a layout: every image that it lists, under every name that it has there, as it is."""

from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Err,
    InvalidImage,
    Misconfigured,
    PushOptions,
    any_archive,
    oci_layout,
    push_all,
    settle,
    unwrap,
)
from registry_fp.domain.errors import MissingContent, SeveralFailed
from registry_fp.testing import Answer, Fault
from tests.copy.made import Made, check, five_platforms, image, layer
from tests.layout.test_push import FORMS
from tests.layout.written import CONTAINERD, blob, containerd_index, entry, write_layout
from tests.place import Place

ONE = image(layer("shared"), layer("one"))
TWO = image(layer("shared"), layer("two"))
MANY = five_platforms()


@pytest.mark.parametrize("form", FORMS)
async def test_every_name_stands_for_what_it_stood_for(
    form: str, client: Client, anywhere: Place, tmp_path: Path
) -> None:
    """Containerd's full names, podman's full ref names, and tags alone, which are those of the place itself."""
    entries = [
        entry(ONE, "1.0", **{CONTAINERD: "docker.io/library/app:1.0"}),
        entry(ONE, "latest", **{CONTAINERD: "docker.io/library/app:latest"}),
        entry(ONE, "ghcr.io/team/tool:7"),
        entry(MANY, "2.0"),
        entry(TWO, "edge"),
    ]
    folder = write_layout(tmp_path / "all", ONE, TWO, MANY, entries=entries)
    pushed = await unwrap(push_all(client, any_archive(FORMS[form](folder, tmp_path / "x.tar")), anywhere.repository))
    expected: dict[str, Made] = {
        "/library/app:1.0": ONE,
        "/library/app:latest": ONE,
        "/team/tool:7": ONE,
        ":2.0": MANY,
        ":edge": TWO,
    }
    assert {str(each.reference) for each in pushed} == {f"{anywhere.repository}{name}" for name in expected}
    for name, made in expected.items():
        path, _, tag = name.partition(":")
        check(anywhere.host, f"{anywhere.path}{path}", made, tag)


async def test_from_the_second_name_on_no_byte_is_sent(client: Client, place: Place, tmp_path: Path) -> None:
    """In its own repository it is there, and elsewhere it is mounted."""
    entries = [entry(MANY, "app:1"), entry(MANY, "app:2"), entry(MANY, "tool:1")]
    folder = write_layout(tmp_path / "all", MANY, entries=entries)
    first, second, third = await unwrap(push_all(client, oci_layout(folder), place.repository))
    assert first.sent == sum(map(len, MANY.content.values()))
    assert (second.sent, third.sent) == (0, 0)
    assert {blob.outcome for blob in third.blobs} == {"mounted"}
    assert place.embedded is not None
    assert place.embedded.counts().blob_bytes_in == first.sent


BAD: dict[str, tuple[list[tuple[Made, str | None]], str, bool]] = {
    "an image without a name": ([(ONE, "1.0"), (TWO, None)], "no tags", True),
    "two images under one name": ([(ONE, "team/app:1"), (TWO, "ghcr.io/team/app:1")], "bad tag", True),
    "a name that no registry takes": ([(ONE, "Team/App:1")], "bad tag", True),
    "a name by its digest": ([(ONE, f"team/app@{TWO.digest}")], "bad tag", True),
    "a tag alone, and no repository": ([(ONE, "1.0")], "bad tag", False),
}


@pytest.mark.parametrize("bad", BAD)
async def test_names_that_lead_nowhere_are_refused_before_any_request(
    bad: str, client: Client, place: Place, tmp_path: Path
) -> None:
    """Half of an archive under half of its names helps nobody."""
    listed, kind, below = BAD[bad]
    folder = write_layout(tmp_path / "all", ONE, TWO, entries=[entry(made, name) for made, name in listed])
    out = await settle(push_all(client, oci_layout(folder), place.repository if below else place.host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert (out.error.doing, out.error.reason.kind) == ("push_all", kind)
    assert place.embedded is not None
    assert place.embedded.counts().requests == 0


async def test_an_image_that_cannot_be_pushed_stops_no_other(client: Client, place: Place, tmp_path: Path) -> None:
    """Each failure is told, and what succeeded is there."""
    folder = write_layout(tmp_path / "all", ONE, TWO, entries=[entry(ONE, "one:1"), entry(TWO, "two:1")])
    assert place.embedded is not None
    place.embedded.set_faults(Fault(Answer(403), method="PUT", path="/one/manifests/"))
    out = await settle(push_all(client, oci_layout(folder), place.repository))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SeveralFailed)
    assert len(out.error.reason.errors) == 1
    check(place.host, f"{place.path}/library/two", TWO, "1")


async def test_options_are_those_of_each_push(client: Client, place: Place, tmp_path: Path) -> None:
    """What is there of an index, one platform of it; and what only a `docker save` archive can be told."""
    part = containerd_index(image(layer(name), platform=name) for name in ("linux/amd64", "linux/arm64"))
    folder = write_layout(tmp_path / "all", part, entries=[entry(part, "app:1")])
    blob(folder, part.listed[1].digest).unlink()
    source = oci_layout(folder)
    out = await settle(push_all(client, source, place.repository))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, MissingContent)
    [pushed] = await unwrap(push_all(client, source, place.repository, options=PushOptions(missing="present")))
    assert {str(each.digest) for each in pushed.dropped} == {part.listed[1].digest, part.listed[3].digest}
    only = PushOptions(platform="linux/amd64")
    [pushed] = await unwrap(push_all(client, source, place.repository, options=only))
    assert str(pushed.digest) == part.listed[0].digest
    for bad, options in ((source, PushOptions(compression="gzip")), (oci_layout(folder, image=0), PushOptions())):
        out = await settle(push_all(client, bad, place.repository, options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, Misconfigured)
