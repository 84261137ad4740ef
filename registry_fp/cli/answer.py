"""Answers: what a command found out, in every form that can be asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Answer", "Content", "compact", "indented"]

Content: TypeAlias = str | bytes
"""Text, which is written with a newline at its end unless it is empty; or exact bytes."""


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: the JSON form is `document`, a frozen dataclass; `quiet` is the essential alone.

    `text` is for people. `items`, where the answer is a list, are the objects that ndjson has on lines of their own.
    """

    document: Any
    text: Content | RenderableType
    quiet: Content
    items: tuple[Any, ...] | None = None


def indented(document: Any) -> str:
    """A JSON document for eyes and programs; only ASCII, so that nothing from outside reaches a terminal raw."""
    return json.dumps(document, indent=2, default=asdict)


def compact(document: Any) -> str:
    """A JSON document on one line; dataclasses in it are objects.

    >>> compact({"tag": "1.0"})
    '{"tag":"1.0"}'
    """
    return json.dumps(document, separators=(",", ":"), default=asdict)
