"""The archives that are pushed: every shape in which `docker save` writes an image."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from functools import cache
from pathlib import Path

from registry_fp.testing import SampleImage, sample_image, sample_layer, write_docker_save
from tests.archive.tars import Save


@cache
def image(*tags: str, seed: int = 0) -> SampleImage:
    """Five layers: two large ones, a middling one, a tiny one, and the first one again."""
    large = sample_image(mebibytes=1, seed=seed).layers
    return sample_image(*tags, layers=(*large, sample_layer({"etc/seed": str(seed).encode()}), large[0]))


def small(*tags: str, text: str = "hello") -> SampleImage:
    """One layer of one file."""
    return sample_image(*tags, layers=[sample_layer({"etc/motd": text.encode()})])


def packed(saved: SampleImage, level: int = 6) -> Save:
    """An archive as go-containerregistry writes it: compressed layers, whose names tell nothing about their bytes."""
    names = tuple(f"{diff_id.hex}.tar.gz" for diff_id in dict.fromkeys(saved.diff_ids))
    listed = [f"{diff_id.hex}.tar.gz" for diff_id in saved.diff_ids]
    layers = tuple(gzip.compress(layer, level, mtime=0) for layer in dict.fromkeys(saved.layers))
    entry = {"Config": "config.json", "RepoTags": list(saved.tags), "Layers": listed}
    return Save(layers, config_raw=saved.config, config_name="config.json", layer_names=names, manifest=[entry])


SHAPES: dict[str, Callable[[Path], object]] = {
    "legacy": lambda path: write_docker_save(path, image("app:1.0"), layout="legacy"),
    "legacy with hard links": lambda path: write_docker_save(
        path, image("app:1.0"), layout="legacy", repeats="hardlink"
    ),
    "legacy with gzip": lambda path: path.write_bytes(bytes(packed(image("app:1.0")))),
    "OCI": lambda path: write_docker_save(path, image("app:1.0")),
    "OCI with gzip": lambda path: write_docker_save(path, image("app:1.0"), compressed=True),
}
"""What Docker up to 24, go-containerregistry and Jib, Docker 25 and later, and the containerd image store write."""

WRAPPERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}
"""What people compress archives with."""
