"""A real program as a child of the tests: it ends with the block that started it, and with pytest."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

START_SECONDS = 15.0
STOP_SECONDS = 5.0


def dying_with_us(signal: Literal["KILL", "TERM"] = "KILL") -> list[str]:
    """Return the leading arguments that make the kernel end the program when pytest is killed.

    TERM is for a program that has children of its own to end.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal, "--"] if setpriv else []


@contextmanager
def ended(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Whatever happens in the block, end the child by its pid and wait for its end."""
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
