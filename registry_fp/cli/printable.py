"""Printable text: what comes from outside, fit for a terminal."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Text from outside, without control characters, escape sequences or bidirectional overrides.

    >>> print(printable("RUN \x1b[2J"))
    RUN \x1b[2J
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
