"""The types, checked: `api.py` is accepted, and every file in `must_fail` is refused where and how it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import registry_fp

ROOT: Final = Path(__file__).parents[2]
FILES: Final = [
    Path("tests/typing/api.py"),
    *sorted(path.relative_to(ROOT) for path in (ROOT / "tests/typing/must_fail").glob("*.py")),
]
PLUGINS: Final = {
    "no plugin": [],
    "returns": ["returns.contrib.mypy.returns_plugin"],
    "returns and pydantic": ["returns.contrib.mypy.returns_plugin", "pydantic.mypy"],
}
STRICT: Final = """[mypy]
python_version = 3.11
strict = true
warn_unreachable = true
enable_error_code = possibly-undefined, redundant-expr, exhaustive-match, unused-awaitable
"""

Found = set[tuple[str, int, str]]


def _expected(checker: str) -> Found:
    """(file, line, code) of every error that is announced."""
    return {
        (path.as_posix(), number, code)
        for path in FILES
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if (announced := re.search(rf"# expect:.*\b{checker}\[([\w,-]+)\]", line))
        for code in announced[1].split(",")
    }


@pytest.mark.parametrize("plugins", PLUGINS.values(), ids=PLUGINS.keys())
def test_mypy_accepts_the_api_and_refuses_the_mistakes(plugins: list[str], tmp_path: Path) -> None:
    """Users have no plugin, one of them, or both; the types must say the same to all of them."""
    config = tmp_path / "mypy.ini"
    config.write_text(STRICT + (f"plugins = {', '.join(plugins)}\n" if plugins else ""))
    cache = ROOT / ".mypy_cache" / f"typing-{len(plugins)}"
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(cache)]
    command += ["--no-error-summary", "--hide-error-context", "--no-pretty", "--no-color-output", *map(str, FILES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(_mypy_errors(done.stdout)) ^ _expected("mypy") == set(), done.stdout + done.stderr


def _mypy_errors(printed: str) -> Iterator[tuple[str, int, str]]:
    for line in printed.splitlines():
        if found := re.match(r"(?P<path>[^:]+):(?P<line>\d+)(?::\d+)?: error: .*\[(?P<code>[\w-]+)\]$", line):
            yield Path(found["path"]).as_posix(), int(found["line"]), found["code"]
        else:
            assert ": note: " in line, line


def test_pyright_accepts_the_api_and_refuses_the_mistakes() -> None:
    """The other half of the users sees pyright, in an editor, and never a plugin."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, FILES)]
    quiet = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=quiet)
    report = json.loads(done.stdout)
    found = {
        (Path(each["file"]).relative_to(ROOT).as_posix(), each["range"]["start"]["line"] + 1, each.get("rule", ""))
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    }
    assert found ^ _expected("pyright") == set()


def test_every_file_of_mistakes_has_some_for_both_checkers() -> None:
    """A marker with a typing error in it would expect nothing, and find it."""
    for path in FILES:
        if path.parent.name == "must_fail" and path.name != "__init__.py":
            for checker in ("mypy", "pyright"):
                assert any(name == path.as_posix() for name, _, _ in _expected(checker)), (path, checker)


def test_every_name_of_the_door_is_checked() -> None:
    """A name that `api.py` does not know may have any type."""
    words = set(re.findall(r"\w+", (ROOT / "tests/typing/api.py").read_text(encoding="utf-8").partition("\n)\n")[2]))
    assert set(registry_fp.__all__) - words == set()
