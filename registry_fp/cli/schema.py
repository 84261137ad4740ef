"""The schema of the JSON that commands write, as a file that is shipped: see `documents.schema.json`."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from registry_fp.cli.answer import Answer, indented
from registry_fp.cli.options import ShowOptions
from registry_fp.cli.terminal import Terminal

__all__ = ["show_schema"]

_FILE: Final = "documents.schema.json"


def show_schema(document: str | None, show: ShowOptions) -> int:
    """The JSON schema (draft 2020-12) of every document, or of one by its name, as `ImageDocument`."""
    terminal = Terminal(show)
    whole: dict[str, Any] = json.loads(files("registry_fp.cli").joinpath(_FILE).read_text("utf-8"))
    if document is not None and document not in whole["$defs"]:
        return terminal.close(terminal.misused(f"there is no document {document}", "schema"))
    chosen = whole if document is None else {**whole, "$ref": f"#/$defs/{document}"}
    names = "\n".join(whole["$defs"])
    return terminal.close(terminal.write(Answer(chosen, indented(chosen), names)))
