"""A pass over a layer's tar as its bytes come by: what is in it, and the content of one file if that is wanted.

Nothing is looked at twice and nothing is written; a visitor sees every member while it passes by. What a hostile layer
can cost is bounded by the limits below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_entry import FileEntry, entry_of, is_sparse, stored_size
from registry_fp.archive.layer_listing import LayerListing, folders_above
from registry_fp.archive.tar_header import BLOCK, END_BLOCK, Header, parse_header, parse_pax
from registry_fp.domain.errors import LimitExceeded, Reason, TarFault, TarUnreadable

__all__ = ["ENTRIES_LIMIT", "NAMES_LIMIT", "LayerScan", "Visitor", "Wanted"]

ENTRIES_LIMIT: Final = 1_000_000
"""How many entries the layers of one image may have together; the largest images have some hundred thousand.

Marks count, and so does every entry of a path that has several.
"""

NAMES_LIMIT: Final = 128 * 1024 * 1024
"""How many characters the layers of one image may have together in names, the folders above them, and link targets."""

_PAYLOAD: Final = 1024 * 1024  # bytes of one long name, or of one member's pax records: extended attributes are there
_BEFORE: Final = 4 * _PAYLOAD  # bytes of all that stands before one member
_MARKS: Final = frozenset({"removed", "emptied"})
_LONG: Final = {"L": b"path", "K": b"linkpath"}


@final
@dataclass(frozen=True, slots=True)
class Wanted:
    """The file whose content is to be kept, if it has at most `limit` bytes."""

    path: str
    limit: int


class Visitor(Protocol):
    """Whoever sees the members of a layer pass by, marks aside; what it finds wrong ends the pass."""

    def member(self, entry: FileEntry, block: bytes, records: Mapping[bytes, bytes]) -> Reason | None:
        """The next member: its header as it stands there, and the pax records (or long names) that stood before it."""

    def content(self, piece: memoryview) -> Reason | None:
        """The next bytes of the content of a member, or of what is none."""


@final
class LayerScan:
    """A pass under way: `feed` it the bytes of the plain tar, in pieces of any size, then `finish`."""

    def __init__(
        self,
        layer: int,
        wanted: Wanted | None = None,
        *,
        room: int = ENTRIES_LIMIT,
        characters: int = NAMES_LIMIT,
        visitor: Visitor | None = None,
    ) -> None:
        self._layer = layer
        self._wanted = wanted
        self._visitor = visitor
        self._room = room
        self._characters = characters
        self._entries: dict[str, FileEntry] = {}
        self._removed: dict[str, FileEntry] = {}
        self._emptied: dict[str, FileEntry] = {}
        self._folders: set[str] = set()
        self._sparse: set[str] = set()
        self._repeated: dict[str, int] = {}
        self._relinked: set[str] = set()
        self._members = 0
        self._kept: bytearray | None = None  # the wanted file's content, as far as it has come
        self._long: dict[bytes, bytes] = {}  # what stood before the next member
        self._before = 0
        self._extra: Header | None = None  # what the bytes that are gathered belong to, if not to a header
        self._mapped: int | None = None  # the content that follows the map of an old sparse file
        self._part = bytearray()
        self._missing = BLOCK
        self._content = 0  # bytes of content that are still to come, and then of padding
        self._padding = 0
        self._at = 0
        self._names = 0
        self._ended = False

    def feed(self, data: bytes) -> Reason | None:
        """Take in the next bytes; gives what is wrong with them, after which there is no more to feed.

        It can be `TarUnreadable` (naming the place in the plain tar), `LimitExceeded`, or what the visitor found.
        """
        view = memoryview(data)
        while view and not self._ended:
            taken = self._content or self._padding or self._missing - len(self._part)
            piece, view = view[:taken], view[taken:]
            self._at += len(piece)
            fault: Reason | None = None
            if self._content:
                self._content -= len(piece)
                if self._keeping and self._kept is not None:
                    self._kept += piece
                if self._visitor is not None:
                    fault = self._visitor.content(piece)
            elif self._padding:
                self._padding -= len(piece)
            else:
                self._part += piece
                fault = self._gathered() if len(self._part) == self._missing else None
            if fault is not None:
                return fault
        return None

    def finish(self) -> Result[LayerListing, Reason]:
        """What the layer has. Fails with `TarUnreadable` where it ends in the middle of a member.

        A tar without its end marker is whole, and so is one without the padding of its last member: tools write both.
        """
        if not self._ended and (self._content or self._part or self._long or self._extra is not None):
            return Failure(self._fault("truncated"))
        kept = None if self._kept is None else bytes(self._kept)
        listing = LayerListing(
            self._entries,
            self._removed,
            self._emptied,
            folders=frozenset(self._folders),
            sparse=frozenset(self._sparse),
            repeated=self._repeated,
            relinked=frozenset(self._relinked),
            content=kept,
            members=self._members,
            characters=self._names,
        )
        return Success(listing)

    def _gathered(self) -> Reason | None:
        part = bytes(self._part)
        self._part.clear()
        self._missing = BLOCK
        if self._mapped is not None:
            if part[504] == 0:  # the last block of the map
                size, self._mapped = self._mapped, None
                self._content, self._padding = size, -size % BLOCK
            return None
        if self._extra is not None:
            header, self._extra = self._extra, None
            self._padding = -header.size % BLOCK
            return self._note(header, part)
        if part == END_BLOCK:
            self._ended = True
            return None
        return self._header(part)

    def _header(self, block: bytes) -> Reason | None:
        parsed = parse_header(block)
        if not is_successful(parsed):
            first = self._at == BLOCK
            return self._fault("not a tar") if first else self._fault("bad header", parsed.failure())
        header = parsed.unwrap()
        if header.type in "LKxXg":
            self._before += header.size
            if header.size > _PAYLOAD or self._before > _BEFORE:
                return self._fault("hostile header", f"a name or pax header of {header.size} bytes")
            if header.size:
                self._extra, self._missing = header, header.size
            return None
        return self._member(header, block)

    def _note(self, header: Header, payload: bytes) -> Reason | None:
        """A long name, or pax records; those for all members together (g) say nothing about files."""
        if header.type in _LONG:
            self._long.setdefault(_LONG[header.type], payload.partition(b"\0")[0])
        elif header.type != "g":
            records = parse_pax(payload)
            if not is_successful(records):
                return self._fault("bad header", records.failure())
            self._long.update(records.unwrap())
        return None

    def _member(self, header: Header, block: bytes) -> Reason | None:
        long, self._long, self._before, self._keeping = self._long, {}, 0, False
        entry = entry_of(header, block, long, self._layer)
        size = stored_size(header, long)
        if size < 0:
            return self._fault("bad header", "the size is negative")
        fault = None if entry is None else self._enter(entry, sparse=is_sparse(header, long))
        if fault is None and entry is not None and self._visitor is not None and entry.kind not in _MARKS:
            fault = self._visitor.member(entry, block, long)
        if header.extended:
            self._mapped = size
        else:
            self._content, self._padding = size, -size % BLOCK
        return fault

    def _enter(self, entry: FileEntry, *, sparse: bool) -> Reason | None:
        self._names += len(entry.path) + len(entry.target or "")
        self._members += 1
        if self._members > self._room:
            return LimitExceeded("entries in the layers of an image", ENTRIES_LIMIT)
        match entry.kind:
            case "removed":
                self._removed[entry.path] = entry
            case "emptied":
                self._emptied[entry.path] = entry
            case _:
                before = self._entries.get(entry.path)
                if before is not None:
                    self._repeated[entry.path] = self._repeated.get(entry.path, 1) + 1
                    again = entry.kind == "folder" != before.kind and entry.path in self._folders
                    if again or "symlink" in {before.kind, entry.kind}:
                        self._relinked.add(entry.path)
                self._entries[entry.path] = entry
                self._note_folders(entry.path)
                self._look(entry, sparse=sparse)
        over = self._names > self._characters
        return LimitExceeded("characters of names in the layers of an image", NAMES_LIMIT) if over else None

    def _note_folders(self, path: str) -> None:
        for folder in folders_above(path):
            if folder in self._folders or self._names > self._characters:  # where it is known, those above it are, too
                return
            self._folders.add(folder)
            self._names += len(folder)

    def _look(self, entry: FileEntry, *, sparse: bool) -> None:
        """Whether the content that follows is wanted; what an earlier entry of the same path had is not."""
        self._sparse.discard(entry.path)
        if sparse:
            self._sparse.add(entry.path)
        if self._wanted is not None and self._wanted.path == entry.path:
            fits = entry.kind == "file" and not sparse and entry.size <= self._wanted.limit
            self._keeping, self._kept = fits, bytearray() if fits else None

    def _fault(self, kind: TarFault, detail: str = "") -> TarUnreadable:
        return TarUnreadable(kind, None, self._at, detail)
