"""Validate a layout: every byte is read, and every fault is named."""

import gzip
import json
from pathlib import Path

from registry_fp import (
    DigestMismatch,
    Err,
    InvalidImage,
    MissingContent,
    Reason,
    SeveralFailed,
    docker_save,
    oci_layout,
    settle,
    unwrap,
)
from registry_fp.archive.docker_save import SavedImage
from registry_fp.archive.source import ImageSource, any_archive
from registry_fp.pipelines.validate import validate
from registry_fp.pipelines.validate_layout import LayoutImage
from registry_fp.testing import sample_image, write_docker_save
from tests.copy.made import CONFIG, LAYER, MANIFEST, Made, five_platforms, image, layer, pointer, sha256
from tests.layout.written import blob, containerd_index, entry, pack, write_layout


async def _reason(source: ImageSource) -> Reason:
    done = await settle(validate(source))
    assert isinstance(done, Err)
    return done.error.reason


async def test_a_sound_layout_is_described(tmp_path: Path) -> None:
    """What was proven is told: every image with its name, its manifests and its blobs."""
    made, one = five_platforms(), image(layer("one"))
    folder = write_layout(tmp_path / "app", made, one, entries=[entry(made, "1.0"), entry(one, "one")])
    for source in (oci_layout(folder), oci_layout(pack(folder, tmp_path / "app.tar"))):
        first, second = await unwrap(validate(source))
        assert (first.name, second.name) == ("1.0", "one")
        assert [str(each.digest) for each in first.manifests] == [each.digest for each in made.all()]
        assert {str(each.digest) for each in first.blobs} == set(made.content)
        assert (str(second.manifest.digest), len(second.blobs)) == (one.digest, 2)
    (chosen,) = await unwrap(validate(oci_layout(folder, image="one")))
    assert chosen.name == "one"


async def test_whatever_lies_there_is_validated(tmp_path: Path) -> None:
    """`any_archive` leads to the proof that fits."""
    write_docker_save(tmp_path / "saved.tar", sample_image("app:1.0"))
    folder = write_layout(tmp_path / "app", image(layer("one")))
    (saved,) = await unwrap(validate(any_archive(tmp_path / "saved.tar")))
    (listed,) = await unwrap(validate(any_archive(folder)))
    assert isinstance(saved, SavedImage)
    assert isinstance(listed, LayoutImage)
    assert await unwrap(validate(docker_save(tmp_path / "saved.tar"))) == (saved,)


async def test_every_damaged_blob_is_named(tmp_path: Path) -> None:
    """Whoever mends an archive wants the whole list."""
    made = five_platforms()
    folder = write_layout(tmp_path / "app", made)
    damaged = [digest for digest, content in made.content.items() if content.startswith(b"\x1f\x8b")][:3]
    for digest in damaged:
        content = bytearray(blob(folder, digest).read_bytes())
        content[-1] ^= 1
        blob(folder, digest).write_bytes(content)
    reason = await _reason(oci_layout(folder))
    assert isinstance(reason, SeveralFailed)
    found = [each.reason for each in reason.errors]
    assert all(isinstance(each, DigestMismatch | InvalidImage) for each in found)
    assert {each.target.rpartition("@")[2] for each in reason.errors} == set(damaged)
    assert reason.total == len(made.content) + len(list(made.all()))


async def test_a_layer_that_unpacks_to_something_else_is_found(tmp_path: Path) -> None:
    """Its digest is true, and its diff_id is not: the image would run something else than it says."""
    content = layer("one")
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [sha256(b"else")]}}
    ).encode()
    reason = await _reason(oci_layout(write_layout(tmp_path / "app", _image(config, content))))
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "diff_id mismatch"


async def test_a_layer_that_is_cut_short_within_is_found(tmp_path: Path) -> None:
    """A gzip stream that ends too early has a digest as good as any."""
    content = layer("one")[:-100]
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [sha256(b"else")]}}
    ).encode()
    reason = await _reason(oci_layout(write_layout(tmp_path / "app", _image(config, content))))
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "bad layer"


async def test_a_configuration_with_too_few_layers_is_found(tmp_path: Path) -> None:
    """Which layer is which could not be told."""
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers"}}).encode()
    reason = await _reason(oci_layout(write_layout(tmp_path / "app", _image(config, gzip.compress(b"x")))))
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "layer count"


async def test_what_is_not_there_is_listed(tmp_path: Path) -> None:
    """All of it, and at once."""
    made = containerd_index([image(layer("one"), platform="linux/amd64")])
    folder = write_layout(tmp_path / "app", made)
    gone = [made.listed[1].digest, next(iter(made.listed[0].blobs))]
    for digest in gone:
        blob(folder, digest).unlink()
    reason = await _reason(oci_layout(folder))
    assert isinstance(reason, MissingContent)
    assert {str(digest) for digest in reason.digests} == set(gone)


def _image(config: bytes, content: bytes) -> Made:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": pointer(CONFIG, config),
        "layers": [pointer(LAYER, content)],
    }
    return Made(MANIFEST, json.dumps(document).encode(), {sha256(each): each for each in (config, content)})
