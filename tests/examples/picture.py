"""The picture in the README: what `registry-fp demo` really says, as an SVG that loads nothing from anywhere.

python -m tests.examples.picture
"""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

__all__ = ["PICTURE", "demonstrate", "draw"]

PICTURE: Final = Path(__file__).with_name("demo.svg")

_COMMAND: Final = "registry-fp demo"
_WIDTH: Final = 102

# Rich's own frame, without the fonts that it would fetch.
_FRAME: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def demonstrate() -> str:
    """Everything that the demonstration says, in order and in colour."""
    colour = {"FORCE_COLOR": "1", "COLUMNS": str(_WIDTH)}
    return subprocess.run(
        [sys.executable, "-m", "registry_fp.cli", *_COMMAND.split()[1:]],
        env={name: value for name, value in os.environ.items() if name != "NO_COLOR"} | colour,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout


def draw(told: str) -> str:
    """The same as an SVG."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), _COMMAND))
    console.print(Text.from_ansi(told.rstrip()))
    return console.export_svg(title="", theme=MONOKAI, code_format=_FRAME, unique_id="demo")


if __name__ == "__main__":
    PICTURE.write_text(draw(demonstrate()), encoding="utf-8")
