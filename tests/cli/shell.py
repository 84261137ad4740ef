"""The command line as a shell starts it, or, where a process of its own shows nothing more, as a function."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Any, Final

import pytest

from registry_fp.cli import main

__all__ = ["SCRIPT", "Outcome", "call", "run", "start"]

SCRIPT: Final = str(Path(sys.executable).with_name("registry-fp"))
"""The installed script."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left: its exit code, its results, and what else it said."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The results as text."""
        return self.out.decode()

    @property
    def document(self) -> Any:
        """The results as one JSON document."""
        return json.loads(self.out)

    @property
    def objects(self) -> list[Any]:
        """The results as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


_STARTED: list["subprocess.Popen[bytes]"] = []


def start(
    *arguments: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    """A process of its own that is not waited for; `end_all` ends it if a test has failed to."""
    child = subprocess.Popen([SCRIPT, *arguments], env={**environ, **(env or {})}, stdout=stdout, stderr=stderr)
    _STARTED.append(child)
    return child


def end_all() -> None:
    """End what a test has left running, by the id it was started with."""
    for child in _STARTED:
        if child.poll() is None:
            child.kill()
            child.communicate()
    _STARTED.clear()


def run(*arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Outcome:
    """A process of its own, to its end."""
    done = subprocess.run(
        [SCRIPT, *arguments], input=stdin, env={**environ, **(env or {})}, capture_output=True, check=False, timeout=60
    )
    return Outcome(done.returncode, done.stdout, done.stderr.decode())


def call(capture: pytest.CaptureFixture[bytes], *arguments: str) -> Outcome:
    """The same function that the script calls, in this process: a tenth of the time."""
    capture.readouterr()
    code = main(arguments)
    out, err = capture.readouterr()
    return Outcome(code, out, err.decode())
