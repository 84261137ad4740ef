"""What is read from archives of `docker save`: images, tags, layers, and the choice of one of several."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_fp.archive.docker_save import LAYER_LIMIT, SavedImage, read_image, read_images
from registry_fp.archive.opened import with_archive
from registry_fp.archive.source import docker_save
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import ImageFault, InvalidImage, LimitExceeded, Reason
from registry_fp.domain.media_type import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from registry_fp.effect.exits import Err, Ok, unwrap
from registry_fp.testing.sample_archive import (
    Repeats,
    SampleImage,
    SavedLayout,
    sample_image,
    sample_layer,
    write_docker_save,
)
from tests.archive.opening import ROOMY, image_of, reason_of, using, written
from tests.archive.tars import END, Save, config, header, layer, member
from tests.codec.streams import packed

SMALL = (sample_layer({"etc/hostname": b"sample"}), sample_layer({"app/run": b"#!/bin/sh\n" * 900}))
LAYOUTS: tuple[tuple[SavedLayout, bool], ...] = (("legacy", False), ("oci", False), ("oci", True))


async def every_image(path: Path) -> tuple[SavedImage, ...]:
    """All that `read_images` gives."""
    return await unwrap(with_archive(docker_save(path), read_images, limits=ROOMY))


@pytest.mark.parametrize(("layout", "compressed"), LAYOUTS)
async def test_an_image_is_what_was_saved(layout: SavedLayout, compressed: bool, tmp_path: Path) -> None:
    """Exact bytes of the configuration, layers in their order, tags as they were: a digest forgives nothing."""
    saved = sample_image("app:1.0", "localhost:5000/team/app:1.0", layers=SMALL)
    path = tmp_path / "app.tar"
    write_docker_save(path, saved, layout=layout, compressed=compressed)
    (image,) = await every_image(path)
    assert image.config_raw == saved.config
    assert image.config_digest == saved.config_digest
    assert image.config.config is not None
    assert image.config.config.entrypoint == ("/app/bin/serve",)
    assert image.name == "app:1.0"
    assert [str(tag) for tag in image.references] == ["docker.io/library/app:1.0", "localhost:5000/team/app:1.0"]
    assert image.family == ("oci" if layout == "oci" else "docker")
    assert [one.diff_id for one in image.layers] == list(saved.diff_ids)
    assert {one.compression for one in image.layers} == {"gzip" if compressed else "none"}
    whole = path.read_bytes()
    for one, plain in zip(image.layers, saved.layers, strict=True):
        content = whole[one.offset : one.offset + one.length]
        assert (gzip.decompress(content) if compressed else content) == plain
        assert one.digest == (digest_of(content) if layout == "oci" else None)


@pytest.mark.parametrize("repeats", ["symlink", "hardlink", "copy"])
async def test_a_layer_that_is_there_twice_is_found_twice(repeats: Repeats, tmp_path: Path) -> None:
    """Docker up to 24 writes the second one as a link."""
    path = tmp_path / "app.tar"
    saved = sample_image("app:1", layers=[SMALL[0], SMALL[1], SMALL[0]])
    write_docker_save(path, saved, layout="legacy", repeats=repeats)
    (image,) = await every_image(path)
    first, _, third = image.layers
    assert (first.offset == third.offset) == (repeats != "copy")
    assert first.diff_id == third.diff_id


async def test_every_compression_of_a_layer_is_seen_in_its_bytes(tmp_path: Path) -> None:
    """`LayerSources` is a hint, names end in anything, and one image may mix them."""
    plain = (layer("one"), layer("two"), layer("three"))
    stored = (plain[0], gzip.compress(plain[1]), packed("zstd", plain[2]))
    image = await image_of(tmp_path / "app.tar", bytes(Save(layers=stored, config_raw=config(plain))))
    assert [one.compression for one in image.layers] == ["none", "gzip", "zstd"]


@pytest.mark.parametrize("layout", ["legacy", "oci"])
@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (0, "app:1"),
        ("1", "app:2"),
        ("app:2", "app:2"),
        ("docker.io/library/app:2", "app:2"),
        ("localhost:5000/team/app:2", "app:2"),
        ("untagged", "sha256:"),
        ("untagged, short", "sha256:"),
    ],
)
async def test_one_of_several_images_is_chosen(
    choice: str | int, expected: str, layout: SavedLayout, tmp_path: Path
) -> None:
    """By position, by tag in any spelling, or by (the beginning of) its id."""
    untagged = sample_image(layers=SMALL, labels={"which": "third"})
    first = sample_image("app:1", layers=SMALL[:1])
    second = sample_image("app:2", "localhost:5000/team/app:2", layers=SMALL)
    write_docker_save(tmp_path / "app.tar", first, second, untagged, layout=layout)
    known = {"untagged": str(untagged.config_digest), "untagged, short": untagged.config_digest.short}
    chosen = known.get(choice, choice) if isinstance(choice, str) else choice
    out = await using(tmp_path / "app.tar", read_image, image=chosen)
    assert isinstance(out, Ok)
    assert out.value.name.startswith(expected)
    assert len(await every_image(tmp_path / "app.tar")) == 3


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (None, "several images"),
        ("app:3", "no such image"),
        ("app", "no such image"),
        (2, "no such image"),
        (-1, "no such image"),
        ("99999999999", "no such image"),
        ("not a \x1b tag", "no such image"),
        ("abcdef", "no such image"),
        ("", "no such image"),
    ],
)
async def test_a_choice_that_fits_none_or_many_lists_what_there_is(
    choice: str | int | None, kind: ImageFault, tmp_path: Path
) -> None:
    """The answer to "which one?" is a list to copy from."""
    images = [sample_image(f"app:{number}", layers=SMALL[:1], labels={"n": str(number)}) for number in (1, 2)]
    write_docker_save(tmp_path / "app.tar", *images)
    out = await using(tmp_path / "app.tar", read_image, image=choice)
    assert isinstance(out, Err)
    reason = out.error.reason
    assert isinstance(reason, InvalidImage)
    assert reason.kind == kind
    assert "0: app:1, 1: app:2" in reason.detail
    assert reason.detail.isprintable()


async def test_a_long_list_of_images_is_cut_in_the_error(tmp_path: Path) -> None:
    """An error is one line."""
    save = Save()
    path = written(tmp_path / "app.tar", bytes(save.but(manifest=[save.entry] * 1000)))
    out = await using(path, read_image)
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert out.error.reason.detail.endswith("9: app:1.0, and 990 more")


async def test_one_tag_on_two_images_chooses_neither(tmp_path: Path) -> None:
    """Which one is meant cannot be known."""
    save = Save()
    content = bytes(save.but(manifest=[save.entry, save.entry]))
    reason = await reason_of(tmp_path / "app.tar", content, image="app:1.0")
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "several images"


async def test_an_image_that_is_not_chosen_may_be_broken(tmp_path: Path) -> None:
    """One image of ten that is cut must not keep the other nine from being pushed."""
    save = Save()
    content = bytes(save.but(manifest=[{"Config": "missing.json", "RepoTags": ["x:1"], "Layers": []}, save.entry]))
    assert (await image_of(tmp_path / "app.tar", content, image="app:1.0")).name == "app:1.0"


async def test_tags_come_from_the_older_file_where_the_newer_has_none(tmp_path: Path) -> None:
    """Docker 1.9 and tools like it wrote `repositories` only."""
    names = json.dumps({"app": {"1.0": "01", "latest": "01"}, "other": {"1": "00"}}).encode()
    save = Save(tags=None, after=member("repositories", names))
    image = await image_of(tmp_path / "app.tar", bytes(save))
    assert [str(tag) for tag in image.references] == ["docker.io/library/app:1.0", "docker.io/library/app:latest"]
    assert (await image_of(tmp_path / "app.tar", bytes(save), image="app:latest")).name == "app:1.0"
    tagged = await image_of(tmp_path / "app.tar", bytes(save.but(tags=["mine:1"])))
    assert [str(tag) for tag in tagged.references] == ["docker.io/library/mine:1"]


@pytest.mark.parametrize("raw", [b"[]", b'{"app": "1.0"}', b'{"app": {"1.0": 7}}', b"{", b'{"App": {"1": "01"}}'])
async def test_a_broken_list_of_older_tags_is_refused(raw: bytes, tmp_path: Path) -> None:
    """Tags that cannot be read are not quietly no tags."""
    reason = await reason_of(tmp_path / "app.tar", bytes(Save(tags=None, after=member("repositories", raw))))
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "bad tag"


async def test_a_tag_that_stands_twice_is_one_reference(tmp_path: Path) -> None:
    """`app:1` and `docker.io/library/app:1` are one name."""
    image = await image_of(tmp_path / "app.tar", bytes(Save(tags=["app:1", "docker.io/library/app:1", "app:1"])))
    assert [str(tag) for tag in image.references] == ["docker.io/library/app:1"]


async def test_archives_of_other_writers_are_read(tmp_path: Path) -> None:
    """Podman and skopeo name layers by diff_id, go-containerregistry by digest, and neither claims a digest here."""
    plain = (layer("one"), layer("two"))
    podman = Save(layers=plain, layer_names=tuple(f"{digest_of(one).hex}.tar" for one in plain))
    image = await image_of(tmp_path / "podman.tar", bytes(podman))
    assert [one.digest for one in image.layers] == [None, None]
    stored = tuple(gzip.compress(one, mtime=0) for one in plain)
    crane = Save(
        layers=stored,
        config_raw=config(plain),
        config_name=str(digest_of(config(plain))),
        layer_names=tuple(f"{digest_of(one).hex}.tar.gz" for one in stored),
    )
    image = await image_of(tmp_path / "crane.tar", bytes(crane))
    assert [(one.digest, one.compression) for one in image.layers] == [(None, "gzip"), (None, "gzip")]


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{digest_of(content).hex}"


def _named_layers(*named: tuple[str, bytes], plain: tuple[bytes, ...]) -> Save:
    names = tuple(name for name, _ in named)
    return Save(layers=tuple(content for _, content in named), layer_names=names, config_raw=config(plain))


async def test_a_blob_whose_name_and_diff_id_disagree_is_refused(tmp_path: Path) -> None:
    """A plain layer is called by its diff_id, and a compressed one never is."""
    one, two = layer("one"), layer("two")
    zipped = gzip.compress(one)
    for bad in (
        _named_layers((_blob(two), one), plain=(one,)),
        _named_layers((_blob(one), zipped), plain=(one,)),
    ):
        reason = await reason_of(tmp_path / "app.tar", bytes(bad))
        assert isinstance(reason, InvalidImage)
        assert reason.kind == "digest mismatch"
    good = await image_of(tmp_path / "app.tar", bytes(_named_layers((_blob(zipped), zipped), plain=(one,))))
    assert good.layers[0].digest == digest_of(zipped)


async def test_a_blob_reached_by_another_blobs_name_is_refused(tmp_path: Path) -> None:
    """Then the archive has two digests for one content."""
    one = layer("one")
    zipped = gzip.compress(one)
    link = header(_blob(b"x").encode(), kind=b"2", link=digest_of(zipped).hex.encode())
    save = _named_layers((_blob(zipped), zipped), plain=(one,))
    reason = await reason_of(
        tmp_path / "app.tar", bytes(save.but(manifest=[{**save.entry, "Layers": [_blob(b"x")]}], after=link))
    )
    assert reason == InvalidImage("digest mismatch", _blob(zipped), "its two names are two digests")


async def test_more_layers_than_any_image_has_are_refused(tmp_path: Path) -> None:
    """The work for an image is bounded before it is begun."""
    one = layer("one")
    diff_ids = {"type": "layers", "diff_ids": [str(digest_of(one))] * (LAYER_LIMIT + 1)}
    save = Save(layers=(one,), config_raw=config([], rootfs=diff_ids))
    content = bytes(save.but(manifest=[{**save.entry, "Layers": ["00/layer.tar"] * (LAYER_LIMIT + 1)}]))
    assert await reason_of(tmp_path / "app.tar", content) == LimitExceeded("layers in one image", LAYER_LIMIT)


async def test_a_thousand_layers_are_no_problem(tmp_path: Path) -> None:
    """Large, and honest."""
    layers = tuple(layer(str(number)) for number in range(1000))
    image = await image_of(tmp_path / "app.tar", bytes(Save(layers=layers)))
    assert [one.diff_id for one in image.layers] == [digest_of(one) for one in layers]


# Archives of Docker 25 and later: `index.json` beside `manifest.json`.


def _oci(image: SampleImage, index: Any, *, extra: Mapping[str, bytes] | None = None, entries: Any = None) -> bytes:
    files = {
        **{_blob(one): one for one in image.layers},
        _blob(image.config): image.config,
        **(extra or {}),
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": index if isinstance(index, bytes) else json.dumps(index).encode(),
        "manifest.json": json.dumps([_entry(image)] if entries is None else entries).encode(),
    }
    return b"".join(member(name, content) for name, content in files.items()) + END


def _entry(image: SampleImage) -> dict[str, Any]:
    layers = [_blob(one) for one in image.layers]
    return {"Config": _blob(image.config), "RepoTags": list(image.tags), "Layers": layers}


def _described(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(digest_of(content)), "size": len(content)}


def _manifest(image: SampleImage, config_type: str = OCI_CONFIG) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _described(image.config, config_type),
        "layers": [_described(one, "application/vnd.oci.image.layer.v1.tar") for one in image.layers],
    }
    return json.dumps(document).encode()


def _index(*listed: tuple[bytes, str]) -> dict[str, Any]:
    manifests = [_described(content, media_type) for content, media_type in listed]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}


OURS = sample_image("app:1", layers=SMALL)
THEIRS = sample_image("app:1", layers=SMALL, labels={"whose": "theirs"})
ARM = sample_image("app:1", layers=SMALL, labels={"architecture": "arm64"})
OUR_MANIFEST, THEIR_MANIFEST, ARM_MANIFEST = _manifest(OURS), _manifest(THEIRS), _manifest(ARM)
PLATFORMS = json.dumps(_index((OUR_MANIFEST, OCI_MANIFEST), (ARM_MANIFEST, OCI_MANIFEST))).encode()
ARTIFACT = _manifest(THEIRS, "application/vnd.in-toto+json")

AGREEING: dict[str, bytes] = {
    "one image": _oci(OURS, _index((OUR_MANIFEST, OCI_MANIFEST)), extra={_blob(OUR_MANIFEST): OUR_MANIFEST}),
    "no list": _oci(OURS, {"schemaVersion": 2, "manifests": None}),
    "an empty list": _oci(OURS, _index()),
    "an image that is not there": _oci(OURS, _index((THEIR_MANIFEST, OCI_MANIFEST))),
    "platforms, of which one is there": _oci(
        OURS, _index((PLATFORMS, OCI_INDEX)), extra={_blob(PLATFORMS): PLATFORMS, _blob(OUR_MANIFEST): OUR_MANIFEST}
    ),
    "platforms, all there": _oci(
        OURS,
        _index((PLATFORMS, OCI_INDEX)),
        extra={
            _blob(PLATFORMS): PLATFORMS,
            _blob(OUR_MANIFEST): OUR_MANIFEST,
            _blob(ARM_MANIFEST): ARM_MANIFEST,
            _blob(ARM.config): ARM.config,
        },
    ),
    "an artifact beside the image": _oci(
        OURS,
        _index((OUR_MANIFEST, OCI_MANIFEST), (ARTIFACT, OCI_MANIFEST)),
        extra={_blob(OUR_MANIFEST): OUR_MANIFEST, _blob(ARTIFACT): ARTIFACT},
    ),
    "something of an unknown kind": _oci(OURS, _index((b"hello", "text/plain")), extra={_blob(b"hello"): b"hello"}),
}

DISAGREEING: dict[str, tuple[bytes, Reason]] = {
    "another image": (
        _oci(OURS, _index((THEIR_MANIFEST, OCI_MANIFEST)), extra={_blob(THEIR_MANIFEST): THEIR_MANIFEST}),
        InvalidImage("manifests disagree", "index.json", f"index.json does not lead to the image {OURS.config_digest}"),
    ),
    "one image more": (
        _oci(
            OURS,
            _index((OUR_MANIFEST, OCI_MANIFEST), (THEIR_MANIFEST, OCI_MANIFEST)),
            extra={_blob(OUR_MANIFEST): OUR_MANIFEST, _blob(THEIR_MANIFEST): THEIR_MANIFEST},
        ),
        InvalidImage(
            "manifests disagree", "index.json", f"manifest.json does not have the image {THEIRS.config_digest}"
        ),
    ),
    "a manifest that its name does not fit": (
        _oci(OURS, _index((OUR_MANIFEST, OCI_MANIFEST)), extra={_blob(OUR_MANIFEST): OUR_MANIFEST + b" "}),
        InvalidImage("digest mismatch", _blob(OUR_MANIFEST), f"its bytes are {digest_of(OUR_MANIFEST + b' ')}"),
    ),
    "a list": (_oci(OURS, []), InvalidImage("bad index.json", "index.json", "it has no list of manifests")),
    "no JSON": (_oci(OURS, b"{"), InvalidImage("bad index.json", "index.json")),
    "a descriptor without a digest": (
        _oci(OURS, {"manifests": [{"mediaType": OCI_MANIFEST, "size": 1}]}),
        InvalidImage("bad index.json", "index.json"),
    ),
    "a name twice": (_oci(OURS, b'{"manifests": [], "manifests": []}'), InvalidImage("bad index.json", "index.json")),
    "5 MiB": (_oci(OURS, b" " * (5 << 20)), LimitExceeded("bytes in index.json", 4 << 20)),
}


@pytest.mark.parametrize("content", AGREEING.values(), ids=AGREEING.keys())
async def test_an_index_that_tells_the_same_story_is_accepted(content: bytes, tmp_path: Path) -> None:
    """The containerd image store lists platforms and attestations whose blobs it did not save."""
    image = await image_of(tmp_path / "app.tar", content)
    assert image.config_digest == OURS.config_digest
    assert image.family == "oci"


@pytest.mark.parametrize(("content", "expected"), DISAGREEING.values(), ids=DISAGREEING.keys())
async def test_an_index_that_tells_another_story_is_refused(content: bytes, expected: Reason, tmp_path: Path) -> None:
    """One reader would look at one image, and another would run the other."""
    reason = await reason_of(tmp_path / "app.tar", content)
    assert type(reason) is type(expected)
    if isinstance(reason, InvalidImage) and isinstance(expected, InvalidImage) and not expected.detail:
        assert (reason.kind, reason.member) == (expected.kind, expected.member)
    else:
        assert reason == expected


async def test_an_index_deeper_than_any_is_refused(tmp_path: Path) -> None:
    """Each level is a file to read, and a cycle of digests cannot be made, but a long chain can."""
    chain: dict[str, bytes] = {_blob(OUR_MANIFEST): OUR_MANIFEST}
    below, kind = OUR_MANIFEST, OCI_MANIFEST
    for _ in range(12):
        below, kind = json.dumps(_index((below, kind))).encode(), OCI_INDEX
        chain[_blob(below)] = below
    reason = await reason_of(tmp_path / "app.tar", _oci(OURS, _index((below, kind)), extra=chain))
    assert reason == LimitExceeded("levels of index.json", 8)


async def test_an_oci_layout_without_manifest_json_is_called_that(tmp_path: Path) -> None:
    """`skopeo copy ... oci-archive:` writes one; it is another kind of archive, and no damage."""
    reason = await reason_of(tmp_path / "app.tar", member("oci-layout", b"{}") + member("index.json", b"{}") + END)
    assert reason == InvalidImage("no manifest.json", "manifest.json", "it is an OCI layout without one")
