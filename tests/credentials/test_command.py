"""`login` and `logout` at a terminal: the password comes from standard input, and goes to no output."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from registry_fp.cli.login import ask_login, ask_logout
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.testing import EmbeddedRegistry, running_registry
from tests.cli.shell import SCRIPT
from tests.credentials.place import Home

ADA = ("ada", "s3cr3t-w0rd")
STDIN = RemoteOptions(retries=0, no_cache=True, username="ada", password_stdin=True)
JSON = ShowOptions(output="json")


@pytest.fixture
def registry() -> Iterator[EmbeddedRegistry]:
    """One that asks for a password."""
    with running_registry(basic_auth=ADA) as running:
        yield running


@pytest.fixture(autouse=True)
def _at_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in home.variables.items():
        monkeypatch.setenv(name, text)
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def _types(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_login_says_where_the_password_is(
    registry: EmbeddedRegistry, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results on standard output; that it is kept without encryption is a warning, as with Docker."""
    _types(f"{ADA[1]}\n", monkeypatch)
    assert ask_login(registry.host, STDIN, ShowOptions()) == 0
    said = capsys.readouterr()
    path = home.files["docker"]
    assert said.out == f"ada is logged in to {registry.host}, kept in {path}\n"
    assert "unencrypted" in said.err
    assert ADA[1] not in said.out + said.err
    assert ask_logout(registry.host, ShowOptions()) == 0
    assert capsys.readouterr().out == f"logged out of {registry.host}, in {path}\n"
    assert ask_logout(registry.host, ShowOptions()) == 0
    assert capsys.readouterr().out == f"not logged in to {registry.host}\n"


@pytest.mark.parametrize(
    ("typed", "setting"), [(b"\x04", "username"), (b"ada\n\x04", "password"), (b"ada\n\n", "password")]
)
def test_who_types_nothing_is_told_what_is_missing(typed: bytes, setting: str, registry: EmbeddedRegistry) -> None:
    """Ctrl-D at a prompt is no bug of ours."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as screen:
        command = [SCRIPT, "login", registry.host]
        # A session of its own has no /dev/tty, so that the prompts are read from where we type.
        with subprocess.Popen(command, stdin=theirs, stderr=theirs, start_new_session=True) as child:
            os.close(theirs)
            said = b""
            for prompt, line in zip((b"Username: ", b"Password: "), typed.splitlines(keepends=True), strict=False):
                while prompt not in said:
                    said += screen.read(1024)
                screen.write(line)
            while b"hint: " not in said:
                said += screen.read(1024)
    assert child.returncode == 78
    assert f"Misconfigured: {setting}: there is none" in said.decode()
    assert registry.requests == ()


def test_both_are_documents_for_programs(
    registry: EmbeddedRegistry, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a program that keeps the secret, which is named."""
    home.shelf()
    path = home.write("docker", {"credsStore": "shelf"})
    _types(ADA[1], monkeypatch)
    assert ask_login(registry.host, STDIN, JSON) == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document.pop("proven"), bool)
    assert document == {
        "host": registry.host,
        "username": "ada",
        "file": str(path),
        "program": "docker-credential-shelf",
    }
    assert ask_logout(registry.host, JSON) == 0
    assert json.loads(capsys.readouterr().out) == {"host": registry.host, "files": [str(path)]}


@pytest.mark.parametrize(
    ("remote", "typed", "code", "why"),
    [
        (STDIN, "wrong\n", 77, "credentials"),
        (STDIN, "", 78, "there is none"),
        (RemoteOptions(retries=0), "ada\n", 78, "give --username and --password-stdin"),
    ],
)
def test_a_login_that_fails_keeps_nothing(  # noqa: PLR0917  a row of the table, and what it needs
    remote: RemoteOptions,
    typed: str,
    code: int,
    why: str,
    registry: EmbeddedRegistry,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit code says whose fault it is; nothing waits for a password that nobody is going to type."""
    _types(typed, monkeypatch)
    assert ask_login(registry.host, remote, ShowOptions()) == code
    said = capsys.readouterr()
    assert (why in said.err, said.out, home.files["docker"].exists()) == (True, "", False)


def test_what_could_surprise_is_warned_of(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A registry that checked nothing, and a variable that comes before the file."""
    with running_registry() as lenient:
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {lenient.host: {"auth": "eDp5"}}}))
        _types(ADA[1], monkeypatch)
        assert ask_login(lenient.host, STDIN, ShowOptions()) == 0
        said = capsys.readouterr().err
        assert ("did not check the password" in said, "DOCKER_AUTH_CONFIG has another" in said) == (True, True)
        assert ask_logout(lenient.host, ShowOptions()) == 0
        assert "DOCKER_AUTH_CONFIG still has" in capsys.readouterr().err


def test_a_broken_file_is_named(registry: EmbeddedRegistry, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """As what it is: a matter of configuration."""
    path = home.write("docker", "{")
    assert ask_logout(registry.host, ShowOptions()) == 78
    assert str(path) in capsys.readouterr().err
