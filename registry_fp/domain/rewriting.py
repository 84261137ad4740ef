"""Rewriting: a document of somebody else's, changed and written again in its own manner.

What is changed is the parsed JSON and never a model: unknown fields, their order and their values stay as they are.
A changed document has another digest, so its white space is free; it is kept all the same, because people read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import LimitExceeded, MalformedDocument, Misconfigured, Reason
from registry_fp.domain.strict_json import load_strict

__all__ = ["Changes", "changed", "checked_text", "described", "pointed", "render_like", "rewrite", "with_field"]

Changes: TypeAlias = Mapping[str, str | None]
"""What becomes of names: a text sets the name's value, None removes the name; names that are left out stay."""

_INDENT: Final = re.compile(rb"[{\[]\r?\n([ \t]{1,8})[\"{\[]")


def rewrite(raw: bytes, change: Callable[[dict[str, Any]], dict[str, Any]], *, limit: int) -> Result[bytes, Reason]:
    r"""The JSON object after `change`, which gives another one; the same bytes where the two are equal.

    Neither may have more than `limit` bytes. Fails with `MalformedDocument` or `LimitExceeded`, as `load_strict` does.

    >>> rewrite(b'{"a": 1}', lambda document: {**document, "b": 2}, limit=100)
    <Success: b'{"a":1,"b":2}'>
    """
    loaded = load_strict(raw, limit=limit)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document = loaded.unwrap()
    if not isinstance(document, dict):
        return Failure(MalformedDocument("it is no JSON object"))
    written = change(document)
    if written == document:
        return Success(raw)
    rendered = render_like(written, raw)
    return Success(rendered) if len(rendered) <= limit else Failure(LimitExceeded("bytes of JSON", limit))


def render_like(document: Mapping[str, Any], like: bytes) -> bytes:
    r"""The document as JSON, on one line or indented as `like` is. Its texts can be encoded (see `checked_text`).

    >>> render_like({"a": [1]}, b'{"b":2}')
    b'{"a":[1]}'
    >>> render_like({"a": 1}, b'{\n   "b": 2\n}')
    b'{\n   "a": 1\n}'
    """
    found = _INDENT.search(like)
    if found is None:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps(document, ensure_ascii=False, indent=found[1].decode("ascii")).encode()


def changed(pairs: Mapping[str, str] | None, changes: Changes) -> dict[str, str]:
    """The pairs after the changes, in their order; new names come last.

    >>> changed({"a": "1", "b": "2"}, {"a": None, "b": "3", "c": "4"})
    {'b': '3', 'c': '4'}
    """
    merged: dict[str, str | None] = {**(pairs or {}), **changes}
    return {name: value for name, value in merged.items() if value is not None}


def with_field(document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The document with this field, in its place where it has one; nothing at all (None, "", [], {}) removes it.

    >>> with_field({"a": 1, "b": 2}, "a", []), with_field({"a": None}, "a", "")
    ({'b': 2}, {'a': None})
    """
    if value not in (None, "", [], {}):
        return {**document, name: value}
    if document.get(name) in (None, "", [], {}):  # another way to say nothing, which stays as it was said
        return dict(document)
    return {each: kept for each, kept in document.items() if each != name}


def described(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as it stands in a document."""
    return descriptor.model_dump(mode="json", exclude_none=True)


def pointed(entry: Mapping[str, Any], to: Descriptor) -> dict[str, Any]:
    """An entry of a document that points at other content of the same kind, whose bytes it cannot embed (`data`)."""
    kept = {name: value for name, value in entry.items() if name != "data"}
    return {**kept, "mediaType": to.media_type, "digest": str(to.digest), "size": to.size}


def checked_text(setting: str, *texts: str | None) -> Result[None, Reason]:
    r"""Whether every text can stand in a document; fails with `Misconfigured` for a NUL and for what is not Unicode.

    >>> checked_text("labels", "ok", None)
    <Success: None>
    >>> checked_text("labels", "a\0b").failure().why
    'a text has no NUL'
    """
    for text in texts:
        if text is not None and "\0" in text:
            return Failure(Misconfigured(setting, "a text has no NUL"))
        if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
            return Failure(Misconfigured(setting, "a text is Unicode without lone surrogates"))
    return Success(None)
