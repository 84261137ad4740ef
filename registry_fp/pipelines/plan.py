"""Plans: what each blob of a push is, and what it becomes on its way. Pure: it can be looked at before it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from registry_fp.archive.docker_save import SavedImage, SavedLayer
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.media_type import (
    DOCKER_CONFIG,
    OCI_CONFIG,
    Compression,
    Family,
    MediaType,
    layer_media_type,
)

__all__ = ["BlobPlan", "plan_blobs"]

# Small blobs are held in memory until every layer is proven; this bounds them all together.
_HELD: Final = 16 * 1024 * 1024


@final
@dataclass(frozen=True, slots=True)
class BlobPlan:
    """One blob to place: bytes at hand (`content`), or a layer of the archive and what it becomes.

    `length` is in bytes of the source; `whole` blobs are held in memory and sent in one PUT; `known` is what the blob
    will be, where that can be told before its bytes are read.
    """

    name: str
    length: int
    media_type: MediaType
    content: bytes | None = field(default=None, repr=False)
    layer: SavedLayer | None = None
    becomes: Compression = "none"
    whole: bool = True
    known: Descriptor | None = None

    @property
    def unnamed(self) -> bool:
        """Whether the bytes are sent as they lie in the archive, where nothing tells what they are called."""
        return self.layer is not None and self.known is None and self.layer.compression == self.becomes


def plan_blobs(
    saved: SavedImage, layers: tuple[SavedLayer, ...], compression: Compression, *, small: int
) -> tuple[Family, tuple[BlobPlan, ...]]:
    """The media types of the image, and what becomes of each blob: the configuration first, then the given layers.

    Layers of at most `small` bytes are held in memory, as long as all of them together stay small too.
    """
    kinds = {_becomes(layer, compression) for layer in layers}
    family: Family = "oci" if "zstd" in kinds else saved.family
    media_type = DOCKER_CONFIG if family == "docker" else OCI_CONFIG
    config = Descriptor(media_type=media_type, digest=saved.config_digest, size=len(saved.config_raw))
    plans = [BlobPlan("config", len(saved.config_raw), media_type, content=saved.config_raw, known=config)]
    held = 0
    for layer in layers:
        whole = layer.length <= small and held + layer.length <= _HELD
        held += layer.length if whole else 0
        plans.append(_plan(layer, _becomes(layer, compression), family, whole=whole))
    return family, tuple(plans)


def _becomes(layer: SavedLayer, compression: Compression) -> Compression:
    """A layer that is compressed already is sent as it is."""
    return compression if layer.compression == "none" else layer.compression


def _plan(layer: SavedLayer, becomes: Compression, family: Family, *, whole: bool) -> BlobPlan:
    """A layer that is sent as it lies in the archive has a name already: its claimed digest, or its diff_id."""
    media_type = layer_media_type(family, becomes)
    claimed = layer.digest if layer.digest is not None else layer.diff_id if layer.compression == "none" else None
    as_it_is = layer.compression == becomes
    known = None
    if as_it_is and claimed is not None and claimed.algorithm == "sha256":
        known = Descriptor(media_type=media_type, digest=claimed, size=layer.length)
    return BlobPlan(layer.name, layer.length, media_type, layer=layer, becomes=becomes, whole=whole, known=known)
