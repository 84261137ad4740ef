"""What a registry says about its own failure: the error body, read with bounds.

The specification gives the form `{"errors": [{"code": ..., "message": ...}]}`; a 4xx may have any other
(distribution-spec, "Error Codes"), so nothing here fails: what cannot be read is no problem at all.
"""

from __future__ import annotations

import json
from typing import Any, Final

from registry_fp.domain.errors import Problem

__all__ = ["ERROR_LIMIT", "problems_in"]

ERROR_LIMIT: Final = 64 * 1024
"""How many bytes of an error body are looked at."""

_MOST: Final = 8
_CODE: Final = 64
_MESSAGE: Final = 300


def problems_in(body: bytes) -> tuple[Problem, ...]:
    """The registry's codes and messages: at most eight, bounded, with control characters escaped.

    >>> problems_in(b'{"errors": [{"code": "DENIED", "message": "no"}]}')
    (Problem(code='DENIED', message='no'),)
    >>> problems_in(b"<html>502 Bad Gateway</html>")
    ()
    """
    if len(body) > ERROR_LIMIT:
        return ()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    entries = document.get("errors") if isinstance(document, dict) else None
    return tuple(_problem(entry) for entry in (entries if isinstance(entries, list) else [])[:_MOST])


def _problem(entry: Any) -> Problem:
    fields = entry if isinstance(entry, dict) else {"message": entry}
    return Problem(_text(fields.get("code"), _CODE).upper() or "UNKNOWN", _text(fields.get("message"), _MESSAGE))


def _text(value: Any, most: int) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(each if each.isprintable() else " " for each in text[:most]).strip()
