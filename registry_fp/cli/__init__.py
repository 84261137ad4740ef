"""The command line: the library, used as a stranger would.

The law of this layer: it imports the public door, `registry_fp` and `registry_fp.testing`, and nothing behind it.
Results go to standard output and nothing else does; the exit code is the library's word on the error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["main"]

_INSTALL: Final = 'pip install "registry-fp[cli]"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; without `arguments` it is the one that the shell was given.

    Without the extra `cli` it says how to install it, and gives 78.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: its number must not become a socket's
            nowhere = Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115  for good
            setattr(sys, name, nowhere)
    try:
        # The command line is an extra: without it, it must be able to say so.
        if find_spec("rich") is None:  # who has no terminal would miss it only later
            return _incomplete("rich")
        from registry_fp.cli.app import call  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == __name__.partition(".")[0]:
            raise
        return _incomplete(missing.name)
    except KeyboardInterrupt:
        return 130
    return call(sys.argv[1:] if arguments is None else arguments)


def _incomplete(missing: str) -> int:
    print(f"error: the command line needs {missing}, which is not installed", file=sys.stderr)
    print(f"hint: {_INSTALL}", file=sys.stderr)
    return 78
