"""A command-line program of somebody else, run from a test."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left behind: its exit code and what it wrote."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with its leading arguments and its whole environment; calling it runs it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    async def __call__(
        self, *arguments: str | Path, expect: int | None = 0, stdin: bytes = b"", seconds: float = 60.0
    ) -> Completed:
        """Run with more arguments and wait; an exit code other than `expect`, or a stall, fails the test."""
        command = (*self.command, *map(str, arguments))
        # An own session, so that a time-out or a cancelled test ends the program's children too.
        child = await asyncio.create_subprocess_exec(
            *command,
            env=dict(self.environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                stdout, stderr = await child.communicate(stdin)
        except TimeoutError:
            raise AssertionError(f"{' '.join(command)} did not end within {seconds:.0f} s") from None
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
        code = await child.wait()
        if expect is not None and code != expect:
            raise AssertionError(f"{' '.join(command)} ended with {code}: {stderr.decode(errors='replace')[-2000:]}")
        return Completed(command, code, stdout.decode(errors="replace"), stderr.decode(errors="replace"))
