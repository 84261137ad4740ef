"""Inspect and validate: the same facts about an image in an archive and in a registry."""

from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Err,
    InspectedImage,
    InvalidImage,
    SeveralFailed,
    docker_save,
    inspect,
    push,
    settle,
    unwrap,
    validate,
)
from tests.acceptance.conftest import Site
from tests.acceptance.images import SHAPES, image


@pytest.mark.parametrize("shape", ["legacy", "OCI with gzip"])
async def test_an_image_is_the_same_before_and_after_its_push(
    shape: str, site: Site, client: Client, tmp_path: Path
) -> None:
    """Who looks before a push and after it must see one image."""
    archive = tmp_path / "app.tar"
    SHAPES[shape](archive)
    pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0"))
    before = await unwrap(inspect(client, docker_save(archive)))
    after = await unwrap(inspect(client, f"{site.repository}:1.0"))
    assert isinstance(before, InspectedImage)
    assert isinstance(after, InspectedImage)
    assert (after.digest, after.media_type) == (pushed.digest, pushed.manifest.media_type)
    assert (before.digest, before.name) == (None, "app:1.0")
    assert before.config == after.config is not None
    assert before.config_digest == after.config_digest == image("app:1.0").config_digest
    made = [f"COPY layer-{number} / # buildkit" for number in range(5)]
    for looked_at in (before, after):
        assert tuple(layer.diff_id for layer in looked_at.layers) == image("app:1.0").diff_ids
        assert [layer.created_by for layer in looked_at.layers] == made
    stored_sizes = {blob.descriptor.digest: blob.descriptor.size for blob in pushed.blobs}
    assert {layer.digest: layer.size for layer in after.layers}.items() <= stored_sizes.items()


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_sound_archive_is_valid(shape: str, tmp_path: Path) -> None:
    """Validation reads every layer, and needs no registry."""
    archive = tmp_path / "app.tar"
    SHAPES[shape](archive)
    (valid,) = await unwrap(validate(docker_save(archive)))
    assert valid.config_raw == image("app:1.0").config


async def test_validation_names_every_layer_that_is_damaged(tmp_path: Path) -> None:
    """Whoever repairs an archive wants the whole list at once."""
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)
    raw = archive.read_bytes()
    for layer in image("app:1.0").layers[1:3]:
        at = raw.index(layer) + 700
        raw = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    archive.write_bytes(raw)
    out = await settle(validate(docker_save(archive)))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SeveralFailed)
    assert out.error.reason.total == 4
    reasons = [each.reason for each in out.error.reason.errors]
    assert [reason.kind for reason in reasons if isinstance(reason, InvalidImage)] == ["diff_id mismatch"] * 2
