"""A strict JSON loader, in front of every model.

`json` and pydantic accept a name twice (the last wins), NaN, and documents nested until the stack ends; other readers
choose otherwise, and an attacker lives in the difference. Source: image-spec, "Considerations" (JSON is UTF-8
without duplicate names); RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import LimitExceeded, MalformedDocument

__all__ = ["CONTAINERS_LIMIT", "DEPTH_LIMIT", "load_strict"]

DEPTH_LIMIT: Final = 64
"""How deep arrays and objects may stand in one another."""

# `{}` is two bytes in a document and several hundred in memory: 8 MiB of them cost 2 GB and half a minute (measured).
CONTAINERS_LIMIT: Final = 100_000
"""How many arrays and objects one document may have."""


class _Refused(ValueError):  # noqa: N818  a signal between two functions of this file
    """Carries a refusal out of the standard library's decoder."""


def load_strict(raw: bytes, *, limit: int) -> Result[Any, MalformedDocument | LimitExceeded]:
    """JSON text as plain values, refused unless every reader would read the same.

    `limit` is in bytes. Fails with `LimitExceeded` (bytes, depth) or `MalformedDocument` (encoding, syntax, a name
    twice, NaN or infinity, a lone surrogate).

    >>> load_strict(b'{"a": 1, "a": 2}', limit=100).failure().why
    "the name 'a' stands twice"
    >>> load_strict(b"[NaN]", limit=100).failure().why
    'NaN is not JSON'
    """
    if len(raw) > limit:
        return Failure(LimitExceeded("bytes of JSON", limit))
    if raw.count(b"{") + raw.count(b"[") > CONTAINERS_LIMIT:
        return Failure(LimitExceeded("objects and lists in JSON", CONTAINERS_LIMIT))
    if raw.startswith(b"\xef\xbb\xbf"):
        return Failure(MalformedDocument("a byte order mark is not JSON"))
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Failure(MalformedDocument("not UTF-8"))
    except _Refused as refusal:
        return Failure(MalformedDocument(str(refusal)))
    except RecursionError:
        return Failure(LimitExceeded("levels of JSON", DEPTH_LIMIT))
    except ValueError as error:
        return Failure(MalformedDocument(f"not JSON: {error}"[:200]))
    return _checked(value, escapes=b"\\u" in raw)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # add() gives None, which is false
        raise _Refused(f"the name {twice[:64]!r} stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Refused(f"{text[:32]} is too large a number")
    return value


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _checked(value: Any, *, escapes: bool) -> Result[Any, MalformedDocument | LimitExceeded]:
    """Depth, level by level; and surrogates, which only an escape can bring in."""
    level: list[Any] = [[value]]
    for _ in range(DEPTH_LIMIT + 1):  # one more: the list around the value is ours
        if escapes and any(_lone(text) for node in level for text in _texts(node)):
            return Failure(MalformedDocument("a lone surrogate is not text"))
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
        if not level:
            return Success(value)
    return Failure(LimitExceeded("levels of JSON", DEPTH_LIMIT))


def _children(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node


def _texts(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        yield from node
    yield from (child for child in _children(node) if isinstance(child, str))


def _lone(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
