"""Sessions: from a question about a registry to its answer on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    DeadlineExceeded,
    Err,
    Keychain,
    Misconfigured,
    Ok,
    Op,
    RegistryError,
    Settings,
    connect,
    deadline,
    docker_keychain,
    first_of,
    read_settings,
    settings_keychain,
    settle,
    static_credentials,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.notice import notice_lines
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.terminal import Terminal

__all__ = ["Question", "Session", "ask", "in_time", "prepare", "settled"]

T = TypeVar("T")


@final
@dataclass(frozen=True)  # no slots: frozen, slots and Generic together break before 3.13 (python/cpython#116669)
class Question(Generic[T]):
    """What is asked (`doing` and `target`, for an error), of which host (None for no registry at all), and how."""

    doing: str
    target: str
    host: Result[str, RegistryError] | None
    put: Callable[[Client], Op[T]]


@final
@dataclass(frozen=True, slots=True)
class Session:
    """How the registry is talked to: what a client is made of, and how many seconds there are in all."""

    settings: Settings
    keychain: Keychain | None
    timeout: float | None


def ask(question: Question[T], answer: Callable[[T], Answer], remote: RemoteOptions, show: ShowOptions) -> int:
    """Ask, write the answer or what went wrong, and give the exit code."""

    async def asked(terminal: Terminal, session: Result[Session, RegistryError]) -> int:
        match await settled(session, question, terminal):
            case Ok(value):
                return terminal.write(answer(value))
            case Err(error):
                return terminal.fail(error)

    return run(show, lambda terminal: asked(terminal, prepare(remote, show, question.host)))


def prepare(
    remote: RemoteOptions,
    show: ShowOptions,
    host: Result[str, RegistryError] | None,
    *others: Result[str, RegistryError],
) -> Result[Session, RegistryError]:
    """The session that the options and the environment describe; reads the password, if one is to come.

    Credentials given here are for `host` alone, others are found in the settings and where Docker keeps them; plain
    HTTP and what is given about TLS are for all hosts, and authorities to trust for everything that is talked to.
    Fails as the hosts do, and with `Misconfigured`.
    """
    chosen: dict[str, Any] = {} if remote.retries is None else {"retries": remote.retries}
    if remote.no_cache:
        chosen["cache"] = False
    if show.wire_log:
        chosen["wire_log"] = True
    settings = read_settings(**chosen)
    if host is None:
        return settings.map(lambda known: Session(known, None, remote.timeout))
    names: list[str] = []
    for each in (host, *others):
        if not is_successful(each):
            return Failure(each.failure())
        names.append(each.unwrap())
    return settings.map(lambda known: _for_hosts(known, names, remote)).bind(
        lambda known: _keychain(remote, names[0], known).map(lambda keychain: Session(known, keychain, remote.timeout))
    )


async def settled(
    session: Result[Session, RegistryError], question: Question[T], terminal: Terminal
) -> Ok[T] | Err[RegistryError]:
    """The question's outcome, in a session of its own; what registries said besides is noted on the terminal."""
    if not is_successful(session):
        return Err(session.failure())
    chosen = session.unwrap()
    async with connect(chosen.settings, keychain=chosen.keychain) as client:
        out = await settle(in_time(question.put(client), chosen.timeout, question.doing, question.target))
        for line in notice_lines(client, verbose=terminal.verbose):
            terminal.note(line)
        return out


def in_time(op: Op[T], seconds: float | None, doing: str, target: str) -> Op[T]:
    """The same operation within the caller's own limit, if there is one; late is `DeadlineExceeded`."""
    if seconds is None:
        return op
    return deadline(op, seconds, lambda: RegistryError(doing, target, DeadlineExceeded(seconds), elapsed=seconds))


def _for_hosts(settings: Settings, names: list[str], remote: RemoteOptions) -> Settings:
    chosen: dict[str, Any] = {
        **({"plain_http": True} if remote.plain_http else {}),
        **({"insecure": True} if remote.insecure else {}),
        **({} if remote.ca is None else {"ca": remote.ca}),
        **({} if remote.cert is None else {"cert": remote.cert, "key": remote.key}),
    }
    if not chosen:
        return settings
    ours = {name: settings.host(name).model_copy(update=chosen) for name in names}
    everywhere = {} if remote.ca is None else {"ca": remote.ca}  # token servers and storage have the same authority
    others = {name: each for name, each in settings.hosts.items() if name not in ours}
    return settings.model_copy(update={"hosts": ours | others, **everywhere})


def _keychain(remote: RemoteOptions, host: str, settings: Settings) -> Result[Keychain | None, RegistryError]:
    if remote.username is None:
        return Success(None)
    try:
        password = sys.stdin.read().rstrip("\r\n")
    except UnicodeDecodeError:
        return Failure(RegistryError("read_password", host, Misconfigured("password", "it is not text")))
    if not password:
        return Failure(RegistryError("read_password", host, Misconfigured("password", "standard input has none")))
    given = static_credentials(host, remote.username, password)
    return Success(first_of(given, settings_keychain(settings), docker_keychain()))
