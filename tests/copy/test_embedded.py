"""Content that a descriptor carries itself (`data`): it is the content, or the image is refused."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    Client,
    DigestMismatch,
    InspectedImage,
    MalformedDocument,
    SizeMismatch,
    copy,
    inspect,
    oci_layout,
    pull,
    push,
    settle,
    unwrap,
)
from registry_fp.effect.exits import Err
from registry_fp.testing import EmbeddedRegistry
from tests.copy import made
from tests.layout.written import write_layout

PLAIN = made.image(made.layer("a"), platform="linux/amd64")


def carrying(plain: made.Made, **data: str) -> made.Made:
    """The same image, whose configuration's descriptor carries data."""
    document: dict[str, Any] = json.loads(plain.raw)
    document["config"] |= data
    return made.Made(plain.media_type, json.dumps(document).encode(), plain.blobs, (), plain.platform)


def config_of(plain: made.Made) -> tuple[str, bytes]:
    """The digest of its configuration, and the content."""
    digest: str = json.loads(plain.raw)["config"]["digest"]
    return digest, plain.blobs[digest]


def good(plain: made.Made) -> made.Made:
    """With the data that belongs there."""
    return carrying(plain, data=b64encode(config_of(plain)[1]).decode())


def index_carrying(image: made.Made) -> made.Made:
    """An index whose entry carries the image's manifest."""
    plain = made.index(image)
    document: dict[str, Any] = json.loads(plain.raw)
    document["manifests"][0]["data"] = b64encode(image.raw).decode()
    return made.Made(plain.media_type, json.dumps(document).encode(), {}, (image,))


async def test_what_is_carried_is_not_asked_for(client: Client, tmp_path: Path) -> None:
    """A request less for each small document: that is what it is there for."""
    image = good(PLAIN)
    many = index_carrying(image)
    async with EmbeddedRegistry() as source, EmbeddedRegistry() as target:
        await asyncio.to_thread(made.put, source.host, "app", many, "1.0")
        source.reset_counts()
        name = f"{source.host}/app:1.0"
        await unwrap(copy(client, name, f"{target.host}/goal:1.0"))
        await asyncio.to_thread(made.check, target.host, "goal", many, "1.0")
        found = await unwrap(inspect(client, name, platform="linux/amd64"))
        assert isinstance(found, InspectedImage)
        assert found.config is not None
        await unwrap(pull(client, name, oci_layout(tmp_path / "out")))
        digests = {image.digest, config_of(PLAIN)[0]}
        assert [each for each in source.requests if each.path.rpartition("/")[2] in digests] == []


LIES: dict[str, tuple[str, type]] = {
    "of another digest": (b64encode(b" " * len(config_of(PLAIN)[1])).decode(), DigestMismatch),
    "of another size": (b64encode(config_of(PLAIN)[1] + b" ").decode(), SizeMismatch),
    "no base64": ("****", MalformedDocument),
    "base64 with something in it": (b64encode(config_of(PLAIN)[1]).decode() + "\n", MalformedDocument),
}


@pytest.mark.parametrize("lie", LIES)
async def test_data_that_is_not_the_content_is_refused_before_anything_moves(
    lie: str, client: Client, tmp_path: Path
) -> None:
    """One reader would believe it and another fetch the blob: two images under one digest."""
    text, kind = LIES[lie]
    image = carrying(PLAIN, data=text)
    async with EmbeddedRegistry() as source, EmbeddedRegistry() as target:
        await asyncio.to_thread(made.put, source.host, "app", image, "1.0")
        name, goal = f"{source.host}/app:1.0", f"{target.host}/goal:1.0"
        folder = write_layout(tmp_path / "app", image)
        for read in (
            settle(copy(client, name, goal)),
            settle(inspect(client, name)),
            settle(pull(client, name, oci_layout(tmp_path / "out"))),
            settle(push(client, oci_layout(folder), goal)),
        ):
            out = await read
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, kind)
        counts = target.counts()
        assert (counts.blob_bytes_in, counts.manifest_bytes_in, counts.uploads_open) == (0, 0, 0)


async def test_a_carried_manifest_that_is_another_one_is_refused(client: Client) -> None:
    """The entry of an index decides what a platform runs."""
    other = made.image(made.layer("b"), platform="linux/amd64")
    many = made.index(PLAIN)
    document: dict[str, Any] = json.loads(many.raw)
    document["manifests"][0]["data"] = b64encode(other.raw).decode()
    lying = made.Made(many.media_type, json.dumps(document).encode(), {}, (PLAIN,))
    async with EmbeddedRegistry() as source, EmbeddedRegistry() as target:
        await asyncio.to_thread(made.put, source.host, "app", lying, "1.0")
        out = await settle(copy(client, f"{source.host}/app:1.0", f"{target.host}/goal:1.0"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, DigestMismatch | SizeMismatch)
        assert target.counts().manifest_bytes_in == 0
