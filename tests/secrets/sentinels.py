"""Sentinels: secrets that can be found again in whatever they were written into."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

__all__ = ["Sentinels", "found_in"]

_SENTINEL = re.compile(r"s3kr1t[0-9]{6}x")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")


def found_in(text: str) -> frozenset[str]:
    """The sentinels in a text: as they are, percent-encoded, or in base64 of any kind and at any place in it."""
    return frozenset(each for view in _views(text) for each in _SENTINEL.findall(view))


def _views(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield unquote(text)
    for run in _ENCODED.findall(text):
        letters = run.rstrip("=").replace("-", "+").replace("_", "/")
        for start in range(4):  # a run may begin in the middle of what was encoded together
            whole = letters[start : start + (len(letters) - start) // 4 * 4]
            rest = letters[start:] + "=" * (-(len(letters) - start) % 4)
            for each in {whole, rest}:
                try:
                    yield base64.b64decode(each).decode("latin-1")
                except (binascii.Error, ValueError):
                    continue


@dataclass(slots=True)
class Sentinels:
    """Secrets that were given out, and the origins that may hear each of them."""

    allowed: dict[str, frozenset[str]] = field(default_factory=dict)

    def new(self, *origins: str) -> str:
        """A secret for these origins and no other; without any, for whoever is asked for it, but for no log."""
        secret = f"s3kr1t{len(self.allowed):06}x"
        self.allowed[secret] = frozenset(origins)
        return secret

    def astray(self, origin: str, text: str) -> frozenset[str]:
        """The secrets in what this origin heard that are not for it."""
        return frozenset(each for each in found_in(text) if self.allowed[each] and origin not in self.allowed[each])
