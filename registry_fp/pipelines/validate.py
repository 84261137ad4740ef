"""Validate: is an archive what it claims to be, down to the last byte of every layer?"""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, SavedLayer, read_images
from registry_fp.archive.layer_pass import LayerPass
from registry_fp.archive.opened import OpenArchive, unchanged, with_archive
from registry_fp.archive.source import DockerSave
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError, SeveralFailed
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse_all

__all__ = ["validate"]

_AT_ONCE: Final = 4


def validate(source: DockerSave) -> Op[tuple[SavedImage, ...]]:
    """Read every image of an archive and prove every layer against its diff_id; nothing is sent anywhere.

    Fails with the first thing that makes the archive unreadable (`LocalIo`, `TarUnreadable`, `InvalidImage`), with
    the fault of the one layer that has one, or with `SeveralFailed`, which lists the faults of all layers.
    """
    return with_archive(
        source,
        lambda archive: read_images(archive).bind(
            lambda images: _proven(archive, images).bind(lambda sound: unchanged(archive).map(lambda _: sound))
        ),
    )


def _proven(archive: OpenArchive, images: tuple[SavedImage, ...]) -> Op[tuple[SavedImage, ...]]:
    different: dict[Digest, SavedLayer] = {}
    for image in images:
        for layer in image.layers:
            different.setdefault(layer.diff_id, layer)
    return (
        traverse_all(different.values(), lambda layer: _prove(archive, layer), limit=_AT_ONCE)
        .map(lambda _: images)
        .alt(lambda errors: _several(archive, errors, len(different)))
    )


@operation
async def _prove(archive: OpenArchive, layer: SavedLayer) -> Result[None, RegistryError]:
    one = LayerPass(archive, layer, doing="validate", compression=layer.compression)
    async with aclosing(one.chunks()) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
    return Success(None)


def _several(archive: OpenArchive, errors: tuple[RegistryError, ...], total: int) -> RegistryError:
    if len(errors) == 1:
        return errors[0]
    return RegistryError("validate", str(archive.source), SeveralFailed(errors, total))
