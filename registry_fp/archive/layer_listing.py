"""What a layer has, and what it hides of the layers beneath it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from registry_fp.archive.layer_entry import FileEntry

__all__ = ["LayerListing", "folders_above", "merged"]


@final
@dataclass(frozen=True, slots=True)
class LayerListing:
    """A layer's entries by path (of two with one path the last counts), and the paths that its marks are about.

    `folders` are those that its entries lie in, also without an entry of their own; `sparse`, the files whose content
    is stored without its holes; `repeated`, how often a path stands there that stands there more than once; `relinked`,
    those of them that are a symbolic link at least once, or become a folder a second time. `content` is that of the one
    file that was wanted, if it is here. `members` and `characters` are what all this took of the limits of an image.
    """

    entries: Mapping[str, FileEntry] = field(repr=False)
    removed: Mapping[str, FileEntry] = field(repr=False)
    emptied: Mapping[str, FileEntry] = field(repr=False)
    folders: frozenset[str] = field(default=frozenset(), repr=False)
    sparse: frozenset[str] = frozenset()
    repeated: Mapping[str, int] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    relinked: frozenset[str] = field(default=frozenset(), repr=False)
    members: int = 0
    characters: int = 0

    def hides(self, path: str) -> bool:
        """Whether what older layers have at a path cannot be seen through this one (it may have the path itself)."""
        return path in self.removed or any(self._covers(folder) for folder in folders_above(path))

    @property
    def ordered(self) -> tuple[FileEntry, ...]:
        """Everything that the layer says, marks too, by path."""
        every = (*self.entries.values(), *self.removed.values(), *self.emptied.values())
        return tuple(sorted(every, key=lambda entry: entry.path))

    def _covers(self, folder: str) -> bool:
        its = self.entries.get(folder)
        return folder in self.removed or folder in self.emptied or (its is not None and its.kind != "folder")


def merged(layers: Sequence[LayerListing]) -> tuple[FileEntry, ...]:
    """What all layers together make, oldest first, by path: the newest entry of each path that nothing newer hides.

    Source: image-spec, layer, "Applying Changesets".
    """
    seen: dict[str, FileEntry] = {}
    covered: set[str] = set()  # folders beneath which nothing older is seen
    gone: set[str] = set()
    for layer in reversed(layers):
        for path, entry in layer.entries.items():
            if path not in seen and path not in gone and covered.isdisjoint(folders_above(path)):
                seen[path] = entry
        gone.update(layer.removed)
        covered.update(layer.removed, layer.emptied)
        covered.update(path for path, entry in layer.entries.items() if entry.kind != "folder")
    return tuple(seen[path] for path in sorted(seen))


def folders_above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the nearest first, the root (".") last.

    >>> list(folders_above("usr/bin/env"))
    ['usr/bin', 'usr', '.']
    """
    while path and path != ".":
        path = posixpath.dirname(path) or "."
        yield path
