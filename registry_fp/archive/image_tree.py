"""The tree that the layers of an image make, laid one over the other as a runtime unpacks them.

Every path is the one that a container has: an entry beneath a folder that is a symbolic link lies where the link leads,
within the image. Names of one file are one file here, until a newer layer gives one of them something else.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, final

from registry_fp.archive.layer_entry import FileEntry
from registry_fp.archive.layer_listing import LayerListing
from registry_fp.archive.layer_scan import ENTRIES_LIMIT
from registry_fp.archive.tar_index import LINK_LIMIT
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, Unsupported
from registry_fp.domain.printable import printable

__all__ = ["FileNode", "FolderNode", "ImageTree"]

_TARGET: Final = 4095  # characters; no kernel follows a longer one
_SHOWN: Final = 200  # characters of a name in an error
_FOLLOWED: Final = 16 * 1024 * 1024  # characters of targets of links, over and over: some seconds


@final
class FileNode:
    """A file, or whatever else is no folder, with the entry that its content is from; `names` are for who looks."""

    __slots__ = ("entry", "names")

    def __init__(self, entry: FileEntry) -> None:
        self.entry: FileEntry = entry
        self.names: list[str] = []


@final
class FolderNode:
    """A folder; `entry` is the newest, or None where there is none."""

    __slots__ = ("children", "entry")

    def __init__(self, entry: FileEntry | None = None) -> None:
        self.entry: FileEntry | None = entry
        self.children: dict[str, FileNode | FolderNode] = {}


_Fault: TypeAlias = InvalidImage | LimitExceeded | Unsupported
_Walked: TypeAlias = FolderNode | _Fault | None


@final
class ImageTree:
    """The layers so far: `lay` the next one over them."""

    def __init__(self) -> None:
        self.root: FolderNode = FolderNode()
        self._made = 0
        self._followed = 0
        # What the layer on top has several times: which of them was meant can no longer be told.
        self._repeated: set[tuple[FolderNode, str]] = set()
        self._relinked: set[tuple[FolderNode, str]] = set()

    def lay(self, layer: LayerListing) -> Reason | None:
        """Lay a layer over the older ones; gives what is wrong with it, after which there is no more to lay.

        It can be `InvalidImage` ("broken link" where a hard link has nothing to link to, "link cycle"),
        `LimitExceeded`, or `Unsupported` where the layer has a path several times and it matters which is meant.
        Source: image-spec, layer, "Applying Changesets".
        """
        self._repeated.clear()
        self._relinked.clear()
        for mark in (*layer.removed.values(), *layer.emptied.values()):
            fault = self._clear(mark, layer)
            if fault is not None:
                return fault
        early: list[FileEntry] = []  # links that stand before what they link to
        for entry in layer.entries.values():
            found = self._put(entry, layer)
            if isinstance(found, Reason):
                return found
            if not found:
                early.append(entry)
        for entry in reversed(early):
            found = self._put(entry, layer)
            if isinstance(found, Reason):
                return found
            if not found:
                return InvalidImage(
                    "broken link", printable(entry.path, _SHOWN), "a hard link to nothing, or to a folder"
                )
        return None

    def _clear(self, mark: FileEntry, layer: LayerListing) -> Reason | None:
        path, name = posixpath.split(mark.path) if mark.kind == "removed" else (mark.path, None)
        folder = self._folder(path, mark, own=layer.entries)
        if not isinstance(folder, FolderNode):
            return folder
        if name is None:
            folder.children.clear()
        else:
            folder.children.pop(name, None)
        return None

    def _put(self, entry: FileEntry, layer: LayerListing) -> bool | Reason:
        """Whether an entry has its place; a link to what is not there has none."""
        if entry.path == ".":
            if entry.kind == "folder":
                self.root.entry = entry
            return True
        node = FolderNode(entry) if entry.kind == "folder" else FileNode(entry)
        if entry.kind == "hardlink":
            linked = _twice(entry) if entry.path in layer.repeated else self._linked(entry)
            if not isinstance(linked, FileNode):
                return False if linked is None else linked
            node = linked
        path, name = posixpath.split(entry.path)
        folder = self._folder(path, entry, make=True)
        if not isinstance(folder, FolderNode):
            return True if folder is None else folder
        if entry.path in layer.repeated:
            self._repeated.add((folder, name))
        if entry.path in layer.relinked:
            self._relinked.add((folder, name))
        known = folder.children.get(name)
        if isinstance(known, FolderNode) and entry.kind == "folder":
            known.entry = entry
            return True
        folder.children[name] = node
        return self._counted(known)

    def _linked(self, entry: FileEntry) -> FileNode | _Fault | None:
        path, name = posixpath.split(entry.target or ".")
        folder = self._folder(path, entry)
        if not isinstance(folder, FolderNode):
            return folder
        if (folder, name) in self._repeated:
            return _twice(entry)
        found = folder.children.get(name)
        return found if isinstance(found, FileNode) else None

    def _folder(
        self, path: str, entry: FileEntry, *, make: bool = False, own: Mapping[str, FileEntry] = MappingProxyType({})
    ) -> _Walked:
        """The folder that a path leads to, links followed and never above the root.

        Where there is none it is made, if it may be, also instead of an older layer's file; else it is None, and so it
        is beneath a link that the `own` entries of the layer replace.
        """
        trail = [self.root]
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                del trail[max(1, len(trail) - 1) :]
                continue
            child = trail[-1].children.get(part)
            if self._relinked and (trail[-1], part) in self._relinked:
                return _twice(entry)
            if isinstance(child, FolderNode):
                trail.append(child)
            elif child is not None and child.entry.kind == "symlink":
                if links == 0 and "/".join(path.split("/", len(trail))[: len(trail)]) in own:
                    return None
                target = child.entry.target or ""
                links += 1
                self._followed += len(target) + 1
                if links > LINK_LIMIT or len(target) > _TARGET:
                    return InvalidImage(
                        "link cycle", printable(entry.path, _SHOWN), f"more than {LINK_LIMIT} links, or long ones"
                    )
                if self._followed > _FOLLOWED:
                    return LimitExceeded("characters of links that are followed", _FOLLOWED)
                if target.startswith("/"):
                    del trail[1:]
                todo += target.split("/")[::-1]
            elif make and (child is None or child.entry.layer < entry.layer):
                made = FolderNode()
                trail[-1].children[part] = made
                trail.append(made)
                fault = self._counted(child)
                if isinstance(fault, LimitExceeded):
                    return fault
            else:
                return None
        return trail[-1]

    def _counted(self, before: FileNode | FolderNode | None) -> bool | LimitExceeded:
        self._made += before is None
        over = self._made > ENTRIES_LIMIT
        return LimitExceeded("paths in the layers of an image", ENTRIES_LIMIT) if over else True


def _twice(entry: FileEntry) -> Unsupported:
    return Unsupported(
        f"a layer that has a path several times, where it matters which is meant: {printable(entry.path, _SHOWN)}"
    )
