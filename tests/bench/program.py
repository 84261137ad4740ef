"""Programs of ours, run as they run where they were installed."""

import os
import subprocess
import sys


def run_program(module: str, *arguments: str) -> None:
    """Run `python -m MODULE`; it may keep its bytecode, as an installed program does, whatever this shell forbids."""
    allowed = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-m", module, *arguments], env=allowed, stdout=subprocess.DEVNULL, check=True)
