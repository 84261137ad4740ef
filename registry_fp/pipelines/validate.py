"""Validate: is an image on disk what it claims to be, down to the last byte of every layer?"""

from __future__ import annotations

from typing import Final, TypeAlias, overload

from registry_fp.archive.docker_save import SavedImage, read_image, read_images
from registry_fp.archive.layer_pass import prove
from registry_fp.archive.layout import with_layout, with_source
from registry_fp.archive.opened import OpenArchive, unchanged, with_archive
from registry_fp.archive.source import AnyArchive, DockerSave, ImageSource, OciLayout
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse_all
from registry_fp.pipelines.proof import all_faults
from registry_fp.pipelines.validate_layout import LayoutImage, validate_layout

__all__ = ["ValidImage", "validate"]

_AT_ONCE: Final = 4

ValidImage: TypeAlias = SavedImage | LayoutImage
"""What `validate` gives of an archive that may be of either kind."""


@overload
def validate(source: DockerSave) -> Op[tuple[SavedImage, ...]]: ...
@overload
def validate(source: OciLayout) -> Op[tuple[LayoutImage, ...]]: ...
@overload
def validate(source: AnyArchive) -> Op[tuple[ValidImage, ...]]: ...
def validate(source: ImageSource) -> Op[tuple[ValidImage, ...]]:
    """Read the images of an archive or a layout (or the one that is chosen), and prove every layer.

    Of a `docker save` archive every layer is proven against its diff_id; of a layout every blob against its digest,
    too. Fails with the first thing that makes the archive unreadable (`LocalIo`, `TarUnreadable`, `InvalidImage`,
    `MissingContent`), with the fault of the one layer that has one, or with `SeveralFailed`, which lists the faults of
    all layers.
    """
    match source:
        case DockerSave():
            return with_archive(source, _saved).map(_either)
        case OciLayout():
            return with_layout(source, validate_layout).map(_either)
        case AnyArchive():
            return with_source(
                source,
                saved=lambda archive: _saved(archive).map(_either),
                layout=lambda layout: validate_layout(layout).map(_either),
            )


def _either(images: tuple[ValidImage, ...]) -> tuple[ValidImage, ...]:
    return images


def _saved(archive: OpenArchive) -> Op[tuple[SavedImage, ...]]:
    return _meant(archive).bind(
        lambda images: _proven(archive, images).bind(lambda sound: unchanged(archive).map(lambda _: sound))
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
        .alt(lambda errors: all_faults("validate", str(archive.source), errors, len(different)))
    )
