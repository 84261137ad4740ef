"""Warnings: what a registry wants the user to know, beside an answer that is none the worse for it.

    Warning: 299 - "This tag will be deleted on Friday."

Source: distribution-spec, "Warnings"; RFC 7234, 5.5. What it says is shown and never acted on.
"""

from __future__ import annotations

import re
from typing import Final

from registry_fp.domain.printable import printable

__all__ = ["WARNINGS_LIMIT", "warnings_in"]

WARNINGS_LIMIT: Final = 4096
"""How many characters of the header are looked at: more a registry may not send."""

_MOST: Final = 16
_CODE: Final = "299"  # the others are those of caches, and none of a registry's business

# Nothing is read twice, whatever comes: possessive, or with only one way to go on.
_QUOTED: Final = r'"(?P<text>[^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)'
_SEPARATOR: Final = re.compile(r"[\s,]*+")
_WARNING: Final = re.compile(rf"(?P<code>[0-9]{{3}}) ++[^\s\",]++ ++{_QUOTED}(?: ++\"[^\"]*+\")?", re.DOTALL | re.ASCII)
_STRANGE: Final = re.compile(rf"{_QUOTED}|[^\s,\"]++", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def warnings_in(header: str | None) -> tuple[str, ...]:
    r"""The texts of a `Warning` header, with control characters escaped, each once.

    >>> warnings_in('299 - "Your token ends in 30 seconds.", 110 proxy "Response is stale", 299 - "a \\"b\\""')
    ('Your token ends in 30 seconds.', 'a "b"')
    """
    text = (header or "")[:WARNINGS_LIMIT]
    found: dict[str, None] = {}
    position = 0
    while (position := _after(_SEPARATOR, text, position)) < len(text) and len(found) < _MOST:
        warning = _WARNING.match(text, position)
        if warning is None:
            position = _after(_STRANGE, text, position)
            continue
        position = warning.end()
        told = printable(_ESCAPED.sub(r"\1", warning["text"])).strip()
        if warning["code"] == _CODE and told:
            found[told] = None
    return tuple(found)


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()
