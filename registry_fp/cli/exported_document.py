"""The document of `export`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["ExportedDocument"]


@final
@dataclass(frozen=True, slots=True)
class ExportedDocument:
    """`export`: `entries` is how many members the tar has, `size` how many bytes."""

    name: str
    path: str
    entries: int
    size: int
