"""The code blocks of a Markdown file, and what of their output does not depend on the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Block", "blocks_of", "blurred", "commands_of", "table_of"]

ROOT: Final = Path(__file__).parents[2]

_FENCE: Final = re.compile(r"^```(?P<kind>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)

# Which bytes a codec makes of a layer is its build's affair, and how long that takes the machine's.
_VARIES: Final = (
    (re.compile(r"\bsha256:[0-9a-f]{12,64}"), "sha256:(digest)"),
    (re.compile(r"\b\d+ bytes sent"), "(n) bytes sent"),
    (re.compile(r"\bafter \d+ attempts, [\d.]+ s"), "after (n) attempts, (n) s"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its kind, its code, and where it stands."""

    kind: str
    code: str
    place: str


def blocks_of(document: str) -> tuple[Block, ...]:
    """Every fenced block of a document at the top of the repository, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * len(_FENCE.findall(text)), f"{document}: a fence that is not closed, or indented"
    return tuple(
        Block(match["kind"], match["code"], f"{document}:{text.count(chr(10), 0, match.start()) + 1}")
        for match in _FENCE.finditer(text)
    )


def commands_of(block: Block) -> tuple[tuple[str, str], ...]:
    """The commands of a block, and what each is shown to print: `$ command` and what is below it, or bare commands."""
    if block.kind == "sh":
        lines = (line.partition("  #")[0].strip() for line in block.code.splitlines())
        return tuple((line, "") for line in lines if line)
    before, *parts = re.split(r"^\$ ", block.code, flags=re.MULTILINE)
    assert not before, f"{block.place}: a console block begins with a command"
    return tuple((command, printed) for command, _, printed in (part.partition("\n") for part in parts))


def table_of(document: str, first: str) -> tuple[tuple[str, ...], ...]:
    """The rows of the table whose first column is called `first`, without markup of code."""
    lines = iter((ROOT / document).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    rows = takewhile(lambda line: line.startswith("|"), lines)
    cells = (tuple(cell.strip().replace("`", "") for cell in row.strip("|").split(" | ")) for row in rows)
    return tuple(row for row in cells if set(row[0]) != {"-"} and not row[0].startswith("---"))


def blurred(printed: str) -> str:
    """The same without what is different on every machine."""
    for pattern, instead in _VARIES:
        printed = pattern.sub(instead, printed)
    return printed.strip()
