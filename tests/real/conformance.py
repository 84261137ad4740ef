"""The public conformance suite of the OCI distribution specification, built by Go and asked about a registry.

Its exit code says little: a suite that could not start ends with 0 as well. So it is judged by its own report, which
names every test, and by its summary, which names every endpoint and every kind of content.
"""

import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.real.go_program import go_program
from tests.real.tool import Tool

MODULE = "github.com/opencontainers/distribution-spec/conformance"
VERSION = "v0.0.0-20260831232431-97274622c111"
_ROW = re.compile(r"^  (?P<name>\S.*?)\.*: +(?P<status>Pass|FAIL|Error|Skip|Disabled|Unknown)$", re.MULTILINE)
_HEADING = "OCI Conformance Result: "


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite found: its exit code, its last word, how many tests had which outcome, and why some failed.

    `features` are the rows of its summary: each endpoint and each kind of content, and its status.
    """

    code: int
    word: str
    outcomes: Mapping[str, int]
    failures: tuple[str, ...]
    features: Mapping[str, str]


def conformance_suite() -> Path:
    """Return the suite's program; skips or fails as `go_program` does."""
    return go_program("the OCI conformance suite", MODULE, VERSION)


async def judge(program: Path, folder: Path, host: str, specification: str, **more: str) -> Verdict:
    """Run the suite against a registry that speaks plain HTTP, and read what it found; `folder` takes its report.

    `specification` is the version that is asked for (`dev`, `1.1`, `1.0`); `more` are more of the suite's settings.
    """
    settings = {"OCI_REGISTRY": host, "OCI_TLS": "disabled", "OCI_VERSION": specification}
    files = {"OCI_RESULTS_DIR": str(folder), "OCI_CONFIGURATION": os.devnull}
    ended = await Tool((str(program),), {**settings, **files, **more})(expect=None, seconds=120.0)
    report, summary = folder / "junit.xml", ended.stdout.rpartition(_HEADING)[2]
    assert report.exists(), f"the suite did not start: {ended.stderr}"
    tests = list(ET.parse(report).iter("testcase"))  # noqa: S314 - written by a program that we built
    return Verdict(
        code=ended.code,
        word=summary.partition("\n")[0],
        outcomes=Counter(test.attrib["status"] for test in tests),
        failures=tuple(_said(test) for test in tests if test.attrib["status"] in {"failure", "error"}),
        features={row["name"]: row["status"] for row in _ROW.finditer(summary)},
    )


def _said(test: ET.Element) -> str:
    """Give one line about a failed test: its name, and what the suite says is wrong."""
    return f"{test.attrib['name']}: {' '.join((test.findtext('system-out') or '').split())[:500]}"
