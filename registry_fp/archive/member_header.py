"""The header of a member, written again under another name: nothing that it says of the member is lost.

Names and numbers that the oldest format has room for stand there, all others in pax records, whatever form the source
has. Sources: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic Tar
Format", for numbers of base 256.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from registry_fp.archive.tar_header import BLOCK, parse_attributes

__all__ = ["MemberType", "render_header"]

MemberType: TypeAlias = Literal["0", "1", "2", "3", "4", "5", "6"]
"""Regular file, hard link, symbolic link, character device, block device, folder, pipe: as the format has them."""

_OURS: Final = frozenset({b"path", b"linkpath", b"size"})
_SPARSE: Final = b"GNU.sparse."
_NUMBERS: Final = {
    b"uid": re.compile(rb"[0-9]+"),
    b"gid": re.compile(rb"[0-9]+"),
    **dict.fromkeys((b"mtime", b"atime", b"ctime"), re.compile(rb"-?[0-9]+(\.[0-9]*)?")),
}


def render_header(  # noqa: PLR0913  what a header says
    block: bytes, records: Mapping[bytes, bytes], name: bytes, kind: MemberType, *, link: bytes = b"", size: int = 0
) -> bytes:
    """The header of a member that `block` and its pax `records` describe, as whole blocks; `size` is in bytes.

    >>> import io, tarfile
    >>> source = tarfile.TarInfo("run").tobuf()
    >>> raw = render_header(source, {b"mtime": b"1.5"}, "café".encode(), "2", link=b"run")
    >>> tarfile.open(fileobj=io.BytesIO(raw)).getmembers()[0].mtime
    1.5
    """
    known = parse_attributes(block)
    named = block[257:262] == b"ustar"  # the oldest format has nothing behind these bytes
    numbers = {b"uid": known.uid, b"gid": known.gid, b"mtime": _signed(block[136:148]), b"size": size}
    kept = {key: value for key, value in records.items() if _is_kept(key, value)}
    ours = {key: value for key, value in ((b"path", name), (b"linkpath", link)) if not _fits(value)}
    beyond = {key: number for key, number in numbers.items() if not 0 <= number < 8 ** _digits(key)}
    ours |= {key: b"%d" % number for key, number in beyond.items() if key not in kept}
    written = _block(
        *(b"" if b"path" in ours else name, known.mode, kind, b"" if b"linkpath" in ours else link),
        numbers={key: 0 if key in beyond else number for key, number in numbers.items()},
        owner=block[265:329] if named else bytes(64),
        device=block[329:345] if named and kind in {"3", "4"} else bytes(16),
    )
    return _extended({**ours, **kept}) + written


def _is_kept(key: bytes, value: bytes) -> bool:
    form = _NUMBERS.get(key)
    return key not in _OURS and not key.startswith(_SPARSE) and (form is None or form.fullmatch(value) is not None)


def _fits(name: bytes) -> bool:
    return len(name) <= 100 and name.isascii()


def _digits(key: bytes) -> int:
    return 11 if key in {b"size", b"mtime"} else 7


def _signed(field: bytes) -> int:
    """A time, also one before 1970, which only base 256 can say."""
    if field[0] == 0xFF:
        return int.from_bytes(field, "big", signed=True)
    return parse_attributes(bytes(136) + field + bytes(BLOCK - 148)).modified


def _extended(records: Mapping[bytes, bytes]) -> bytes:
    if not records:
        return b""
    payload = b"".join(_record(key, value) for key, value in records.items())
    numbers = {b"uid": 0, b"gid": 0, b"mtime": 0, b"size": len(payload)}
    header = _block(b"././@PaxHeader", 0, "x", b"", numbers=numbers, owner=bytes(64), device=bytes(16))
    return header + payload + bytes(-len(payload) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """The length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _block(  # noqa: PLR0913  the fields of a header
    name: bytes, mode: int, kind: str, link: bytes, *, numbers: Mapping[bytes, int], owner: bytes, device: bytes
) -> bytes:
    octal = {key: b"%0*o\0" % (_digits(key), number) for key, number in numbers.items()}
    before = (
        name.ljust(100, b"\0") + b"%07o\0" % mode + octal[b"uid"] + octal[b"gid"] + octal[b"size"] + octal[b"mtime"]
    )
    after = kind.encode() + link.ljust(100, b"\0") + b"ustar\x0000" + owner + device
    after = after.ljust(BLOCK - 156, b"\0")
    return before + b"%06o\0 " % (256 + sum(before) + sum(after)) + after
