"""The command line: what a shell, a process list and a log file see of an account."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from registry_fp.testing.sample_archive import sample_image, write_docker_save
from registry_fp.testing.threaded import running_registry
from tests.cli.shell import Outcome, run
from tests.secrets.sentinels import found_in
from tests.secrets.telling import told_by

SECRET = "s3kr1t000000x"  # noqa: S105  it is the sentinel
STRANGE = "\x1b]0;owned\x07\x1b[2J\u202egnol\u2066"


def _seen(done: Outcome) -> frozenset[str]:
    return found_in(f"{done.out.decode()}\n{done.err}")


@pytest.mark.parametrize("password", [SECRET, "wrong-s3kr1t000001x"], ids=["right", "wrong"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_command_shows_the_account_that_it_uses(tmp_path: Path, form: str, password: str) -> None:
    """With every log on, where it works and where it does not."""
    archive = write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=1)).path
    remote = ("--username", "ada", "--password-stdin", "-v", "--wire-log", "-o", form)
    with running_registry(basic_auth=("ada", SECRET)) as registry:
        name = f"{registry.host}/team/app:1.0"
        commands = (("push", str(archive), name), ("inspect", name))
        for command in commands if password == SECRET else commands[:1]:
            done = run(*command, *remote, stdin=password.encode())
            assert (done.code == 0) == (password == SECRET), done.err
            assert "registry_fp.wire: #1 > " in done.err
            assert "authorization: Basic ***" in done.err
            assert _seen(done) == frozenset()


def test_the_wire_log_is_asked_for_by_itself(tmp_path: Path) -> None:
    """Whoever looks at the wire need not read everything else; and results stay alone on standard output."""
    with running_registry() as registry:
        quiet, told = run("ping", registry.host), run("ping", registry.host, "--wire-log")
        named = run("ping", registry.host, "-v", env={"REGISTRY_FP_WIRE_LOG": "1"})
        assert (quiet.code, quiet.err) == (0, "")
        assert told.out == quiet.out
        assert told.err.splitlines()[0] == f"registry_fp.wire: #1 > GET http://{registry.host}/v2/"
        assert all(line.startswith("registry_fp.wire: #1 ") for line in told.err.splitlines())
        assert told.err.splitlines()[0] in named.err


def test_the_password_of_a_proxy_is_not_shown() -> None:
    """It stands in a variable, which everybody's scripts set, and the error is in everybody's log."""
    for proxy in (
        f"http://ada:{SECRET}@127.0.0.1:1",
        f"http://ada:{SECRET}@",
        f"ada:{SECRET}@127.0.0.1:1",
        f"http://{SECRET}@127.0.0.1:1",
    ):
        hosts = json.dumps({"registry.example": {"proxy": proxy, "plain_http": True}})
        done = run("ping", "registry.example", "-v", "--wire-log", "--retries", "0", env={"REGISTRY_FP_HOSTS": hosts})
        assert done.code != 0
        assert _seen(done) == frozenset(), done.err


def test_a_login_leaves_the_password_with_the_program_alone(tmp_path: Path) -> None:
    """Arguments and variables of a process can be read by others, and files stay behind."""
    heard, kept = tmp_path / "heard", tmp_path / "kept"
    program = tmp_path / "docker-credential-safe"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {heard}\nenv >> {heard}\ncat > {kept}\n")
    program.chmod(0o755)
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker" / "config.json").write_text('{"credsStore": "safe"}')
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DOCKER_CONFIG": str(home / ".docker"),
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
    }
    with running_registry(basic_auth=("ada", SECRET)) as registry:
        account = ("--username", "ada", "--password-stdin", "-v", "--wire-log")
        done = run("login", registry.host, *account, stdin=SECRET.encode(), env=environment)
    assert done.code == 0, done.err
    assert _seen(done) == frozenset()
    assert SECRET in kept.read_text()  # else nothing is proven
    kept.unlink()
    left = {str(path): path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name, text in left.items() if found_in(text)} == set()


def test_what_a_server_writes_does_not_command_a_terminal() -> None:
    """Tags, repositories and messages are text from anybody, on standard output and on standard error."""
    pages = {
        "/v2/_catalog": json.dumps({"repositories": [f"team/{STRANGE}", "team/app"]}),
        "/v2/app/tags/list": json.dumps({"name": f"app{STRANGE}", "tags": [f"1.0{STRANGE}", "1.0"]}),
    }
    errors = json.dumps({"errors": [{"code": f"DENIED{STRANGE}", "message": STRANGE, "detail": STRANGE}]})
    with told_by(lambda path: (200, pages[path]) if path in pages else (403, errors)) as host:
        tags = ("tags", f"{host}/app")
        for command in (("repos", host), tags, (*tags, "-o", "json"), ("digest", f"{host}/app:1.0"), ("ping", host)):
            done = run(*command, "-v", "--wire-log", "--retries", "0")
            lines = f"{done.out.decode()}\n{done.err}".split("\n")
            assert [line for line in lines if not line.isprintable()] == [], command
