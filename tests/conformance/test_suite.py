"""The suite itself: built once, and missed loudly."""

import os
from pathlib import Path

import pytest

from tests.real import conformance, go_program
from tests.real.conformance import conformance_suite, judge

pytestmark = pytest.mark.xdist_group("conformance")


def test_it_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second test run needs neither a compiler's time nor a network."""
    cache = tmp_path / "go"
    monkeypatch.setattr(go_program, "CACHE", cache)
    _go(tmp_path / "bin", 'echo "$@" >> "$GOBIN/conformance"', monkeypatch)
    built = conformance_suite()
    assert built.read_text(encoding="utf-8") == f"install {conformance.MODULE}@{conformance.VERSION}\n"
    _go(tmp_path / "bin", "exit 1", monkeypatch)
    assert conformance_suite() == built
    assert {entry.name for entry in cache.iterdir()} == {built.parent.name, "conformance.lock"}


@pytest.mark.parametrize("ci", ["true", ""])
def test_a_machine_without_go_is_told_so(ci: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No download of ours brings a compiler, so even CI=true skips, and says why."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"real component missing: .*there is no go here"):
        conformance_suite()


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_go_that_cannot_fetch_is_a_failure_only_where_ci_says_so(
    ci: str, outcome: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop on a train runs the other tests; the machine that vouches for a change does not skip this one."""
    _go(tmp_path / "bin", "echo first; echo dial tcp: no such host >&2; exit 1", monkeypatch)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(go_program, "CACHE", tmp_path / "cache")
    with pytest.raises(outcome, match=r"real component missing: .*no such host"):
        conformance_suite()
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["conformance.lock"]


async def test_a_suite_that_cannot_start_is_no_pass(suite: Path, tmp_path: Path) -> None:
    """It ends with 0 then, so only its report counts."""
    with pytest.raises(AssertionError, match="unsupported config version 7"):
        await judge(suite, tmp_path / "report", "127.0.0.1:1", "7")


async def test_a_registry_that_is_not_there_is_no_pass(suite: Path, tmp_path: Path) -> None:
    """Nothing answered is not the same as nothing was wrong."""
    verdict = await judge(suite, tmp_path / "report", "127.0.0.1:1", "dev")
    assert verdict.code == 1
    assert verdict.failures


def _go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program called `go` before every other."""
    folder.mkdir(exist_ok=True)
    (folder / "go").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.defpath}")
