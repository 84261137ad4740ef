"""Content-Range: which part of something came (RFC 9110, 14.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

__all__ = ["ContentRange", "parse_content_range"]

_BYTES: Final = re.compile(r"bytes +([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.ASCII | re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes from `first` up to `stop`, which is not among them, of `total` (None: nobody says how many)."""

    first: int
    stop: int
    total: int | None


def parse_content_range(text: str) -> ContentRange | None:
    """What a `Content-Range` of bytes says; None where it is no part of anything.

    >>> parse_content_range("bytes 7-9/10"), parse_content_range("bytes 7-9/*")
    (ContentRange(first=7, stop=10, total=10), ContentRange(first=7, stop=10, total=None))
    >>> [parse_content_range(text) for text in ("bytes 9-7/10", "bytes 7-10/10", "bytes */10", "lines 1-2/3", "")]
    [None, None, None, None, None]
    """
    match = _BYTES.fullmatch(text.strip())
    if match is None:
        return None
    first, stop = int(match[1]), int(match[2]) + 1
    total = None if match[3] == "*" else int(match[3])
    return ContentRange(first, stop, total) if first < stop and (total is None or stop <= total) else None
