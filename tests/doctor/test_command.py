"""The command: what a newcomer sees."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from registry_fp import RegistryProfile
from registry_fp.cli.doctor_document import DiagnosisDocument
from registry_fp.testing import Manners, running_registry
from tests.cli.shell import call, run
from tests.doctor.ward import census, stocked

Capture = pytest.CaptureFixture[bytes]


def test_a_registry_that_is_well_is_said_to_be(capfdbinary: Capture) -> None:
    """One look at the last line is enough."""
    with running_registry() as registry:
        place = stocked(registry.host)
        shown = call(capfdbinary, "doctor", place)
    lines = shown.text.splitlines()
    assert (shown.code, shown.err, lines[-1]) == (0, "", "Nothing to mend.")
    assert lines[0] == f"{place}  http://{registry.host}"
    titles = ["The way there", "Who we are", "What we may do", "What the registry can"]
    assert [line for line in lines if line in titles] == titles
    assert {line.split()[0] for line in lines if line.startswith("  ")} == {"✓"}


def test_what_is_wrong_is_said_last_with_what_to_do(capfdbinary: Capture) -> None:
    """The cause, and none of what comes of it; and what the registry lacks is no reason to worry."""
    with running_registry(basic_auth=("a", "b")) as registry:
        shown = call(capfdbinary, "doctor", f"{registry.host}/team/app")
    assert shown.code == 1
    assert shown.text.splitlines()[-2:] == [
        "To mend:",
        f"  1. credentials: `registry-fp login {registry.host}`, or set DOCKER_AUTH_CONFIG or REGISTRY_AUTH_FILE",
    ]
    assert shown.text.count("✗") == 6


def test_nothing_to_mend_is_not_said_below_a_cross(capfdbinary: Capture) -> None:
    """A registry that cannot delete is well enough to be read; but who has just seen a cross looks for its hint."""
    with running_registry(profile=RegistryProfile(delete=False)) as registry:
        shown = call(capfdbinary, "doctor", stocked(registry.host))
    assert (shown.code, "✗ delete" in shown.text) == (0, True)
    assert shown.text.splitlines()[-1] == "Nothing has to be mended to read there; each ✗ has its own hint."


def test_what_cannot_be_reached_is_a_result_and_no_error(capfdbinary: Capture) -> None:
    """It is what was asked for; scripts see it by the exit code."""
    shown = call(capfdbinary, "doctor", "localhost:1", "--retries", "0")
    assert (shown.code, shown.err) == (1, "")
    assert "✗ reach          cannot connect to localhost:1: connection refused" in shown.text


def test_programs_read_a_document(capfdbinary: Capture) -> None:
    """It fits the published schema, and says in one field whether all is well."""
    with running_registry(profile=RegistryProfile(referrers=False)) as registry:
        shown = call(capfdbinary, "doctor", stocked(registry.host), "-o", "json")
        lines = call(capfdbinary, "doctor", registry.host, "-o", "ndjson")
        quiet = call(capfdbinary, "doctor", registry.host, "-o", "quiet")
    document = TypeAdapter(DiagnosisDocument).validate_python(shown.document)
    assert (document.well, document.ills, document.repository) == (True, (), f"{registry.host}/team/app")
    assert [each.topic for each in document.findings if each.verdict == "no"] == ["referrers"]
    assert {"topic", "verdict", "told", "hint"} == set(lines.objects[0])
    assert quiet.out == b""


def test_read_only_changes_nothing(capfdbinary: Capture) -> None:
    """For a registry that nobody may touch."""
    with running_registry() as registry:
        place = stocked(registry.host)
        before = census(registry.host)
        registry.reset_counts()
        assert call(capfdbinary, "doctor", place, "--read-only").code == 0
        assert set(registry.counts().by_method) == {"GET", "HEAD"}
        assert census(registry.host) == before


def test_a_name_that_is_none_is_misuse(capfdbinary: Capture) -> None:
    """Nothing is asked."""
    assert call(capfdbinary, "doctor", "https://ghcr.io").code == 2


def test_a_terminal_is_not_told_what_to_do_by_a_registry() -> None:
    """Whatever a server calls itself is shown as text."""
    manners = Manners({"Server": "evil\x9b2J", "Warning": '299 - "\x9b2J"'})
    with running_registry(manners=manners) as registry:
        shown = run("doctor", registry.host)
    assert "\x9b" not in shown.text + shown.err
    assert "evil\\x9b2J" in shown.text
