"""Writing the tar of an image's file system while its layers pass by, the oldest first.

A folder that something comes into later stands at the end: whoever unpacks the tar could not write into it once it has
its permissions, and it would lose its time.
"""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Result, Success

from registry_fp.archive.export_plan import ExportPlan
from registry_fp.archive.layer_entry import EntryKind, FileEntry
from registry_fp.archive.member_header import MemberType, render_header, render_link
from registry_fp.archive.off_loop import guarded
from registry_fp.archive.tar_header import BLOCK, END_BLOCK
from registry_fp.archive.write_behind import WriteBehind
from registry_fp.domain.errors import LimitExceeded, Reason

__all__ = ["ExportWriter"]

_HELD: Final = 64 * 1024 * 1024  # bytes of headers of folders, compressed, that wait for the end
_TOGETHER: Final = 256 * 1024  # bytes: most members of most images are far smaller
_KINDS: Final[dict[EntryKind, MemberType]] = {"folder": "5", "symlink": "2", "pipe": "6"}


@final
class ExportWriter:
    """A tar under way in an open file: `begin`, `turn_to` each layer and be its `Visitor`, `finish`.

    It runs in threads, one step after the other. `entries` is how many members there are so far. What the file system
    refuses is a `LocalIo` at `path`, and `fault` afterwards.
    """

    def __init__(self, file: io.FileIO, path: str, plan: ExportPlan) -> None:
        self.entries: int = 0
        self.fault: Reason | None = None
        self._file = file
        self._path = path
        self._plan = plan
        self._behind = WriteBehind(file.fileno())
        self._names: Mapping[str, tuple[str, ...]] = {}
        self._awaited: dict[str, int] = {}  # of a path that is there more than once, how many are still to come
        self._left = 0  # bytes of the content of the member under way; then come the padding and what links to it
        self._block = b""
        self._records: Mapping[bytes, bytes] = {}
        self._linked: tuple[str, ...] = ()  # the name with the content, and those that link to it
        self._late: dict[str, bytes] = {}  # headers of folders, compressed
        self._held = 0
        self._gathered = bytearray()
        self._size = 0

    def begin(self) -> Result[None, Reason]:
        """Write the folders that no layer has an entry for."""
        folder = tarfile.TarInfo()
        folder.mode = 0o755
        block = folder.tobuf(tarfile.USTAR_FORMAT)
        for path in self._plan.made:
            self._write(render_header(block, {}, _raw(f"{path}/"), "5"))
        self.entries += len(self._plan.made)
        return Success(None)

    def turn_to(self, layer: int) -> None:
        """The members that come are those of the layer at this position."""
        self._names = self._plan.layers[layer]
        self._awaited = dict(self._plan.repeated[layer])

    def member(self, entry: FileEntry, block: bytes, records: Mapping[bytes, bytes]) -> Reason | None:
        """Write the header of a member that survives, and of what links to it."""
        if entry.path in self._awaited:
            self._awaited[entry.path] -= 1
            if self._awaited[entry.path]:
                return None
        names = self._names.get(entry.path)
        if names is None:
            return None
        first = _raw(names[0])
        self._block, self._records, self._linked = block, records, names
        self._left = entry.size if entry.kind == "file" else 0
        self.entries += len(names)
        kind = _type(entry, block)
        header = render_header(
            block,
            records,
            first + b"/" if kind == "5" else first,
            kind,
            link=_raw(entry.target or "") if kind == "2" else b"",
            size=self._left,
        )
        if names[0] in self._plan.late:
            return self._hold(names[0], header)
        return self._written(header) or (None if self._left else self._ended(0))

    def content(self, piece: memoryview) -> Reason | None:
        """Write the content of a member that survives."""
        if not self._left:
            return None
        self._left -= len(piece)
        fault = self._written(piece)
        if fault is None and not self._left:
            return self._ended(-self._size % BLOCK)
        return fault

    def finish(self) -> Result[int, Reason]:
        """Write the late folders, the deepest first, and the end, and bring all of it to the disk.

        Gives the size of the tar in bytes.
        """
        for name in sorted(self._late, reverse=True):
            self._write(zlib.decompress(self._late[name]))
        self._write(END_BLOCK * 2)
        self._flush()
        os.fsync(self._file.fileno())
        return Success(self._size)

    def _ended(self, padding: int) -> Reason | None:
        """The content is there: what follows it, one by one, as there can be a million links."""
        return self._guarded(lambda: self._write_after(padding)) if padding or len(self._linked) > 1 else None

    def _write_after(self, padding: int) -> None:
        self._write(bytes(padding))
        first = _raw(self._linked[0])
        for name in self._linked[1:]:
            self._write(render_link(self._block, self._records, _raw(name), first))

    def _hold(self, name: str, header: bytes) -> Reason | None:
        self._late[name] = zlib.compress(header, 1)
        self._held += len(self._late[name])
        if self._held > _HELD:
            self.fault = LimitExceeded("bytes of what is said of folders, compressed", _HELD)
        return self.fault

    def _written(self, piece: bytes | memoryview) -> Reason | None:
        return self._guarded(lambda: self._write(piece))

    def _guarded(self, write: Callable[[], None]) -> Reason | None:
        def step() -> Result[None, Reason]:
            write()
            return Success(None)

        done = guarded(self._path, step)
        self.fault = None if is_successful(done) else done.failure()
        return self.fault

    def _write(self, piece: bytes | memoryview) -> None:
        self._gathered += piece
        self._size += len(piece)
        if len(self._gathered) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        with memoryview(self._gathered) as gathered:
            done = 0
            while done < len(gathered):
                done += self._file.write(gathered[done:])
        self._gathered.clear()
        self._behind.wrote(self._size)


def _type(entry: FileEntry, block: bytes) -> MemberType:
    if entry.kind == "device":
        return "3" if block[156:157] == b"3" else "4"
    return _KINDS.get(entry.kind, "0")


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
