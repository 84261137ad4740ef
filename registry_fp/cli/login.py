"""Login and logout: an account is asked for, proven, and kept where every other tool finds it."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Err,
    LoggedIn,
    LoggedOut,
    Misconfigured,
    Ok,
    RegistryError,
    connect,
    login,
    logout,
    parse_host,
    settle,
    static_credentials,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.session import Session, in_time, prepare
from registry_fp.cli.terminal import Terminal

__all__ = ["LoginDocument", "LogoutDocument", "ask_login", "ask_logout"]


@final
@dataclass(frozen=True, slots=True)
class LoginDocument:
    """`login`; where the secret is, and never what it is."""

    host: str
    username: str
    file: str
    program: str | None
    proven: bool


@final
@dataclass(frozen=True, slots=True)
class LogoutDocument:
    """`logout`."""

    host: str
    files: tuple[str, ...]


def ask_login(host: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Prove an account and keep it; without `--username` it is asked for, at a terminal."""

    async def asked(terminal: Terminal, session: Result[tuple[Session, str, str], RegistryError]) -> int:
        if not is_successful(session):
            return terminal.fail(session.failure())
        chosen, username, password = session.unwrap()
        async with connect(chosen.settings, keychain=chosen.keychain) as client:
            match await settle(in_time(login(client, host, username, password), chosen.timeout, "login", host)):
                case Ok(done):
                    return _told(terminal, done)
                case Err(error):
                    return terminal.fail(error)

    return run(show, lambda terminal: asked(terminal, _session(host, remote, show)))


def ask_logout(host: str, show: ShowOptions) -> int:
    """Forget an account."""

    async def asked(terminal: Terminal) -> int:
        match await settle(logout(host)):
            case Ok(done):
                return _gone(terminal, done)
            case Err(error):
                return terminal.fail(error)

    return run(show, asked)


def _session(host: str, remote: RemoteOptions, show: ShowOptions) -> Result[tuple[Session, str, str], RegistryError]:
    """The session, the user and the password; reads what has to be read, and that may block."""
    account = _account(host, remote)
    if not is_successful(account):
        return Failure(account.failure())
    username, password = account.unwrap()
    session = prepare(replace(remote, username=None, password_stdin=False), show, parse_host(host))
    keychain = static_credentials(host, username, password)
    return session.map(lambda known: (replace(known, keychain=keychain), username, password))


def _account(host: str, remote: RemoteOptions) -> Result[tuple[str, str], RegistryError]:
    if remote.username is None:
        if not sys.stdin.isatty():
            return _missing("username", host, "give --username and --password-stdin, or log in at a terminal")
        print("Username: ", end="", file=sys.stderr, flush=True)
        username = sys.stdin.readline().rstrip("\r\n")
        try:
            password = getpass.getpass("Password: ", stream=sys.stderr) if username else ""
        except EOFError:  # Ctrl-D
            print(file=sys.stderr)
            return _missing("password", host, "there is none")
    else:
        username = remote.username
        try:
            password = sys.stdin.read().rstrip("\r\n")
        except UnicodeDecodeError:
            return _missing("password", host, "it is not text")
    if not password:
        return _missing("password" if username else "username", host, "there is none")
    return Success((username, password))


def _missing(setting: str, host: str, why: str) -> Failure[RegistryError]:
    return Failure(RegistryError("login", host, Misconfigured(setting, why)))


def _told(terminal: Terminal, done: LoggedIn) -> int:
    if not done.proven:
        terminal.note(f"warning: {done.host} lets everybody in, and did not check the password")
    if done.hidden_by is not None:
        terminal.note(f"warning: {done.hidden_by} has another account for {done.host}, and comes first")
    if done.program is None:
        terminal.note(
            f"warning: the password is kept in {done.file}, unencrypted; credsStore or credHelpers avoids that"
        )
    document = LoginDocument(done.host, done.username, str(done.file), done.program, done.proven)
    kept = str(done.file) if done.program is None else f"{done.program}, as {done.file} says"
    return terminal.write(Answer(document, f"{done.username} is logged in to {done.host}, kept in {kept}", done.host))


def _gone(terminal: Terminal, done: LoggedOut) -> int:
    if done.hidden_by is not None:
        terminal.note(f"warning: {done.hidden_by} still has an account for {done.host}")
    files: tuple[Path, ...] = done.files
    told = f"logged out of {done.host}, in {', '.join(map(str, files))}" if files else f"not logged in to {done.host}"
    return terminal.write(Answer(LogoutDocument(done.host, tuple(map(str, files))), told, done.host))
