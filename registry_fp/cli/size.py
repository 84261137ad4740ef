"""Sizes, for people."""

from __future__ import annotations

from typing import Final

__all__ = ["human_size"]

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def human_size(count: int) -> str:
    """A number of bytes with three digits that count.

    >>> [human_size(count) for count in (0, 1023, 1536, 2_411_724, 10 * 2**30)]
    ['0 B', '1023 B', '1.5 KiB', '2.3 MiB', '10 GiB']
    """
    amount = float(count)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            return f"{amount:.1f} {unit}" if unit != "B" and amount < 9.95 else f"{amount:.0f} {unit}"
        amount /= 1024
    raise AssertionError  # the last unit takes everything
