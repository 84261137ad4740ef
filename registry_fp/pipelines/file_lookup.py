"""Looking a file up in an image: its layers from the newest on, and its links as a container follows them."""

from __future__ import annotations

import posixpath
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_entry import FileEntry
from registry_fp.archive.layer_files import read_layer
from registry_fp.archive.layer_listing import LayerListing
from registry_fp.archive.layer_scan import ENTRIES_LIMIT, NAMES_LIMIT, LayerScan, Visitor, Wanted
from registry_fp.archive.tar_header import brief
from registry_fp.archive.tar_index import LINK_LIMIT
from registry_fp.domain.errors import InvalidImage, LimitExceeded, NotFound, Reason, RegistryError, Unsupported
from registry_fp.pipelines.image_view import ImageView

__all__ = ["LayerReader", "find_content"]

_ABSENT: Final = NotFound("file")
_TARGET: Final = 4095  # characters; no kernel follows a longer one


@final
class LayerReader:
    """The layers of an image: each is read when it is first asked for, and its listing is known from then on."""

    def __init__(self, view: ImageView, wanted: Wanted | None = None) -> None:
        self.view = view
        self.wanted = wanted
        self._known: dict[int, LayerListing] = {}

    async def listing(self, position: int) -> Result[LayerListing, RegistryError]:
        """What one layer has, with the wanted file's content. Fails as `read_layer`."""
        known = self._known.get(position)
        if known is not None:
            return Success(known)
        read = await self.read(position, self.wanted)
        if is_successful(read):
            self._known[position] = read.unwrap()
        return read

    async def read(
        self, position: int, wanted: Wanted | None, visitor: Visitor | None = None
    ) -> Result[LayerListing, RegistryError]:
        """What one layer has, read anew, with the content of another file, or for a visitor. Fails as `read_layer`."""
        others = [each for at, each in self._known.items() if at != position]
        room = ENTRIES_LIMIT - sum(each.members for each in others)
        characters = NAMES_LIMIT - sum(each.characters for each in others)
        layer = self.view.layers[position]
        target = f"{self.view.name.partition('@')[0]}@{layer.digest or layer.diff_id}"
        async with layer.body.opened() as chunks:
            scan = LayerScan(position, wanted, room=room, characters=characters, visitor=visitor)
            return await read_layer(chunks, scan, target=target, diff_id=layer.diff_id)


async def find_content(layers: LayerReader, wanted: Wanted) -> Result[bytes, RegistryError]:
    """The content of the file that a path leads to.

    Fails with `NotFound`, `InvalidImage` ("not a regular file", "broken link", "link cycle"), `LimitExceeded`,
    `Unsupported` (a sparse file), and as `LayerReader.listing`.
    """
    target = f"{layers.view.name}:{brief(wanted.path)}"
    failed = partial(RegistryError, "read_file", target)
    found = await _found(layers, wanted.path)
    if not is_successful(found):
        fault = found.failure()
        return Failure(fault if isinstance(fault, RegistryError) else failed(fault))
    entry = found.unwrap()
    listing = await layers.listing(entry.layer)
    if not is_successful(listing):
        return Failure(listing.failure())
    if entry.path in listing.unwrap().sparse:
        return Failure(failed(Unsupported("the content of sparse files")))
    if entry.size > wanted.limit:
        return Failure(failed(LimitExceeded("bytes in a file", wanted.limit)))
    content = listing.unwrap().content
    if content is None or layers.wanted is None or entry.path != layers.wanted.path:
        again = await layers.read(entry.layer, Wanted(entry.path, wanted.limit))
        if not is_successful(again):
            return Failure(again.failure())
        content = again.unwrap().content
    return Success(content or b"")


async def _found(layers: LayerReader, path: str) -> Result[FileEntry, RegistryError | Reason]:
    """The regular file that a path leads to."""
    if ".." not in path.split("/"):
        # Most often the path is the file's own, and then the layers beneath it need not be read for its folders.
        own = await _placed(layers, posixpath.normpath("/" + path).lstrip("/") or ".")
        if not is_successful(own):
            return Failure(own.failure())
        entry = own.unwrap()
        if entry is not None and entry.kind == "file":
            return Success(entry)
    return await _walked(layers, path)


async def _walked(layers: LayerReader, path: str) -> Result[FileEntry, RegistryError | Reason]:
    """The same, step by step through folders and links; nothing leads above the image's root."""
    todo = path.split("/")[::-1]
    folder: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            folder = folder[:-1]
            continue
        found = await _placed(layers, "/".join((*folder, part)))
        if not is_successful(found):
            return Failure(found.failure())
        entry = found.unwrap()
        match None if entry is None else entry.kind:
            case "folder":
                folder.append(part)
            case "symlink" if entry is not None and links < LINK_LIMIT:
                links += 1
                target = entry.target or ""
                if len(target) > _TARGET:
                    return Failure(InvalidImage("broken link", brief(path), f"a target of {len(target)} characters"))
                folder = [] if target.startswith("/") else folder
                todo += target.split("/")[::-1]
            case "symlink":
                return Failure(InvalidImage("link cycle", brief(path), f"more than {LINK_LIMIT} links"))
            case "file" if entry is not None and not any(left not in {"", "."} for left in todo):
                return Success(entry)
            case "device" | "pipe" if not todo:
                return Failure(InvalidImage("not a regular file", brief(path), "it is a device or a pipe"))
            case _:
                return Failure(InvalidImage("broken link", brief(path)) if links else _ABSENT)
    return Failure(InvalidImage("not a regular file", brief(path), "it is a folder"))


async def _placed(layers: LayerReader, path: str) -> Result[FileEntry | None, RegistryError]:
    """What is at a path, hard links followed; a link names what its own layer saw, whatever newer ones have there."""
    top = len(layers.view.layers) - 1
    for _ in range(LINK_LIMIT):
        seen = await _seen(layers, path, top)
        if not is_successful(seen):
            return seen
        entry = seen.unwrap()
        if entry is None or entry.kind != "hardlink":
            return seen
        path, top = entry.target or ".", entry.layer
    return Success(None)


async def _seen(layers: LayerReader, path: str, top: int) -> Result[FileEntry | None, RegistryError]:
    """What is at a path, seen through the layers from `top` down to the oldest."""
    folder: FileEntry | None = None
    for position in range(top, -1, -1):
        listing = await layers.listing(position)
        if not is_successful(listing):
            return Failure(listing.failure())
        layer = listing.unwrap()
        if path in layer.entries:
            return Success(layer.entries[path])
        if folder is None and path in layer.folders:
            folder = FileEntry(path, "folder", 0, 0o755, 0, 0, 0, None, position)  # unless an older layer has a link
        if layer.hides(path):
            break
    return Success(folder)
