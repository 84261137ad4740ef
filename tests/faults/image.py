"""The image that is pushed: a configuration, a small layer, one that is streamed, one that is compressed already."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from registry_fp import Settings
from registry_fp.testing.sample_archive import sample_image, sample_layer
from tests.acceptance.reader import Saved

SMALL_BLOB = 16 * 1024
"""Layers beyond this are streamed; the small one is 10 KiB of tar."""


@dataclass(frozen=True)
class Archive:
    """A written archive, and what an independent reader has to find in the registry."""

    path: Path
    saved: Saved


@cache
def _layers(seed: int) -> tuple[bytes, bytes, bytes]:
    noise = random.Random(seed)  # noqa: S311  the same every time, and no secret
    return (
        sample_layer({"etc/motd": b"hello %d" % seed}),
        sample_layer({"usr/lib/one": noise.randbytes(90_000)}),
        sample_layer({"usr/lib/two": noise.randbytes(70_000)}),
    )


def write_mixed(path: Path, *, seed: int = 0, spoil: frozenset[int] = frozenset()) -> Archive:
    """The image in a legacy archive, whose third layer somebody has compressed.

    `spoil` numbers the layers that are sound, and have another content than their diff_id says.
    """
    layers = _layers(seed)
    image = sample_image("app:1.0", layers=layers)
    other = _layers(seed + 1000)
    contents = [other[n] if n in spoil else layer for n, layer in enumerate(layers)]
    contents[2] = gzip.compress(contents[2], compresslevel=1, mtime=0)
    names = [f"{n}/layer.tar" for n in range(len(contents))]
    config = f"{image.config_digest.hex}.json"
    listed = [{"Config": config, "RepoTags": ["app:1.0"], "Layers": names}]
    members = {config: image.config, **dict(zip(names, contents, strict=True))}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in {**members, "manifest.json": json.dumps(listed).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return Archive(path, Saved(("app:1.0",), image.config))


def settings(**chosen: float) -> Settings:
    """One blob after the other, so that the order of the requests is the same each time, and nothing remembered."""
    return Settings.model_validate({"cache": False, "small_blob": SMALL_BLOB, "concurrency": 1, **chosen})
