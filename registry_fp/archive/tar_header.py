"""One 512-byte block of a tar, and the two ways in which a member's name can be longer than its header.

Everything is decided from the bytes given: nothing is read, and nothing is allocated that a header only claims.
Where readers are known to differ (a name twice, a number that is not plain octal, a prefix in a header that has no
such field), the archive is refused. Sources: POSIX.1-2017 pax "ustar Interchange Format" and "pax Header Block";
the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

from returns.result import Failure, Result, Success

__all__ = [
    "BLOCK",
    "END_BLOCK",
    "NUMBER_LIMIT",
    "Attributes",
    "Header",
    "brief",
    "parse_attributes",
    "parse_header",
    "parse_pax",
    "plain_name",
    "shown_name",
]

BLOCK: Final = 512
"""The size of a block, in bytes: headers and contents begin at its multiples."""

END_BLOCK: Final = bytes(BLOCK)
"""Where a block of zeros stands for a header, the archive ends."""

NUMBER_LIMIT: Final = 2**63 - 1

_OCTAL: Final = re.compile(rb"[0-7]+")
_PAX_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,9}) ")
# Readers disagree on which of two values counts.
_ONCE: Final = frozenset({b"path", b"linkpath", b"size"})


@final
@dataclass(frozen=True, slots=True)
class Header:
    """What one header says: `type` is the single character of the format, `size` is in bytes, names are as written."""

    name: bytes
    type: str
    size: int
    link: bytes
    extended: bool


@final
@dataclass(frozen=True, slots=True)
class Attributes:
    """What a header says of its member beside name and size; `modified` is in seconds since 1970.

    `real_size` is what an old GNU sparse file is with its holes, in bytes.
    """

    mode: int
    uid: int
    gid: int
    modified: int
    real_size: int


def parse_attributes(block: bytes) -> Attributes:
    """The attributes in a block that is a header; a number that cannot be read, or is negative, is 0.

    >>> import tarfile
    >>> parse_attributes(tarfile.TarInfo("app/run").tobuf()).mode == 0o644
    True
    """
    return Attributes(
        mode=(_number(block[100:108]) or 0) & 0o7777,
        uid=_number(block[108:116]) or 0,
        gid=_number(block[116:124]) or 0,
        modified=_number(block[136:148]) or 0,
        real_size=_number(block[483:495]) or 0,
    )


def parse_header(block: bytes) -> Result[Header, str]:
    """A header from its block; fails with what is wrong with it.

    >>> import tarfile
    >>> parse_header(tarfile.TarInfo("app/run").tobuf()).unwrap().name
    b'app/run'
    >>> parse_header(bytes(512)).failure()
    'the checksum is wrong'
    """
    stated = _number(block[148:156])
    if stated is None or stated not in _checksums(block, stated):
        return Failure("the checksum is wrong")
    size = _number(block[124:136])
    if size is None:
        return Failure("the size is not a number")
    kind = chr(block[156])
    name = _text(block[:100])
    # In the GNU and the oldest formats these bytes are something else.
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" and kind not in "LKS" else b""
    return Success(
        Header(
            name=prefix + b"/" + name if prefix else name,
            type=kind,
            size=size,
            link=_text(block[157:257]),
            extended=kind == "S" and block[482] != 0,
        )
    )


def parse_pax(payload: bytes) -> Result[Mapping[bytes, bytes], str]:
    r"""The records of a pax header, `"%d %s=%s\n"`; fails with what is wrong with them.

    A record may stand twice (the last counts), but not one that names or measures the member.

    >>> parse_pax(b"12 path=app\n").unwrap()
    {b'path': b'app'}
    >>> parse_pax(b"99 path=app\n").failure()
    'a pax record has a wrong length'
    """
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(payload):
        stated = _PAX_LENGTH.match(payload, at)
        if stated is None:
            return Failure("a pax record has no length")
        end = at + int(stated[1])
        record = payload[stated.end() : end]
        if end > len(payload) or not record.endswith(b"\n"):
            return Failure("a pax record has a wrong length")
        key, equals, value = record[:-1].partition(b"=")
        if not equals or not key:
            return Failure("a pax record is not key=value")
        if key in _ONCE and (key in records or not value or b"\0" in value):
            return Failure(f"the pax record {key.decode()} stands twice, is empty or holds NUL")
        records[key] = value
        at = end
    return Success(records)


def plain_name(raw: bytes) -> Result[str, str]:
    """A member's name without `./`, `//` and a slash at the end; fails with why it is no name for a member.

    >>> plain_name(b"./blobs//sha256/").unwrap()
    'blobs/sha256'
    >>> plain_name(b"../etc/passwd").failure()
    'it climbs out of the archive'
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Failure("it is not UTF-8")
    if not text.isprintable():  # control characters, and what reverses or hides text on a terminal
        return Failure("it is not printable")
    if text.startswith("/"):
        return Failure("it is absolute")
    if "/" not in text and text not in {"", ".", ".."}:
        return Success(text)
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts:
        return Failure("it climbs out of the archive")
    return Success("/".join(parts) or ".")


def shown_name(raw: bytes) -> str:
    r"""Any name for people: printable ASCII, at most 200 characters of it.

    >>> print(shown_name(b"a\xff\x1b[2J"))
    a\xff\x1b[2J
    """
    return raw.decode("latin-1").encode("unicode_escape").decode("ascii")[:200]


def brief(name: str) -> str:
    """A printable name, cut to 200 characters for an error."""
    return name if len(name) <= 200 else f"{name[:199]}…"


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int | None:
    """Octal, or base-256 where the first bit is set; None if it is neither, negative, or 2^63 and beyond."""
    if field[0] >= 0x80:
        number = int.from_bytes(field[1:], "big")
        return number if field[0] == 0x80 and number <= NUMBER_LIMIT else None  # 0xff begins a negative one
    digits = field.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None


def _checksums(block: bytes, stated: int) -> tuple[int, ...]:
    """The sum of the header's bytes, its own field counted as spaces; some old tars summed signed bytes."""
    rest = block[:148] + block[156:]
    unsigned = 256 + sum(rest)
    return (unsigned,) if unsigned == stated else (unsigned, unsigned - 256 * sum(byte > 127 for byte in rest))
