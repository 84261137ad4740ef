"""An image on disk that is open, whatever it is: an OCI layout (a folder or a tar), or a `docker save` archive."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, assert_never, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_files import FolderFiles, LayoutFiles, NamedTwice, TarFiles, read_file
from registry_fp.archive.layout_index import (
    INDEX_JSON,
    INDEX_JSON_LIMIT,
    LAYOUT_MARKER_LIMIT,
    OCI_LAYOUT,
    blob_name,
    parse_index_json,
    parse_layout_marker,
    pick_listed,
    whole_image,
)
from registry_fp.archive.manifest_json import MANIFEST_JSON
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.opened import OpenArchive, with_archive
from registry_fp.archive.source import AnyArchive, DockerSave, ImageSource, OciLayout
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import InvalidImage, Reason, RegistryError
from registry_fp.effect.operation import Op, operation

__all__ = ["OpenLayout", "chosen_entry", "with_layout", "with_source"]

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class OpenLayout:
    """A layout whose marker and `index.json` were read; `listed` are the manifests that it lists, in its order.

    Where these are the platforms of one image, `whole` is that image: `index.json` itself, which is then a blob, too.
    """

    source: OciLayout
    files: LayoutFiles = field(repr=False)
    listed: tuple[Descriptor, ...]
    whole: Descriptor | None = None


def with_layout(source: OciLayout, use: Callable[[OpenLayout], Op[T]]) -> Op[T]:
    """What `use` makes of the open layout, a folder or a tar, which is closed afterwards in any case.

    Fails with `InvalidImage` ("bad oci-layout", "bad index.json"), `LimitExceeded`, as `open_archive`, and as `use`.
    Source: image-spec, image-layout.
    """
    return _is_folder(source.path).bind(
        lambda folder: (
            _opened(source, FolderFiles(source.path)).bind(use)
            if folder
            else with_archive(
                DockerSave(source.path, source.image), lambda archive: _opened(source, TarFiles(archive)).bind(use)
            )
        )
    )


def with_source(
    source: ImageSource, *, saved: Callable[[OpenArchive], Op[T]], layout: Callable[[OpenLayout], Op[T]]
) -> Op[T]:
    """What one of the two makes of an open image on disk; one that was not said to be either is looked at.

    Fails as `open_archive` and `with_layout`, and as what is called.
    """
    match source:
        case DockerSave():
            return with_archive(source, saved)
        case OciLayout():
            return with_layout(source, layout)
        case AnyArchive(path=path, image=image):
            return _is_folder(path).bind(
                lambda folder: (
                    with_layout(OciLayout(path, image), layout)
                    if folder
                    else with_archive(DockerSave(path, image), partial(_looked_at, saved, layout))
                )
            )
        case _:
            assert_never(source)


def chosen_entry(layout: OpenLayout) -> Result[Descriptor, RegistryError]:
    """The manifest that the layout's source chooses; without a choice, the image whose platforms are listed.

    Fails with `InvalidImage` as `pick_listed`.
    """
    if layout.source.image is None and layout.whole is not None:
        return Success(layout.whole)
    chosen = pick_listed(layout.listed, layout.source.image)
    return chosen.alt(lambda reason: RegistryError("read_image", layout.source.path, reason))


def _looked_at(
    saved: Callable[[OpenArchive], Op[T]], layout: Callable[[OpenLayout], Op[T]], archive: OpenArchive
) -> Op[T]:
    if MANIFEST_JSON in archive.index or OCI_LAYOUT not in archive.index:
        return saved(archive)
    source = OciLayout(archive.source.path, archive.source.image)
    return _opened(source, TarFiles(archive)).bind(layout)


@operation
async def _is_folder(path: str) -> Result[bool, RegistryError]:
    # What is not there, or cannot be named, is for whoever opens it to say.
    there = await off_loop(path, lambda: Success(os.path.isdir(path)))  # noqa: PTH112  the path as it was given
    return there.alt(partial(RegistryError, "open_archive", path))


@operation
async def _opened(source: OciLayout, files: LayoutFiles) -> Result[OpenLayout, RegistryError]:
    marked = await read_file(
        files,
        OCI_LAYOUT,
        parse_layout_marker,
        missing=InvalidImage("bad oci-layout", OCI_LAYOUT, "it is not there"),
        limit=LAYOUT_MARKER_LIMIT,
    )
    if not is_successful(marked):
        return Failure(RegistryError("read_image", source.path, marked.failure()))
    index = await read_file(
        files,
        INDEX_JSON,
        _indexed,
        missing=InvalidImage("bad index.json", INDEX_JSON, "it is not there"),
        limit=INDEX_JSON_LIMIT,
    )
    if not is_successful(index):
        return Failure(RegistryError("read_image", source.path, index.failure()))
    listed, whole = index.unwrap()
    if whole is not None:
        files = NamedTwice(files, INDEX_JSON, blob_name(whole))
    return Success(OpenLayout(source, files, listed, whole))


def _indexed(raw: bytes) -> Result[tuple[tuple[Descriptor, ...], Descriptor | None], Reason]:
    return parse_index_json(raw).map(lambda listed: (listed, whole_image(raw, listed)))
