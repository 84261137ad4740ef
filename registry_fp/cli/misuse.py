"""Misuse: arguments that make no sense, or contradict each other."""

from __future__ import annotations

import sys
from contextlib import suppress

from registry_fp.cli.printable import printable

__all__ = ["misused"]


def misused(why: str, *command: str) -> int:
    """Say so, and where to look; the exit code for it, which is 2."""
    with suppress(OSError):  # nobody may be reading
        print(f"error: {printable(why)}", file=sys.stderr)
        print(f"hint: see `{' '.join(('registry-fp', *command))} --help`", file=sys.stderr)
    return 2
