"""Putting images into a registry by hand: true ones, and ones that lie."""

import gzip
import json
from collections.abc import Sequence
from typing import Any

from registry_fp import Client, Descriptor, digest_of, parse_manifest, put_blob, put_manifest, unwrap
from registry_fp.testing import SampleImage

OCI = "application/vnd.oci.image"


async def publish_image(
    client: Client,
    name: str,
    image: SampleImage,
    *,
    config: bytes | None = None,
    layers: Sequence[bytes] | None = None,
    layer_type: str = f"{OCI}.layer.v1.tar+gzip",
    config_type: str = f"{OCI}.config.v1+json",
) -> Descriptor:
    """Store an image; `layers` as they are, or those of `image` with gzip."""
    repository = name.rpartition("@")[0] or name.rpartition(":")[0]
    stored = [gzip.compress(layer, 1, mtime=0) for layer in image.layers] if layers is None else layers
    chosen = image.config if config is None else config
    for content in {*stored, chosen}:
        await unwrap(put_blob(client, repository, content))
    document = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor(config_type, chosen),
        "layers": [_descriptor(layer_type, layer) for layer in stored],
    }
    return await publish(client, name, document)


async def publish(client: Client, name: str, document: dict[str, Any]) -> Descriptor:
    """Store a manifest or an index under a name; one that ends in @ is stored under its digest."""
    raw = parse_manifest(json.dumps(document).encode()).unwrap()
    return await unwrap(put_manifest(client, f"{name}{raw.digest}" if name.endswith("@") else name, raw))


def index(*entries: tuple[Descriptor, str]) -> dict[str, Any]:
    """An index of images, each with its platform, `os/architecture`."""
    manifests = [
        {
            **each.model_dump(mode="json", exclude_none=True),
            "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
        }
        for each, platform in entries
    ]
    return {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": manifests}


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(digest_of(content)), "size": len(content)}
