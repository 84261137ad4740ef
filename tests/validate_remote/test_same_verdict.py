"""The same image in a registry, in a layout and in an archive: what it is does not depend on where it lies."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from registry_fp import Client, docker_save, oci_layout, settle, validate
from registry_fp.domain.errors import InvalidImage, Reason, SeveralFailed
from registry_fp.effect.exits import Err, Ok
from registry_fp.pipelines.validate_remote import validate_remote
from tests.copy.made import Made, five_platforms, image, layer, sha256
from tests.layout.written import blob, write_layout
from tests.validate_remote.conftest import Vault
from tests.validate_remote.images import flipped, image_of, write_saved

ONE, TWO = layer("one"), layer("two")
DIFF_IDS = [sha256(gzip.decompress(each)) for each in (ONE, TWO)]
IMAGES: dict[str, tuple[Made, str | None]] = {
    "sound": (image(ONE, TWO), None),
    "a false diff_id": (image_of([ONE, TWO], [DIFF_IDS[0], sha256(b"else")]), "diff_id mismatch"),
    "gzip that is cut short": (image_of([ONE[:-20], TWO], DIFF_IDS), "bad layer"),
    "too few diff_ids": (image_of([ONE, TWO], DIFF_IDS[:1]), "layer count"),
    "a configuration that is none": (image_of([ONE], [], config=b"[]"), "bad config"),
}


@pytest.mark.parametrize("kind", IMAGES)
async def test_the_verdict_is_the_same_wherever_it_lies(
    kind: str, counting: Vault, client: Client, tmp_path: Path
) -> None:
    """Whoever moves an image can ask at either end."""
    made, fault = IMAGES[kind]
    remote = await settle(validate_remote(client, counting.put(made)))
    layout = await settle(validate(oci_layout(write_layout(tmp_path / "layout", made))))
    saved = await settle(validate(docker_save(write_saved(tmp_path / "app.tar", made))))
    if fault is None:
        assert isinstance(remote, Ok)
        assert isinstance(layout, Ok)
        assert isinstance(saved, Ok)
        (there,), (on_disk,) = layout.value, saved.value
        assert (remote.value.manifests, remote.value.blobs) == (there.manifests, there.blobs)
        assert [each.digest for each in remote.value.blobs[1:]] == [each.digest for each in on_disk.layers]
        return
    for out in (remote, layout, saved):
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, InvalidImage)
        assert out.error.reason.kind == fault


async def test_damage_is_named_alike_wherever_it_lies(counting: Vault, client: Client, tmp_path: Path) -> None:
    """Two blobs with another bit, by digest, and for the same reason."""
    made = image(ONE, TWO)
    name, folder = counting.put(made), write_layout(tmp_path / "layout", made)
    hurt = [sha256(ONE), next(iter(made.blobs))]
    for digest in hurt:
        counting.kept(digest).write_bytes(flipped(made.blobs[digest]))
        blob(folder, digest).write_bytes(flipped(made.blobs[digest]))
    remote = await settle(validate_remote(client, name))
    layout = await settle(validate(oci_layout(folder)))
    assert isinstance(remote, Err)
    assert isinstance(layout, Err)
    assert _faults(remote.error.reason) == _faults(layout.error.reason)
    assert set(_faults(remote.error.reason)) == set(hurt)


async def test_a_damaged_manifest_hides_nothing_in_a_layout_either(
    counting: Vault, client: Client, tmp_path: Path
) -> None:
    """One image of an index is unreadable, and another one has a damaged layer: both are named, in both places."""
    made = five_platforms()
    name, folder = counting.put(made), write_layout(tmp_path / "layout", made)
    manifest, layer_of_another = made.listed[0].digest, list(made.listed[1].blobs)[2]
    for digest, content in ((manifest, made.listed[0].raw), (layer_of_another, made.content[layer_of_another])):
        counting.kept(digest).write_bytes(flipped(content))
        blob(folder, digest).write_bytes(flipped(content))
    remote = await settle(validate_remote(client, name))
    layout = await settle(validate(oci_layout(folder)))
    assert isinstance(remote, Err)
    assert isinstance(layout, Err)
    assert _faults(remote.error.reason, 15) == _faults(layout.error.reason, 15)
    assert list(_faults(remote.error.reason, 15)) == [manifest, layer_of_another]


def _faults(reason: Reason, total: int = 4) -> dict[str, Reason]:
    assert isinstance(reason, SeveralFailed)
    assert reason.total == total
    return {each.target.rpartition("@")[2]: each.reason for each in reason.errors}
