"""The archives that are pushed: every shape in which `docker save` writes an image."""

import gzip
import lzma
from collections.abc import Callable
from functools import cache
from pathlib import Path

from registry_fp.testing import SampleImage, sample_image, sample_layer, write_docker_save


@cache
def image(*tags: str, seed: int = 0) -> SampleImage:
    """Five layers: two large ones, a middling one, a tiny one, and the first one again."""
    large = sample_image(mebibytes=1, seed=seed).layers
    return sample_image(*tags, layers=(*large, sample_layer({"etc/seed": str(seed).encode()}), large[0]))


def small(*tags: str, text: str = "hello") -> SampleImage:
    """One layer of one file."""
    return sample_image(*tags, layers=[sample_layer({"etc/motd": text.encode()})])


SHAPES: dict[str, Callable[[Path], object]] = {
    "legacy": lambda path: write_docker_save(path, image("app:1.0"), layout="legacy"),
    "legacy with hard links": lambda path: write_docker_save(
        path, image("app:1.0"), layout="legacy", repeats="hardlink"
    ),
    "OCI": lambda path: write_docker_save(path, image("app:1.0")),
    "OCI with gzip": lambda path: write_docker_save(path, image("app:1.0"), compressed=True),
}
"""What Docker up to 24, Docker 25 and later, and Docker with the containerd image store write."""

WRAPPERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress}
"""What people compress archives with."""
