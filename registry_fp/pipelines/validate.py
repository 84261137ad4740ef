"""Validate: is an archive what it claims to be, down to the last byte of every layer?"""

from __future__ import annotations

from typing import Final

from registry_fp.archive.docker_save import SavedImage, read_image, read_images
from registry_fp.archive.layer_pass import prove
from registry_fp.archive.opened import OpenArchive, unchanged, with_archive
from registry_fp.archive.source import DockerSave
from registry_fp.domain.errors import RegistryError, SeveralFailed
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse_all

__all__ = ["validate"]

_AT_ONCE: Final = 4


def validate(source: DockerSave) -> Op[tuple[SavedImage, ...]]:
    """Read the images of an archive (or the one that is chosen) and prove every layer against its diff_id.

    Fails with the first thing that makes the archive unreadable (`LocalIo`, `TarUnreadable`, `InvalidImage`), with
    the fault of the one layer that has one, or with `SeveralFailed`, which lists the faults of all layers.
    """
    return with_archive(
        source,
        lambda archive: _meant(archive).bind(
            lambda images: _proven(archive, images).bind(lambda sound: unchanged(archive).map(lambda _: sound))
        ),
    )


def _meant(archive: OpenArchive) -> Op[tuple[SavedImage, ...]]:
    if archive.source.image is None:
        return read_images(archive)
    return read_image(archive).map(lambda image: (image,))


def _proven(archive: OpenArchive, images: tuple[SavedImage, ...]) -> Op[tuple[SavedImage, ...]]:
    different = {(layer.diff_id, layer.offset): layer for image in images for layer in image.layers}
    reading = operation(prove)
    return (
        traverse_all(different.values(), lambda layer: reading(archive, layer, doing="validate"), limit=_AT_ONCE)
        .map(lambda _: images)
        .alt(lambda errors: _several(archive, errors, len(different)))
    )


def _several(archive: OpenArchive, errors: tuple[RegistryError, ...], total: int) -> RegistryError:
    if len(errors) == 1:
        return errors[0]
    return RegistryError("validate", str(archive.source), SeveralFailed(errors, total))
