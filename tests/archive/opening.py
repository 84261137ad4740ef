"""Opening an archive in a test, with a census: whatever happens, no descriptor stays open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from registry_fp.archive.docker_save import SavedImage, read_image
from registry_fp.archive.opened import OpenArchive, with_archive
from registry_fp.archive.source import docker_save
from registry_fp.archive.spool import SpoolLimits
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op

T = TypeVar("T")

# The test machine's disk may be nearly full; the reserve has its own test.
ROOMY = SpoolLimits(reserve=0)


def open_descriptors() -> int:
    """How many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a path object would open one more


async def using(
    path: Path, use: Callable[[OpenArchive], Op[T]], *, image: str | int | None = None, limits: SpoolLimits = ROOMY
) -> Ok[T] | Err[RegistryError]:
    """What `use` makes of the archive at `path`."""
    before = open_descriptors()
    out = await settle(with_archive(docker_save(path, image=image), use, limits=limits))
    assert open_descriptors() == before
    return out


def written(path: Path, content: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content)
    return path


async def image_of(path: Path, content: bytes, *, image: str | int | None = None) -> SavedImage:
    """The image in an archive with this content."""
    out = await using(written(path, content), read_image, image=image)
    assert isinstance(out, Ok), out
    return out.value


async def reason_of(path: Path, content: bytes, *, image: str | int | None = None) -> Reason:
    """Why an archive with this content gives no image."""
    out = await using(written(path, content), read_image, image=image)
    assert isinstance(out, Err), out
    assert out.error.target == str(path)
    return out.error.reason
