"""Images that say more of themselves than they are, and the same image on disk: none of our code takes part."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.copy.made import CONFIG, LAYER, MANIFEST, Made, pointer, sha256


def image_of(
    layers: Sequence[bytes],
    diff_ids: Sequence[str] | None = None,
    *,
    layer_type: str = LAYER,
    config: bytes | None = None,
    config_type: str = CONFIG,
    platform: str | None = None,
) -> Made:
    """An image of these layers that should unpack to these diff_ids (None: to what they do unpack to, with gzip)."""
    promised = [sha256(gzip.decompress(each)) for each in layers] if diff_ids is None else list(diff_ids)
    document = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": promised}}
    written = json.dumps(document).encode() if config is None else config
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": pointer(config_type, written),
        "layers": [pointer(layer_type, each) for each in layers],
    }
    blobs = {sha256(each): each for each in (written, *layers)}
    return Made(MANIFEST, json.dumps(manifest).encode(), blobs, (), platform)


def write_saved(path: Path, made: Made) -> Path:
    """A `docker save` archive of an image as Docker 25 writes it, with its layers as they are."""
    document = json.loads(made.raw)
    name = {each: f"blobs/{each.replace(':', '/')}" for each in made.blobs}
    entry = {
        "Config": name[document["config"]["digest"]],
        "RepoTags": ["app:1.0"],
        "Layers": [name[each["digest"]] for each in document["layers"]],
    }
    files = {name[digest]: content for digest, content in made.blobs.items()}
    with tarfile.open(path, "w") as tar:
        for member, content in {**files, "manifest.json": json.dumps([entry]).encode()}.items():
            header = tarfile.TarInfo(member)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def flipped(content: bytes) -> bytes:
    """With one bit that is another one, near the end."""
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
