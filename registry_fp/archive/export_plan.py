"""What of the layers of an image is in the image: decided before a byte of content is moved.

The content of every member passes by once, in its own layer: so it is written there, under one of the names that a
container has for it, and the others link to that one. Then no name needs content that was before, or comes later.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.archive.image_tree import FileNode, FolderNode, ImageTree
from registry_fp.archive.layer_listing import LayerListing
from registry_fp.domain.errors import LimitExceeded, Reason, Unsupported
from registry_fp.domain.printable import printable

__all__ = ["ExportPlan", "plan_export"]

_AT_THE_END: Final = sys.maxsize  # after every layer
_NAMES: Final = 256 * 1024 * 1024  # characters: a link to a deep folder makes long names of short ones


@final
@dataclass(frozen=True, slots=True)
class ExportPlan:
    """Which members survive: for each layer, oldest first, the names that the member of a path has in the image.

    The first name is the one with the content; the others are hard links to it. Of a path that is in its layer several
    times, only the last one counts: `repeated` says how many there are. `made` are the folders that no layer has an
    entry for, from the root down. `late` are the names of those that something can come into after their own member.
    """

    made: tuple[str, ...]
    layers: tuple[Mapping[str, tuple[str, ...]], ...] = field(repr=False)
    repeated: tuple[Mapping[str, int], ...] = field(repr=False)
    late: frozenset[str] = field(repr=False)


def plan_export(layers: Sequence[LayerListing]) -> Result[ExportPlan, Reason]:
    """Which members of these layers, oldest first, a container sees, and under which names.

    A link that lost its target has the target's content; a link whose target is another by now has that which it was
    made for. Fails with `InvalidImage` ("broken link", "link cycle"), `LimitExceeded`, and with `Unsupported` for a
    sparse file, and for a layer that has a path several times where it matters which of them is meant.

    >>> from registry_fp.archive.layer_entry import FileEntry
    >>> def layer(at, **kinds):
    ...     found = [FileEntry(path, kind, 0, 0o644, 0, 0, 0, "sh", at) for path, kind in kinds.items()]
    ...     return LayerListing({entry.path: entry for entry in found}, {}, {})
    >>> plan_export([layer(0, sh="file", bash="hardlink", zsh="hardlink"), layer(1, sh="file")]).unwrap().layers
    ({'sh': ('bash', 'zsh')}, {'sh': ('sh',)})
    """
    tree = ImageTree()
    for layer in layers:
        fault = tree.lay(layer)
        if fault is not None:
            return Failure(fault)
    made: list[str] = []
    files: list[FileNode] = []
    found: list[dict[str, tuple[str, ...]]] = [{} for _ in layers]
    names = 0
    folders: list[tuple[str, FolderNode]] = []  # each before those that lie in it
    todo: list[tuple[str, FolderNode]] = [("", tree.root)]
    while todo:
        above, folder = todo.pop()
        folders.append((above, folder))
        if folder.entry is not None:
            found[folder.entry.layer][folder.entry.path] = (above or ".",)
        elif above:
            made.append(above)
        for name, child in folder.children.items():
            path = f"{above}/{name}" if above else name
            names += len(path)
            if names > _NAMES:
                return Failure(LimitExceeded("characters of names in an image", _NAMES))
            if isinstance(child, FolderNode):
                todo.append((path, child))
                continue
            if not child.names:
                files.append(child)
            child.names.append(path)
    for file in files:
        entry = file.entry
        if entry.path in layers[entry.layer].sparse:
            return Failure(Unsupported(f"the content of a sparse file, which {printable(entry.path, 200)} is"))
        # Its own name first: whatever is made of the tar looks most like the layer.
        first, *others = sorted(file.names, key=lambda name: (name != entry.path, name))
        found[entry.layer][entry.path] = (first, *others)
        names += len(first) * len(others)  # each link has it beside its own
    if names > _NAMES:
        return Failure(LimitExceeded("characters of names in an image", _NAMES))
    repeated = tuple(layer.repeated for layer in layers)
    return Success(ExportPlan(tuple(sorted(made)), tuple(found), repeated, _late(folders)))


def _late(folders: Sequence[tuple[str, FolderNode]]) -> frozenset[str]:
    """The folders that something can come into after their own member; what is not where its layer has it can be late.

    Within a layer a folder and what lies in it follow each other as whoever built it saw fit.
    """
    at: dict[str, int] = {}
    found: set[str] = set()
    for path, folder in reversed(folders):
        end = -1 if folder.entry is None else folder.entry.layer
        if folder.entry is not None and (
            folder.entry.path != (path or ".") or any(_at(path, *child, at) > end for child in folder.children.items())
        ):
            found.add(path or ".")
            end = _AT_THE_END
        at[path] = end
    return frozenset(found)


def _at(above: str, name: str, child: FileNode | FolderNode, at: Mapping[str, int]) -> int:
    path = f"{above}/{name}" if above else name
    if isinstance(child, FolderNode):
        return at[path]
    return child.entry.layer if child.entry.path == path else _AT_THE_END
