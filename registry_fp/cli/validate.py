"""Validating: is an image what it claims to be, in a registry or on disk?"""

from __future__ import annotations

from returns.future import FutureResult

from registry_fp import (
    AnyArchive,
    Client,
    LayoutImage,
    Misconfigured,
    Op,
    RegistryError,
    RemoteImage,
    SavedImage,
    ValidImage,
    validate,
    validate_remote,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.inspection import registry_of, source_of
from registry_fp.cli.noun import pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.session import Question, ask
from registry_fp.cli.size import human_size
from registry_fp.cli.validated_document import ValidatedDocument, ValidatedImageDocument

__all__ = ["validate_image"]


def validate_image(noun: str, image: str | None, platform: str | None, remote: RemoteOptions, show: ShowOptions) -> int:
    """Is every byte of this image there, and what it should be?"""
    on_disk = source_of(noun, image)

    def read(client: Client) -> Op[tuple[ValidatedImageDocument, ...]]:
        if on_disk is None:
            return validate_remote(client, noun, platform=platform).map(lambda found: (_remote(found),))
        return _read(on_disk, platform).map(lambda found: tuple(_local(each, noun) for each in found))

    def answer(found: tuple[ValidatedImageDocument, ...]) -> Answer:
        lines = "\n".join(_line(each) for each in found)
        digests = "\n".join(each.digest or printable(each.name) for each in found)
        return Answer(ValidatedDocument(noun, found), lines, digests, found)

    return ask(Question("validate", noun, registry_of("validate", noun, image), read), answer, remote, show)


def _read(source: AnyArchive, platform: str | None) -> Op[tuple[ValidImage, ...]]:
    if platform is None:
        return validate(source)
    wrong = Misconfigured("platform", f"it chooses from an index in a registry, and {source.path} is read whole")
    return FutureResult.from_failure(RegistryError("validate", source.path, wrong))


def _remote(image: RemoteImage) -> ValidatedImageDocument:
    return ValidatedImageDocument(
        name=str(image.reference),
        digest=str(image.digest),
        kind="registry",
        manifests=len(image.manifests),
        blobs=len(image.blobs),
        size=image.size,
        foreign=tuple(str(each.digest) for each in image.foreign),
    )


def _local(image: SavedImage | LayoutImage, path: str) -> ValidatedImageDocument:
    if isinstance(image, LayoutImage):
        return ValidatedImageDocument(
            name=image.name or path,
            digest=str(image.manifest.digest),
            kind="layout",
            manifests=len(image.manifests),
            blobs=len(image.blobs),
            size=sum(each.size for each in (*image.manifests, *image.blobs)),
            foreign=tuple(str(each.digest) for each in image.foreign),
        )
    layers = {(layer.offset, layer.length) for layer in image.layers}
    return ValidatedImageDocument(
        name=image.name,
        digest=None,
        kind="archive",
        manifests=0,
        blobs=1 + len(layers),
        size=len(image.config_raw) + sum(length for _, length in layers),
        foreign=(),
    )


def _line(image: ValidatedImageDocument) -> str:
    name = image.name if image.digest is None else pinned(image.name, image.digest)
    if image.digest is not None and image.digest.startswith(image.name):  # nobody gave it another name
        name = image.digest
    figures = [f"{image.manifests} manifests"] if image.manifests > 1 else []
    figures += [f"{image.blobs} {'blob' if image.blobs == 1 else 'blobs'}", human_size(image.size)]
    if image.foreign:
        figures.append(f"{len(image.foreign)} not asked for, because they may not be distributed")
    return f"{printable(name)} ok: {', '.join(figures)}"
