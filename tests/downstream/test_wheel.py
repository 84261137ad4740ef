"""The wheel: what a stranger gets, and what a stranger's type checker makes of it."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.downstream.venv import Installed, activated, run

pytestmark = pytest.mark.xdist_group("downstream")


def test_the_wheel_holds_the_library_and_nothing_else(installed: Installed) -> None:
    """Tests, examples and settings of ours are no business of whoever installs it."""
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {re.sub(r"-[\d.]+\.dist-info$", "-*.dist-info", top) for top in tops} == {
        "registry_fp",
        "registry_fp-*.dist-info",
    }
    assert "registry_fp/py.typed" in names
    others = [name for name in names if not name.endswith((".py", "/py.typed", "/")) and ".dist-info/" not in name]
    assert others == ["registry_fp/cli/documents.schema.json"]


def test_the_metadata_is_of_this_decade(installed: Installed) -> None:
    """The licence is an SPDX expression (PEP 639), and what is needed is declared."""
    with zipfile.ZipFile(installed.wheel) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(wheel.read(name).decode())
    version = tuple(map(int, metadata["Metadata-Version"].split(".")))
    assert version >= (2, 4)
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    needed = {re.split(r"[^\w-]", line)[0] for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert {"aiohttp", "pydantic", "returns"} <= needed
    assert needed.isdisjoint({"mypy", "pytest", "pytest-asyncio", "cyclopts", "rich"})


def test_every_public_symbol_has_a_type(installed: Installed, tmp_path: Path) -> None:
    """One symbol without a type is a hole through which a whole application loses its own."""
    printed = run(
        *(sys.executable, "-m", "pyright", "--verifytypes", "registry_fp", "--ignoreexternal", "--outputjson"),
        cwd=tmp_path,  # not here, where the source would be found instead of the wheel
        env=activated(installed),
    )
    report = json.loads(printed)["typeCompleteness"]
    untyped = [each["name"] for each in report["symbols"] if each["isExported"] and not each["isTypeKnown"]]
    assert untyped == []
    assert report["completenessScore"] == 1.0
    assert report["exportedSymbolCounts"]["withKnownType"] > 1000
