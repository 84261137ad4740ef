"""Programs of ours, run as they run where they were installed."""

import os
import subprocess
import sys


def run_program(module: str, *arguments: str) -> None:
    """Run `python -m MODULE`, as an installed program runs: it may keep its bytecode. Its results go nowhere."""
    allowed = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-m", module, *arguments], env=allowed, stdout=subprocess.DEVNULL, check=True)
