"""Help and mistakes: what the command line says of itself."""

import os
import subprocess
import sys

import pytest
from syrupy.assertion import SnapshotAssertion

from registry_fp.cli.app import app
from tests.cli.shell import call, run

Capture = pytest.CaptureFixture[bytes]

COMMANDS = (
    *("demo", "push", "pull", "copy", "ping", "repos", "tags", "inspect", "tree", "ls", "cat", "manifest", "config"),
    "validate",
    *("digest", "blob", "referrers", "tag", "attach", "detach", "delete", "convert", "edit", "append", "index"),
    *("artifact", "doctor", "export", "login", "logout", "schema", "serve"),
)

GROUPED = ("index create", "index edit", "artifact push", "artifact pull")


@pytest.mark.parametrize("command", ["", *COMMANDS, *GROUPED])
def test_the_help_is_as_it_was(
    command: str, snapshot: SnapshotAssertion, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the interface is seen by whoever reviews it."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = call(capfdbinary, *command.split(), "--help")
    assert (shown.code, shown.err) == (0, "")
    assert "\n".join(line.rstrip() for line in shown.text.splitlines()) == snapshot


def test_every_command_is_in_the_snapshots() -> None:
    """A new one would be forgotten otherwise."""
    assert {name for name in app if not name.startswith("-")} == set(COMMANDS)
    groups = {name.partition(" ")[0] for name in GROUPED}
    assert {f"{group} {name}" for group in groups for name in app[group] if not name.startswith("-")} == set(GROUPED)


def test_the_version_is_the_distributions(capfdbinary: Capture) -> None:
    """One line, one number."""
    shown = call(capfdbinary, "--version")
    assert (shown.code, shown.text.count("\n"), shown.text[0].isdigit()) == (0, 1, True)


@pytest.mark.parametrize(
    "mistake",
    [
        ("inspct", "localhost:1/app"),
        ("tags",),
        ("tags", "one", "two"),
        ("tags", "localhost:1/app", "--bogus"),
        ("tags", "localhost:1/app", "-o", "xml"),
        ("tags", "localhost:1/app", "--timeout", "0"),
        ("tags", "localhost:1/app", "--retries", "99"),
        ("push", "app.tar"),
        ("push", "app.tar", "localhost:1/app", "--all-tags", "localhost:1"),
        ("push", "app.tar", "--all-tags", "localhost:1", "--image", "0"),
        ("push", "app.tar", "localhost:1/app", "--concurrency", "0"),
        ("tags", "https://ghcr.io/team/app"),
        ("digest", "localhost:1/App"),
        ("ping", "local host"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_2_and_two_lines(mistake: tuple[str, ...], capfdbinary: Capture) -> None:
    """An error and a hint, whether the parser or the library finds it; nothing is asked of a registry."""
    refused = call(capfdbinary, *mistake)
    assert (refused.code, refused.out) == (2, b"")
    error, hint = refused.err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")


@pytest.mark.parametrize("missing", ["cyclopts", "rich", "attrs"])
def test_without_the_extra_it_says_how_to_install_it(missing: str) -> None:
    """78, and a line to copy; the library itself is there."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from registry_fp.cli import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.decode().splitlines() == [
        f"error: the command line needs {missing}, which is not installed",
        'hint: pip install "registry-fp[cli]"',
    ]


def test_a_mistake_of_the_script_is_2_too() -> None:
    """As the shell sees it."""
    refused = run("inspct")
    assert (refused.code, refused.out) == (2, b"")
    assert refused.err.startswith('error: Unknown command "inspct". Did you mean "inspect"?')
    assert os.linesep.join(refused.err.splitlines()[1:]) == "hint: see `registry-fp --help`"
