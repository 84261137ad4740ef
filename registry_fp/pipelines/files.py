"""Files: what is in an image or in one of its layers, and the content of one file, without keeping anything else."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_entry import FileEntry
from registry_fp.archive.layer_listing import LayerListing, merged
from registry_fp.archive.layer_scan import Wanted
from registry_fp.archive.off_loop import off_loop
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import BadReference, Misconfigured, NoSuchPlatform, RegistryError
from registry_fp.domain.platform import Platform
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.file_lookup import LayerReader, find_content
from registry_fp.pipelines.image_view import ImageNoun, ImageView, IndexView, with_view
from registry_fp.transport.port import Client

__all__ = ["FILE_LIMIT", "list_files", "read_file", "with_image"]

T = TypeVar("T")

FILE_LIMIT: Final = 64 * 1024 * 1024
"""How many bytes a file may have that `read_file` gives, if nothing else is said."""


def list_files(
    client: Client, noun: ImageNoun, *, layer: int | Digest | None = None, platform: str | Platform = "local"
) -> Op[tuple[FileEntry, ...]]:
    """The files of an image as a container sees them, or those of one layer with its marks, by path.

    `layer` is a position from 0, the oldest (-1 is the newest), a digest or a diff_id. Layers are streamed and proven
    to be what they are called; nothing is kept of them. Fails with `BadReference` where there is no such layer, with
    `TarUnreadable` or `InvalidImage` where a layer is no sound tar, with `LimitExceeded` beyond a million entries or
    128 MiB of names in all layers, or as `inspect` and `get_blob`. Source: image-spec, layer.
    """
    return with_image(client, noun, platform, "list_files", partial(_listed, layer))


def read_file(
    client: Client, noun: ImageNoun, path: str, *, platform: str | Platform = "local", limit: int = FILE_LIMIT
) -> Op[bytes]:
    """The content of one file of an image, as a container sees it: links are followed, within the image.

    Layers are read from the newest on, until one has it, and proven; at most `limit` bytes of content are held. Fails
    with `NotFound`, with `InvalidImage` ("not a regular file", "broken link", "link cycle"), with `LimitExceeded` where
    the file is larger, with `Misconfigured`, or as `list_files`. Source: image-spec, layer, "Applying Changesets".
    """
    if limit < 0:
        return FutureResult.from_failure(RegistryError("read_file", path, Misconfigured("limit", "it is at least 0")))
    return with_image(client, noun, platform, "read_file", partial(_read, Wanted(path, limit)))


def with_image(
    client: Client, noun: ImageNoun, platform: str | Platform, doing: str, use: Callable[[ImageView], Op[T]]
) -> Op[T]:
    """What `use` makes of the one image that a name leads to; fails as `with_view`, and as `use`."""

    def of_image(view: ImageView | IndexView) -> Op[T]:
        if isinstance(view, ImageView):
            return use(view)
        available = tuple(str(each.platform) for each in view.index.manifests)
        return FutureResult.from_failure(RegistryError(doing, view.name, NoSuchPlatform(str(platform), available)))

    return with_view(client, noun, platform, doing, of_image)


@operation
async def _listed(layer: int | Digest | None, view: ImageView) -> Result[tuple[FileEntry, ...], RegistryError]:
    layers = LayerReader(view)
    if layer is not None:
        position = _position(view, layer)
        if not is_successful(position):
            return Failure(position.failure())
        return (await layers.listing(position.unwrap())).map(lambda found: found.ordered)
    listings: list[LayerListing] = []
    for at in range(len(view.layers)):
        found = await layers.listing(at)
        if not is_successful(found):
            return Failure(found.failure())
        listings.append(found.unwrap())
    together = await off_loop(view.name, lambda: Success(merged(listings)))
    return together.alt(partial(RegistryError, "list_files", view.name))


@operation
async def _read(wanted: Wanted, view: ImageView) -> Result[bytes, RegistryError]:
    likely = Wanted(posixpath.normpath("/" + wanted.path).lstrip("/"), wanted.limit)
    return await find_content(LayerReader(view, likely), wanted)


def _position(view: ImageView, layer: int | Digest) -> Result[int, RegistryError]:
    count = len(view.layers)
    if isinstance(layer, int):
        if -count <= layer < count:
            return Success(layer % count)
    else:
        for position, each in enumerate(view.layers):
            if layer in (each.digest, each.diff_id):
                return Success(position)
    why = f"the image has {count} layers, the first of which is 0, and this is none of them"
    return Failure(RegistryError("list_files", view.name, BadReference(str(layer), why)))
