"""Failures: the exit code, the lines and the JSON of each kind."""

import json
from pathlib import Path

import pytest

from registry_fp.testing import Answer, Corrupt, EmbeddedRegistry, Fault, Stall, running_registry
from tests.cli.conftest import Shelf
from tests.cli.shell import call, run

Capture = pytest.CaptureFixture[bytes]


def test_one_error_is_one_line_and_then_a_hint(shelf: Shelf) -> None:
    """On standard error, with nothing on standard output and no traceback."""
    missing = run("tags", f"{shelf.host}/none")
    assert (missing.code, missing.out) == (66, b"")
    error, hint = missing.err.splitlines()
    assert error.startswith(f"error: list_tags {shelf.host}/none: NotFound: no such repository")
    assert hint.startswith("hint: check the spelling")


def test_in_json_an_error_is_one_object_on_standard_error(shelf: Shelf, capfdbinary: Capture) -> None:
    """With everything that a program needs to decide what to do next."""
    for form in ("json", "ndjson"):
        missing = call(capfdbinary, "digest", f"{shelf.repository}:none", "-o", form)
        assert (missing.code, missing.out) == (66, b"")
        error = json.loads(missing.err)["error"]
        assert list(error) == [
            *("doing", "target", "reason", "message", "hint", "attempts", "transient", "exit_code", "errors")
        ]
        assert (error["doing"], error["reason"], error["attempts"]) == ("head_manifest", "NotFound", 1)
        assert (error["transient"], error["exit_code"]) == (False, 66)


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (Answer(401), 77, "Unauthenticated"),
        (Answer(403), 77, "Denied"),
        (Answer(404), 66, "NotFound"),
        (Answer(418), 76, "Refused"),
        (Answer(429), 75, "RateLimited"),
        (Answer(503), 69, "ServerFault"),
        (Answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"), 76, "ProtocolViolation"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else None,
)
def test_what_a_registry_answers_has_its_exit_code(
    answer: Answer, code: int, reason: str, registry: EmbeddedRegistry, capfdbinary: Capture
) -> None:
    """A pipeline tries again after 75, and calls somebody after 77."""
    registry.set_faults(Fault(answer))
    failed = call(capfdbinary, "tags", f"{registry.host}/team/app", "--retries", "0")
    assert failed.code == code
    assert f": {reason}: " in failed.err


def test_nobody_there_is_69(capfdbinary: Capture) -> None:
    """Unreachable."""
    with running_registry() as gone:
        host = gone.host
    failed = call(capfdbinary, "ping", host, "--retries", "0")
    assert (failed.code, failed.err.splitlines()[0]) == (
        69,
        f"error: ping {host}: ConnectFailed: cannot connect to {host}: connection refused",
    )


def test_retries_are_counted(registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """How often it was tried is part of the error."""
    registry.set_faults(Fault(Answer(503)))
    failed = call(capfdbinary, "ping", registry.host, "--retries", "1", "-o", "json")
    assert json.loads(failed.err)["error"]["attempts"] == registry.counts().requests == 2


def test_damage_on_the_way_is_65(shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """Content that does not have its digest is never printed."""
    assert call(capfdbinary, "push", str(shelf.archive), f"{registry.host}/app:1").code == 0
    registry.set_faults(Fault(Corrupt(at=100), method="GET", endpoint="end-2"))
    failed = call(capfdbinary, "config", f"{registry.host}/app:1")
    assert (failed.code, failed.out) == (65, b"")
    assert "DigestMismatch" in failed.err


def test_a_file_that_is_no_archive_is_65_and_one_that_is_not_there_66(tmp_path: Path, capfdbinary: Capture) -> None:
    """Before anything is asked of a registry."""
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"not a tar" * 200)
    assert call(capfdbinary, "push", str(broken), "localhost:1/app").code == 65
    assert call(capfdbinary, "push", str(tmp_path / "none.tar"), "localhost:1/app").code == 66


def test_a_folder_that_is_no_layout_is_65(tmp_path: Path, capfdbinary: Capture) -> None:
    """The hint says what would be one."""
    failed = call(capfdbinary, "push", str(tmp_path), "localhost:1/app")
    assert (failed.code, "InvalidImage: bad oci-layout" in failed.err) == (65, True)
    assert "an OCI layout: a folder, or a tar, with the file oci-layout" in failed.err


def test_the_callers_own_limit_is_75_and_gives_up_what_was_open(
    shelf: Shelf, registry: EmbeddedRegistry, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that takes no more bytes holds nobody longer than they said; no upload stays behind."""
    registry.set_faults(Fault(Stall(after=64 * 1024), method="PATCH"))
    monkeypatch.setenv("REGISTRY_FP_SMALL_BLOB", "0")
    options = ("--compression", "none", "--no-cache", "--timeout", "0.5", "-o", "json")
    failed = call(capfdbinary, "push", str(shelf.archive), f"{registry.host}/app:1", *options)
    error = json.loads(failed.err)["error"]
    assert (failed.code, error["reason"], error["doing"]) == (75, "DeadlineExceeded", "push")
    assert registry.counts().uploads_open == 0


@pytest.mark.parametrize("value", ["none", "0"])
def test_a_setting_without_a_valid_value_is_78(
    value: str, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named."""
    monkeypatch.setenv("REGISTRY_FP_CONCURRENCY", value)
    failed = call(capfdbinary, "ping", "localhost:1")
    assert failed.code == 78
    assert "REGISTRY_FP_CONCURRENCY" in failed.err


def test_a_bug_is_70_and_one_line(tmp_path: Path) -> None:
    """Nobody's terminal is filled with a traceback, unless -v asks for it."""
    # The library is broken on purpose: it has no bug at hand.
    (tmp_path / "sitecustomize.py").write_text("import registry_fp\nregistry_fp.ping = lambda client, host: 1 // 0\n")
    env = {"PYTHONPATH": str(tmp_path)}
    failed = run("ping", "localhost:1", env=env)
    assert (failed.code, failed.out) == (70, b"")
    assert failed.err.splitlines() == [
        "error: a bug in registry-fp: ZeroDivisionError: integer division or modulo by zero",
        "hint: please report it, with what -v shows",
    ]
    assert "Traceback" in run("ping", "localhost:1", "-v", env=env).err
