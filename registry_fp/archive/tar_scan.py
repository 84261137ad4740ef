"""The pass that makes a `TarIndex`: header after header, a bounded number at a time, contents skipped.

The standard library's reader allocates what a long-name or pax header claims, follows it recursively, and forgives
what other readers do not; this one reads at most 64 KiB for a header and refuses the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.tar_header import (
    BLOCK,
    END_BLOCK,
    NUMBER_LIMIT,
    Header,
    brief,
    parse_header,
    parse_pax,
    plain_name,
    shown_name,
)
from registry_fp.archive.tar_index import Member, MemberKind, TarIndex
from registry_fp.domain.errors import InvalidImage, Reason, TarFault, TarUnreadable

__all__ = ["ScanLimits", "TarScan", "scan_tar"]


@final
@dataclass(frozen=True, slots=True)
class ScanLimits:
    """What an archive may ask of its reader.

    `members`, and three times as many extra headers (long names, pax); `payload`, the bytes of one long name or of
    the pax records of one member; `names`, the characters of all names and link targets together.
    """

    members: int = 100_000
    payload: int = 64 * 1024
    names: int = 32 * 1024 * 1024


_DEFAULT_LIMITS: Final = ScanLimits()
_TRAILER_LIMIT: Final = 1024 * 1024  # how far behind the end marker anything is looked for
_TRAILER_PIECE: Final = 64 * 1024

_KINDS: Final[Mapping[str, MemberKind]] = {
    "0": "file",
    "\0": "file",
    "7": "file",  # "contiguous", which every reader takes for regular
    "1": "hardlink",
    "2": "symlink",
    "5": "directory",
    "S": "sparse file",
}
_WITHOUT_CONTENT: Final = frozenset("123456")  # whatever their size says
_LINKS: Final = frozenset({"symlink", "hardlink"})


@final
@dataclass(slots=True)
class _Ahead:
    """What headers before a member have said about it."""

    long_name: bytes | None = None
    long_link: bytes | None = None
    pax: Mapping[bytes, bytes] | None = None

    @property
    def said(self) -> bool:
        """Whether a member must follow."""
        return self.long_name is not None or self.long_link is not None or self.pax is not None


@final
class TarScan:
    """A pass under way over `size` bytes, which `read(offset, length)` gives exactly or fails.

    Memory is bounded by the limits, whatever the archive says.
    """

    def __init__(
        self, read: Callable[[int, int], Result[bytes, Reason]], size: int, limits: ScanLimits = _DEFAULT_LIMITS
    ) -> None:
        self._read = read
        self._size = size
        self._limits = limits
        self._at = 0
        self._headers = 0
        self._names = 0
        self._ahead = _Ahead()
        self._members: list[Member] = []

    def step(self, headers: int) -> Result[TarIndex | None, Reason]:
        """Go on for at most this many headers; gives the index when the archive has ended.

        Fails with `TarUnreadable`, naming the place, and with `InvalidImage` ("bad name").
        """
        for _ in range(headers):
            left = self._size - self._at
            if left < BLOCK:
                return self._ran_out(left)
            block = self._read(self._at, BLOCK)
            if not is_successful(block):
                return Failure(block.failure())
            if block.unwrap() == END_BLOCK:
                return self._ended()
            fault = self._header(block.unwrap())
            if fault is not None:
                return Failure(fault)
        return Success(None)

    def _header(self, block: bytes) -> Reason | None:
        parsed = parse_header(block)
        if not is_successful(parsed):
            first = self._at == 0 and parsed.failure() == "the checksum is wrong"
            return self._fault("not a tar") if first else self._fault("bad header", parsed.failure())
        header = parsed.unwrap()
        self._headers += 1
        if self._headers > 4 * self._limits.members or len(self._members) >= self._limits.members:
            return self._fault("too many members", f"more than {self._limits.members}")
        return self._extra(header) if header.type in "LKxXg" else self._member(header)

    def _extra(self, header: Header) -> Reason | None:
        """A header whose content is about the next member, or (g) about the whole archive."""
        if header.size > self._limits.payload:
            claim = f"a name or pax header of {header.size} bytes, more than {self._limits.payload}"
            return self._fault("hostile header", claim)
        end = _after(self._at + BLOCK, header.size)
        if end > self._size:
            return self._fault("truncated")
        read = self._read(self._at + BLOCK, header.size)
        if not is_successful(read):
            return read.failure()
        fault = self._note(header.type, read.unwrap())
        self._at = end
        return fault

    def _note(self, kind: str, payload: bytes) -> Reason | None:
        ahead = self._ahead
        if kind in "LK":
            text = payload.partition(b"\0")[0]
            if (ahead.long_name if kind == "L" else ahead.long_link) is not None or not text:
                return self._fault("bad header", "a long name stands twice, or is empty")
            if kind == "L":
                ahead.long_name = text
            else:
                ahead.long_link = text
            return None
        records = parse_pax(payload)
        if not is_successful(records):
            return self._fault("bad header", records.failure())
        if kind == "g":
            # Some readers apply these to every member that follows, others to none.
            if _renames(records.unwrap()):
                return self._fault("bad header", "a global pax header names or measures members")
            return None
        if ahead.pax is not None:
            return self._fault("bad header", "two pax headers for one member")
        ahead.pax = records.unwrap()
        return None

    def _member(self, header: Header) -> Reason | None:
        member = self._placed(header, self._ahead)
        if not is_successful(member):
            return member.failure()
        placed = member.unwrap()
        self._ahead = _Ahead()
        self._names += len(placed.name) + len(placed.target)
        if self._names > self._limits.names:
            return self._fault("hostile header", f"names of more than {self._limits.names} characters")
        self._members.append(placed)
        self._at = _after(placed.offset, placed.size)
        return None

    def _placed(self, header: Header, ahead: _Ahead) -> Result[Member, Reason]:
        """The member that a header and what came before it describe."""
        pax = ahead.pax or {}
        if (ahead.long_name is not None and b"path" in pax) or (ahead.long_link is not None and b"linkpath" in pax):
            return Failure(self._fault("bad header", "a long name and a pax name for one member"))
        size = _pax_size(pax[b"size"]) if b"size" in pax else header.size
        if size is None:
            return Failure(self._fault("bad header", "the pax size is not a number of bytes"))
        raw = pax.get(b"GNU.sparse.name") or pax.get(b"path") or ahead.long_name or header.name
        named = plain_name(raw).alt(lambda why: InvalidImage("bad name", shown_name(raw), why))
        if not is_successful(named):
            return Failure(named.failure())
        name = named.unwrap()
        kind = _kind(header, raw, pax)
        if name == "." and kind != "directory":
            return Failure(InvalidImage("bad name", shown_name(raw), "it is empty"))
        target = _link_text(pax.get(b"linkpath") or ahead.long_link or header.link) if kind in _LINKS else ""
        if target is None:
            return Failure(InvalidImage("bad name", brief(name), "the target of the link is not printable UTF-8"))
        start = self._behind_sparse_map(self._at + BLOCK) if header.extended else Success(self._at + BLOCK)
        if not is_successful(start):
            return Failure(start.failure())
        content = 0 if header.type in _WITHOUT_CONTENT else size
        if _after(start.unwrap(), content) > self._size:
            return Failure(self._fault("truncated", f"it has {content} bytes", brief(name)))
        return Success(Member(name, kind, start.unwrap(), content, target))

    def _behind_sparse_map(self, at: int) -> Result[int, Reason]:
        """Where the content of an old GNU sparse file begins: behind blocks of map that follow its header."""
        for start in range(at, at + self._limits.payload, BLOCK):
            if start + BLOCK > self._size:
                return Failure(self._fault("truncated"))
            block = self._read(start, BLOCK)
            if not is_successful(block):
                return Failure(block.failure())
            if block.unwrap()[504] == 0:
                return Success(start + BLOCK)
        return Failure(self._fault("hostile header", f"a sparse map of more than {self._limits.payload} bytes"))

    def _ran_out(self, left: int) -> Result[TarIndex | None, Reason]:
        """Less than a block is left: an archive without its end marker, or a part of one."""
        if self._size == 0:
            return Failure(self._fault("empty"))
        if self._at == 0:
            return Failure(self._fault("not a tar", "it is shorter than a header"))
        rest = self._read(self._at, left)
        if not is_successful(rest):
            return Failure(rest.failure())
        if any(rest.unwrap()):
            return Failure(self._fault("truncated", "a header is cut short"))
        return self._indexed(trailing_garbage=False)

    def _ended(self) -> Result[TarIndex | None, Reason]:
        """The end marker: what lies behind it is no part of the archive, and worth a warning if it is not zeros."""
        start = self._at + BLOCK
        for at in range(start, min(self._size, start + _TRAILER_LIMIT), _TRAILER_PIECE):
            rest = self._read(at, min(_TRAILER_PIECE, self._size - at))
            if not is_successful(rest):
                return Failure(rest.failure())
            if rest.unwrap().strip(b"\0"):
                return self._indexed(trailing_garbage=True)
        return self._indexed(trailing_garbage=False)

    def _indexed(self, *, trailing_garbage: bool) -> Result[TarIndex | None, Reason]:
        if self._ahead.said:
            return Failure(self._fault("bad header", "the archive ends between a long name and its member"))
        return Success(TarIndex(tuple(self._members), trailing_garbage))

    def _fault(self, kind: TarFault, detail: str = "", member: str | None = None) -> TarUnreadable:
        return TarUnreadable(kind, member, self._at, detail)


def scan_tar(
    read: Callable[[int, int], Result[bytes, Reason]], size: int, limits: ScanLimits = _DEFAULT_LIMITS
) -> Result[TarIndex, Reason]:
    """The whole pass at once, for a thread that nobody waits to cancel."""
    scan = TarScan(read, size, limits)
    while True:
        done = scan.step(limits.members)
        if not is_successful(done):
            return Failure(done.failure())
        index = done.unwrap()
        if index is not None:
            return Success(index)


def _after(start: int, size: int) -> int:
    """Where the block behind `size` bytes of content begins."""
    return start + -(-size // BLOCK) * BLOCK


def _kind(header: Header, raw_name: bytes, pax: Mapping[bytes, bytes]) -> MemberKind:
    if any(key.startswith(b"GNU.sparse.") for key in pax):
        return "sparse file"
    if header.type == "\0" and raw_name.endswith(b"/"):  # before there was a type for folders
        return "directory"
    return _KINDS.get(header.type, "other")


def _renames(records: Mapping[bytes, bytes]) -> bool:
    return any(key in {b"path", b"linkpath", b"size"} or key.startswith(b"GNU.sparse.") for key in records)


def _pax_size(text: bytes) -> int | None:
    size = int(text) if text.isdigit() and len(text) < 20 else -1
    return size if 0 <= size <= NUMBER_LIMIT else None


def _link_text(raw: bytes) -> str | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
