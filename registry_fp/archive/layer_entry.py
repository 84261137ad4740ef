"""One entry of a layer: a file as the layer's tar says it, or the mark by which a layer removes what is beneath it.

Layers come from everywhere and are unpacked by others every day, so what is odd is read as a runtime reads it, and
not refused: a name in an unknown encoding, an absolute one, one that would climb out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from registry_fp.archive.tar_header import Header, parse_attributes

__all__ = ["EntryKind", "FileEntry", "entry_of", "is_sparse", "stored_size"]

EntryKind: TypeAlias = Literal["file", "folder", "symlink", "hardlink", "device", "pipe", "removed", "emptied"]
"""What an entry is: "removed" takes away what older layers have there, "emptied" what they have in that folder."""

_KINDS: Final[dict[str, EntryKind]] = {"1": "hardlink", "2": "symlink", "3": "device", "4": "device", "6": "pipe"}
_WITHOUT_CONTENT: Final = frozenset("123456")  # whatever their size says
_NUMBER: Final = re.compile(rb"-?[0-9]{1,18}")
_MARK: Final = ".wh."
_META: Final = ".wh..wh."
_EMPTIED: Final = ".wh..wh..opq"


@final
@dataclass(frozen=True, slots=True)
class FileEntry:
    """One path of an image or of a layer, without a slash before it; "." is the root.

    `size` is in bytes; `mode` holds the permission bits; `modified` is in seconds since 1970. `target` is where a link
    leads, as it is written; for a hard link it is a path. `layer` is the position of the layer that it comes from. A
    name that is not UTF-8 holds its bytes as surrogates (`os.fsdecode`). Source: image-spec, layer.
    """

    path: str
    kind: EntryKind
    size: int
    mode: int
    uid: int
    gid: int
    modified: int
    target: str | None
    layer: int


def entry_of(header: Header, block: bytes, long: Mapping[bytes, bytes], layer: int) -> FileEntry | None:
    """The entry that a header stands for, with what stood before it (pax records, or long names under pax's keys).

    None is what only the layer's builder needed, aufs' own marks, and a mark that names nothing.
    """
    raw = long.get(b"GNU.sparse.name") or long.get(b"path") or header.name
    path = _path(raw)
    kind: EntryKind = _KINDS.get(header.type, "file")
    if header.type == "5" or (header.type == "\0" and raw.endswith(b"/")):
        kind = "folder"
    folder, name = posixpath.split(path)
    if name == _EMPTIED:
        kind, path = "emptied", folder or "."
    elif name.startswith(_META):
        return None
    elif name.startswith(_MARK):
        removed = name.removeprefix(_MARK)
        if removed in {"", ".", ".."}:
            return None
        kind, path = "removed", posixpath.join(folder, removed)
    link = long.get(b"linkpath") or header.link
    known = parse_attributes(block)
    return FileEntry(
        path=path,
        kind=kind,
        size=_shown_size(header, block, long) if kind == "file" else 0,
        mode=known.mode,
        uid=_number(long, b"uid", known.uid),
        gid=_number(long, b"gid", known.gid),
        modified=_number(long, b"mtime", known.modified),
        target=_target(kind, link),
        layer=layer,
    )


def stored_size(header: Header, long: Mapping[bytes, bytes]) -> int:
    """How many bytes of content follow the header."""
    return 0 if header.type in _WITHOUT_CONTENT else _number(long, b"size", header.size)


def is_sparse(header: Header, long: Mapping[bytes, bytes]) -> bool:
    """Whether what follows the header is not the content itself, but the parts of it that are no holes."""
    return header.type == "S" or any(key.startswith(b"GNU.sparse.") for key in long)


def _shown_size(header: Header, block: bytes, long: Mapping[bytes, bytes]) -> int:
    if header.type == "S":
        return parse_attributes(block).real_size
    stored = stored_size(header, long)
    return _number(long, b"GNU.sparse.realsize", _number(long, b"GNU.sparse.size", stored))


def _path(raw: bytes) -> str:
    """The path as a runtime places it: from the root, and never above it."""
    text = raw.decode("utf-8", "surrogateescape").replace("\0", "")
    return posixpath.normpath("/" + text).lstrip("/") or "."


def _target(kind: EntryKind, link: bytes) -> str | None:
    if kind == "hardlink":
        return _path(link)
    return link.decode("utf-8", "surrogateescape") if kind == "symlink" else None


def _number(long: Mapping[bytes, bytes], key: bytes, otherwise: int) -> int:
    """A pax number; its fraction is dropped, and what is no number counts for nothing."""
    found = _NUMBER.match(long.get(key, b""))
    return otherwise if found is None else int(found[0])
