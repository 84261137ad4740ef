"""Printable text: what a stranger wrote, fit for a terminal and for a log."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, most: int | None = None) -> str:
    r"""The text without control characters, escape sequences and bidirectional overrides, at most so many characters.

    >>> print(printable("RUN \x1b[2J \u202e"))
    RUN \x1b[2J \u202e
    >>> printable("layer" * 3, most=7)
    'layerla...'
    """
    cut = text if most is None or len(text) <= most else f"{text[:most]}..."
    if cut.isprintable():
        return cut
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in cut
    )
