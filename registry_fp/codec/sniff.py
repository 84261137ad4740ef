"""What a stream is compressed with, by its first bytes."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

__all__ = ["SNIFF_LENGTH", "Encoding", "sniff"]

Encoding: TypeAlias = Literal["none", "gzip", "zstd", "xz", "bzip2"]
"""How a stream is compressed; "none" is everything that is not recognised."""

SNIFF_LENGTH: Final = 16
"""How many bytes `sniff` looks at; with fewer, a stream that begins like a compressed one is "none"."""

# A zstd stream may begin with skippable frames, 0x184D2A50 to 0x184D2A5F (RFC 8878, 3.1.2).
# bzip2's "BZh1" is plain text, so the block magic that follows it (pi, or sqrt(pi) where nothing follows) counts too.
_MAGIC: Final[tuple[tuple[Encoding, re.Pattern[bytes]], ...]] = (
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("bzip2", re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)")),
)


def sniff(head: bytes) -> Encoding:
    r"""The compression of a stream that begins with `head` (`SNIFF_LENGTH` bytes are enough).

    Sources: RFC 1952, RFC 8878, the xz file format 1.2, bzip2's block header.

    >>> sniff(b"\x1f\x8b\x08\x00")
    'gzip'
    >>> sniff(b"etc/passwd")
    'none'
    """
    for encoding, magic in _MAGIC:
        if magic.match(head):
            return encoding
    return "none"
