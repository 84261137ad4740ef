"""A repository with a few small images in it."""

from __future__ import annotations

from registry_fp import Client, Descriptor, put_blob, put_manifest, unwrap
from registry_fp.domain.manifest import parse_manifest
from tests.testing.wire import image

__all__ = ["stored"]


async def stored(client: Client, repository: str, text: str, *tags: str) -> Descriptor:
    """One image, which `text` makes different from others, under these tags."""
    await unwrap(put_blob(client, repository, b"{}"))
    manifest = parse_manifest(image(annotations={"text": text})).unwrap()
    for tag in tags:
        await unwrap(put_manifest(client, f"{repository}:{tag}", manifest))
    return manifest.descriptor
