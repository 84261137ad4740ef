"""Credentials and plain HTTP: what is needed to be let in."""

import io
import sys

import pytest

from registry_fp.testing import running_registry
from tests.cli.shell import call, run

Capture = pytest.CaptureFixture[bytes]


def test_the_password_comes_from_standard_input(capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it stands in no history and no list of processes; the newline of `echo` is not part of it."""
    with running_registry(basic_auth=("ada", "s3cret")) as registry:
        account = ("--username", "ada", "--password-stdin")
        assert run("ping", registry.host, *account, stdin=b"s3cret\n").code == 0
        assert registry.requests[-1].authorized
        monkeypatch.setattr(sys, "stdin", io.StringIO("s3cret2\n"))
        wrong = call(capfdbinary, "ping", registry.host, *account)
        assert (wrong.code, "s3cret2" in wrong.err) == (77, False)
        nothing = call(capfdbinary, "ping", registry.host, *account)
        assert (nothing.code, "standard input has none" in nothing.err) == (78, True)


def test_without_credentials_the_registry_is_not_opened(capfdbinary: Capture) -> None:
    """The hint says what is missing."""
    with running_registry(basic_auth=("ada", "s3cret")) as registry:
        failed = call(capfdbinary, "ping", registry.host)
        assert (failed.code, "hint: give credentials" in failed.err) == (77, True)


@pytest.mark.parametrize("half", [("--username", "ada"), ("--password-stdin",)])
def test_half_an_account_is_a_mistake(half: tuple[str, ...], capfdbinary: Capture) -> None:
    """Nothing waits for a password that nobody is going to type."""
    failed = call(capfdbinary, "ping", "localhost:1", *half)
    assert (failed.code, "belong together" in failed.err) == (2, True)


def test_plain_http_is_only_spoken_where_it_was_asked_for(capfdbinary: Capture) -> None:
    """Never as a silent fallback: 0.0.0.0 reaches this machine, and is not called loopback."""
    with running_registry(host="0.0.0.0") as registry:  # noqa: S104  the one name that is not loopback and is here
        assert call(capfdbinary, "ping", registry.host, "--retries", "0").code == 69
        assert registry.counts().requests == 0
        assert call(capfdbinary, "ping", registry.host, "--plain-http").code == 0
