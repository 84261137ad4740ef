"""A reader who tries everything: runs each block of a document from the top, in a folder of his own."""

from __future__ import annotations

import ast
import asyncio
import configparser
import inspect
import io
import os
import shlex
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from types import CodeType
from typing import Any, Final

import pytest

from registry_fp import Settings, connect
from tests.docs.blocks import ROOT, Block, blurred, commands_of

__all__ = ["KINDS", "Reader", "is_a_recipe", "is_a_test"]

KINDS: Final = frozenset({"python", "text", "sh", "console", "ini", "toml", "diagram"})
"""What a block can be: code, what the code above it prints, commands (without or with their output), settings of tools
(ini) and our own (toml); and diagrams, which have a test of their own."""


@dataclass(frozen=True, slots=True)
class Reader:
    """`places` are the hosts that a document speaks of, and where they really are; `folder` is where it is read."""

    folder: Path
    places: dict[str, str]

    def read(self, blocks: tuple[Block, ...]) -> None:
        """Run every block; fails where one does, or prints something else than the `text` block below it says."""
        printed = ""
        for block, follower in zip_longest(blocks, blocks[1:], fillvalue=Block("", "", "")):
            match block.kind:
                case "python":
                    printed = self._test(block) if is_a_test(block) else self._run(block)
                    assert not printed or follower.kind == "text", f"{block.place} prints, and no block says what"
                case "text":
                    assert blurred(printed) == blurred(block.code), f"{block.place} is not what is printed"
                    printed = ""
                case "sh" | "console":
                    self._command(block)
                case "ini":
                    configparser.ConfigParser().read_string(block.code)
                case "toml":
                    Settings.model_validate(tomllib.loads(block.code))
                case kind:
                    assert kind in KINDS, f"{block.place}: nobody knows how to try a block of kind {kind!r}"

    def _run(self, block: Block) -> str:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if is_a_recipe(block) else 0
        code = compile(self._there(block.code), block.place, "exec", flags=flags, dont_inherit=True)
        printed = io.StringIO()
        with redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(_recipe(code))
            else:
                exec(code, {"__name__": "__main__"})  # noqa: S102  to run what is written there is the test
        return self._back(printed.getvalue())

    def _test(self, block: Block) -> str:
        sample = self.folder / "test_sample.py"
        sample.write_text(block.code)
        options = ["-q", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "-c", os.devnull]
        folders = ["--rootdir", ".", "--basetemp", "temporary"]
        # Plugins that this project happens to have must not be what it takes.
        alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = self._call([sys.executable, "-m", "pytest", *options, *folders, sample.name], alone)
        assert done.returncode == 0, f"{block.place}\n{done.stdout}{done.stderr}"
        return ""

    def _command(self, block: Block) -> None:
        code = 0
        for command, shown in commands_of(block):
            words = shlex.split(command)
            match words:
                case ["registry-fp", *arguments]:
                    done = self._call([sys.executable, "-m", "registry_fp.cli", *map(self._there, arguments)])
                    code = done.returncode
                    printed = done.stdout + "".join(_complaints(done.stderr))
                    assert block.kind == "console" or code == 0, f"{block.place}: {command}: {done.stderr}"
                    if block.kind == "console":
                        assert blurred(self._back(printed)) == blurred(shown), f"{block.place}: {command}"
                case ["echo", "$?"]:
                    assert shown.strip() == str(code), f"{block.place}: {command}"
                case ["make", *targets]:
                    known = (ROOT / "Makefile").read_text().split("\n.PHONY:")[1].splitlines()[0].split()
                    assert set(targets) <= set(known), f"{block.place}: {command}"
                case ["pip", "install", what]:
                    assert _can_be_installed(what), f"{block.place}: {command}"
                case [".venv/bin/python", "-m", "pytest", *arguments]:
                    paths = [ROOT / argument for argument in arguments if not argument.startswith("-")]
                    assert all(path.exists() for path in paths), f"{block.place}: {command}"
                case [".venv/bin/python", "-m", module]:
                    assert find_spec(module) is not None, f"{block.place}: {command}"
                case _:
                    pytest.fail(f"{block.place}: nobody knows how to try {command!r}")

    def _call(self, words: list[str], env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False)

    def _there(self, text: str) -> str:
        for place, host in self.places.items():
            text = text.replace(place, host)
        return text

    def _back(self, text: str) -> str:
        for place, host in self.places.items():
            text = text.replace(host, place)
        return text


def is_a_test(block: Block) -> bool:
    """Whether pytest runs it."""
    return "\ndef test_" in block.code or "\nasync def test_" in block.code


def is_a_recipe(block: Block) -> bool:
    """Whether it awaits outside of any function, and so stands where there is a `client`."""
    try:
        compile(block.code, block.place, "exec", dont_inherit=True)
    except SyntaxError:
        return True
    return False


async def _recipe(code: CodeType) -> None:
    async with connect() as client:
        namespace: dict[str, Any] = {"__name__": "__main__", "client": client}
        await eval(code, namespace)  # noqa: S307  to run what is written there is the test


def _complaints(standard_error: str) -> list[str]:
    """Without the progress, which is told to a terminal in another way."""
    return [line for line in standard_error.splitlines(keepends=True) if line.startswith(("error:", "hint:"))]


def _can_be_installed(what: str) -> bool:
    name, _, rest = what.partition("[")
    extras = {extra for extra in rest.removesuffix("]").split(",") if extra}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return name in {".", project["name"]} and extras <= set(project["optional-dependencies"])
