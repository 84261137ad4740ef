"""Images with a thousand parts, put into a registry and read back by hand: none of our code takes part."""

import json
from contextlib import closing
from random import Random

from tests.copy import made
from tests.copy.made import Made
from tests.testing.wire import Wire

SHARED = made.layer("shared")


def image(number: int) -> Made:
    """An image with a configuration of its own, over the layer that all of them share."""
    system = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    return _image(json.dumps({"author": f"number {number}", **system}).encode(), SHARED)


def index(count: int) -> Made:
    """An index of so many images."""
    return made.index(*map(image, range(count)), annotations={"org.opencontainers.image.ref.name": "kept"})


def wide(count: int, size: int = 100) -> Made:
    """One image of so many layers, of so many bytes each."""
    return _image(b"{}", *(Random(number).randbytes(size) for number in range(count)))  # noqa: S311 - bytes


def put(host: str, path: str, whole: Made, tag: str) -> None:
    """Put an image, and everything that it lists, into a registry."""
    wire = Wire(host)
    with closing(wire.connection):
        for content in whole.content.values():
            wire.put_blob(path, content)
        for each in {each.digest: each for each in whole.all()}.values():
            name = tag if each is whole else each.digest
            done = wire.ask("PUT", f"/v2/{path}/manifests/{name}", each.raw, Content_Type=each.media_type)
            assert done.status == 201, done


def check(host: str, path: str, whole: Made, tag: str) -> None:
    """A registry has an image with everything beneath it, byte for byte."""
    wire = Wire(host)
    with closing(wire.connection):
        for each in {each.digest: each for each in whole.all()}.values():
            name = tag if each is whole else each.digest
            got = wire.ask("GET", f"/v2/{path}/manifests/{name}", Accept=each.media_type)
            assert (got.status, got.body, got.headers["Content-Type"]) == (200, each.raw, each.media_type)
        for digest, content in whole.content.items():
            assert wire.ask("GET", f"/v2/{path}/blobs/{digest}").body == content


def _image(config: bytes, *layers: bytes) -> Made:
    document = {
        "schemaVersion": 2,
        "mediaType": made.MANIFEST,
        "config": made.pointer(made.CONFIG, config),
        "layers": [made.pointer(made.LAYER, each) for each in layers],
    }
    return Made(made.MANIFEST, json.dumps(document).encode(), {made.sha256(each): each for each in (config, *layers)})
