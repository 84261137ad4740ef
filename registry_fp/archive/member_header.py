"""The header of a member, written again under another name: nothing that it says of the file is lost.

What only its reader, or the way it was stored, needed is left out, and so is what no unpacker can take: a number that
no system has, an attribute without a name. Names and numbers that the oldest format has room for stand there, all
others in pax records, whatever form the source has. Sources: POSIX.1-2017 pax, "ustar Interchange Format" and "pax
Header Block"; the GNU tar manual, "Basic Tar Format", for numbers of base 256.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from registry_fp.archive.tar_header import BLOCK, parse_attributes

__all__ = ["MemberType", "render_header", "render_link"]

MemberType: TypeAlias = Literal["0", "1", "2", "3", "4", "5", "6"]
"""Regular file, hard link, symbolic link, character device, block device, folder, pipe: as the format has them."""

_ATTRIBUTES: Final = (b"SCHILY.xattr.", b"LIBARCHIVE.xattr.")
_CAPABILITY: Final = b"SCHILY.xattr.security.capability"
_SAID: Final = frozenset(
    {b"comment", b"uname", b"gname", b"SCHILY.acl.access", b"SCHILY.acl.default", b"RHT.security.selinux"}
)
_OWNERS: Final = frozenset({b"uid", b"gid"})
_TIMES: Final = frozenset({b"mtime", b"atime", b"ctime"})
_OF_LINKS: Final = frozenset({b"uid", b"gid", b"mtime", b"uname", b"gname", _CAPABILITY})
_OF_LINKS_LIMIT: Final = 256  # bytes of one of them: there can be a million links
_OWNER: Final = re.compile(rb"[0-9]{1,10}")
_TIME: Final = re.compile(rb"(-?[0-9]{1,19})(\.[0-9]{0,32})?")
_OWNER_LIMIT: Final = 2**32 - 2  # the one above it stands for nobody
_TIME_LIMIT: Final = 2**63


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
    modified = _signed(block[136:148])
    named = block[257:262] == b"ustar"  # the oldest format has nothing behind these bytes
    numbers = {
        b"uid": known.uid if known.uid <= _OWNER_LIMIT else 0,
        b"gid": known.gid if known.gid <= _OWNER_LIMIT else 0,
        b"mtime": modified if -_TIME_LIMIT <= modified < _TIME_LIMIT else 0,
        b"size": size,
    }
    kept = {key: value for key, value in records.items() if _is_kept(key, value)}
    ours = {key: value for key, value in ((b"path", name), (b"linkpath", link)) if not _fits(value)}
    beyond = {key: number for key, number in numbers.items() if not 0 <= number < 8 ** _digits(key)}
    ours |= {key: b"%d" % number for key, number in beyond.items() if key not in kept}
    written = _block(
        *(b"" if b"path" in ours else name, known.mode, kind, b"" if b"linkpath" in ours else link),
        numbers={key: 0 if key in beyond else number for key, number in numbers.items()},
        owner=block[265:329] if named else bytes(64),
        device=_device(block[329:337]) + _device(block[337:345]) if named and kind in {"3", "4"} else bytes(16),
    )
    return _extended({**ours, **kept}) + written


def render_link(block: bytes, records: Mapping[bytes, bytes], name: bytes, first: bytes) -> bytes:
    """The header of a hard link to the member `first`, which `block` and its pax `records` describe, as whole blocks.

    Of the records it has what is needed twice: whoever unpacks it gives the file another owner again, and with that
    the system takes away what it may do (its capabilities), which then has to be given again.
    """
    said = {key: value for key, value in records.items() if key in _OF_LINKS and len(value) <= _OF_LINKS_LIMIT}
    return render_header(block, said, name, "1", link=first)


def _is_kept(key: bytes, value: bytes) -> bool:
    if key in _OWNERS:
        return _OWNER.fullmatch(value) is not None and int(value) <= _OWNER_LIMIT
    if key in _TIMES:
        time = _TIME.fullmatch(value)
        return time is not None and -_TIME_LIMIT <= int(time[1]) < _TIME_LIMIT
    return key in _SAID or (key.startswith(_ATTRIBUTES) and key not in _ATTRIBUTES)


def _device(field: bytes) -> bytes:
    """Half a device's number as octal digits; what is none is 0."""
    number = parse_attributes(bytes(108) + field + bytes(BLOCK - 116)).uid
    return b"%07o\0" % (number if number < 8**7 else 0)


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
