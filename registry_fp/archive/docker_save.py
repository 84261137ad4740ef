"""What `docker save` means by the members of its tar: images, their configurations and their layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from returns.result import Result

from registry_fp.archive.opened import OpenArchive
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.image_config import ImageConfig
from registry_fp.domain.media_type import Compression, Family
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import operation

__all__ = ["SavedImage", "SavedLayer", "read_image", "read_images"]


@final
@dataclass(frozen=True, slots=True)
class SavedLayer:
    """One layer: where its bytes are in the open archive, and what they claim to be.

    `offset` and `length` are bytes of the archive's descriptor; `diff_id` names the uncompressed tar; `digest` is what
    the archive calls the bytes as they lie there (only a member `blobs/<algorithm>/<hex>` says it): both are claims,
    to be proven by whoever reads the bytes.
    """

    name: str
    offset: int
    length: int
    compression: Compression
    diff_id: Digest
    digest: Digest | None = None


@final
@dataclass(frozen=True, slots=True)
class SavedImage:
    """One image of an archive: its exact configuration bytes, its layers oldest first, and its original tags."""

    name: str
    references: tuple[Reference, ...]
    config: ImageConfig
    config_raw: bytes
    config_digest: Digest
    layers: tuple[SavedLayer, ...]
    family: Family


@operation
async def read_images(archive: OpenArchive) -> Result[tuple[SavedImage, ...], RegistryError]:
    """Every image of the archive, in its order."""
    raise NotImplementedError


@operation
async def read_image(archive: OpenArchive) -> Result[SavedImage, RegistryError]:
    """The image that the archive's source chooses."""
    raise NotImplementedError
