"""Sizes, names and headlines, short enough for a line."""

from __future__ import annotations

import re
from typing import Final

from registry_fp import ImageRead

__all__ = ["headline", "human_size", "short_name"]

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_HEX: Final = re.compile(r"[0-9a-f]{12,}")


def human_size(count: int) -> str:
    """A number of bytes, short: two digits where one would say too little.

    >>> [human_size(count) for count in (0, 1023, 1536, 2_411_724, 10 * 2**30)]
    ['0 B', '1023 B', '1.5 KiB', '2.3 MiB', '10 GiB']
    """
    power = min(max(count.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    amount = count / 1024**power
    return f"{amount:.1f} {_UNITS[power]}" if power and amount < 9.95 else f"{amount:.0f} {_UNITS[power]}"


def short_name(blob: str) -> str:
    """What an archive calls a blob, in at most twelve characters: the beginning of its digest, if it has one.

    >>> short_name("blobs/sha256/" + "0123456789abcdef" * 4), short_name("config"), short_name("some/folder/layer.tar")
    ('0123456789ab', 'config', '..layer.tar')
    """
    found = _HEX.search(blob)
    if found is not None:
        return found[0][:12]
    return blob if len(blob) <= 12 else f"..{blob[-10:].lstrip('/')}"


def headline(image: ImageRead) -> str:
    """What is about to be moved."""
    return f"{image.target}: {len(image.blobs)} blobs, {human_size(sum(size for _, size in image.blobs))}"
