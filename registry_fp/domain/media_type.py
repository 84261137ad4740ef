"""Media types: what content says that it is.

Constants, and the few questions that are asked of them. Unknown types pass through as they are
(image-spec, "Extensibility": implementations must not fail on an unknown media type).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = [
    "ACCEPT_MANIFEST",
    "DOCKER_CONFIG",
    "DOCKER_FOREIGN_LAYER",
    "DOCKER_FOREIGN_LAYER_GZIP",
    "DOCKER_INDEX",
    "DOCKER_LAYER",
    "DOCKER_LAYER_GZIP",
    "DOCKER_LAYER_ZSTD",
    "DOCKER_MANIFEST",
    "DOCKER_MANIFEST_V1",
    "DOCKER_MANIFEST_V1_SIGNED",
    "IMAGE_CONFIGS",
    "INDEX_TYPES",
    "MANIFEST_TYPES",
    "OCI_CONFIG",
    "OCI_EMPTY",
    "OCI_FOREIGN_LAYER",
    "OCI_FOREIGN_LAYER_GZIP",
    "OCI_FOREIGN_LAYER_ZSTD",
    "OCI_INDEX",
    "OCI_LAYER",
    "OCI_LAYER_GZIP",
    "OCI_LAYER_ZSTD",
    "OCI_MANIFEST",
    "Compression",
    "Family",
    "MediaType",
    "is_foreign",
    "layer_media_type",
]

MediaType: TypeAlias = str
"""A media type without parameters, as it stands in a descriptor."""

Compression: TypeAlias = Literal["none", "gzip", "zstd"]
"""How a layer's tar is compressed on its way to, and in, a registry."""

Family: TypeAlias = Literal["docker", "oci"]
"""Whose media types an image uses: Docker's schema 2, or the OCI image-spec's."""

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
OCI_FOREIGN_LAYER: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar"
OCI_FOREIGN_LAYER_GZIP: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
OCI_FOREIGN_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_ZSTD: Final = "application/vnd.docker.image.rootfs.diff.tar.zstd"
DOCKER_FOREIGN_LAYER: Final = "application/vnd.docker.image.rootfs.foreign.diff.tar"
DOCKER_FOREIGN_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_MANIFEST_V1: Final = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_MANIFEST_V1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"

MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
IMAGE_CONFIGS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})
INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
ACCEPT_MANIFEST: Final = ", ".join((OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX, "*/*;q=0.1"))
"""The Accept header of a manifest read (distribution-spec, end-3): every kind this library reads, then anything."""

_FOREIGN: Final = (DOCKER_FOREIGN_LAYER, OCI_FOREIGN_LAYER)  # plain, gzip and zstd all begin like this

_LAYERS: Final[dict[tuple[Family, Compression], MediaType]] = {
    ("docker", "none"): DOCKER_LAYER,
    ("docker", "gzip"): DOCKER_LAYER_GZIP,
    ("docker", "zstd"): DOCKER_LAYER_ZSTD,
    ("oci", "none"): OCI_LAYER,
    ("oci", "gzip"): OCI_LAYER_GZIP,
    ("oci", "zstd"): OCI_LAYER_ZSTD,
}


def layer_media_type(family: Family, compression: Compression) -> MediaType:
    """The media type that is true to a layer's bytes.

    >>> layer_media_type("oci", "gzip")
    'application/vnd.oci.image.layer.v1.tar+gzip'
    """
    return _LAYERS[family, compression]


def is_foreign(media_type: MediaType) -> bool:
    """Whether a layer may not be distributed, so that by default only its descriptor travels (image-spec, layer).

    >>> is_foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    True
    """
    return media_type.startswith(_FOREIGN)
