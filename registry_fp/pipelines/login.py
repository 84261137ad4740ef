"""Login and logout: an account is proven, and then kept where every other tool finds it, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from pydantic import SecretStr
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.noun import host_noun
from registry_fp.operations.ping import ping
from registry_fp.transport.account import BasicCredentials, Credentials
from registry_fp.transport.account_keeping import forget_account, keep_account
from registry_fp.transport.port import Client

__all__ = ["LoggedIn", "LoggedOut", "login", "logout"]


@final
@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Whose account is kept for a host, in which file, and by which credential program, if there is one.

    `proven` is false where the registry lets everybody in, and never asked who we are. `hidden_by` is a variable that
    has another account for this host, and comes before every file.
    """

    host: str
    username: str
    file: Path
    program: str | None
    proven: bool
    hidden_by: str | None


@final
@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The files that had an account for a host and have it no more; `hidden_by` is a variable that still has one."""

    host: str
    files: tuple[Path, ...]
    hidden_by: str | None


def login(  # noqa: PLR0913  where to look, each with a default
    client: Client,
    host: str,
    username: str,
    password: str | SecretStr,
    *,
    environment: Mapping[str, str] | None = None,
    home: str | Path | None = None,
) -> Op[LoggedIn]:
    """Let the registry say that it knows this user and password, and keep them as `docker login` does.

    They go to the first file of `docker_keychain` that says something about this host, else to `$REGISTRY_AUTH_FILE`,
    else to Docker's own (mode 0600, replaced as a whole, with everything else that was in it); where the file names a
    credential program, the secret goes there. Nothing is written unless the registry answered.

    Fails with `BadReference`, `Misconfigured` (a user name or password that cannot be sent, a broken file or program),
    `Unauthenticated`, `LocalIo`, or as the transport does. Source: docker-login(1).
    """
    secret = password if isinstance(password, SecretStr) else SecretStr(password)
    account = BasicCredentials(username, secret)
    named = host_noun("login", host).bind(lambda name: _sendable(name, account))
    return named.bind(
        lambda name: _proven(client, name, account).bind(
            lambda proven: _kept(name, account, proven=proven, environment=environment, home=home)
        )
    )


def logout(host: str, *, environment: Mapping[str, str] | None = None, home: str | Path | None = None) -> Op[LoggedOut]:
    """Forget the account for a host, in every file and credential program of `docker_keychain`.

    What stands under a repository's key stays, and no registry is asked. Fails with `BadReference`, `Misconfigured`, or
    `LocalIo`. Source: docker-logout(1).
    """

    @operation
    async def forgotten(name: str) -> Result[LoggedOut, RegistryError]:
        gone = await settle(forget_account(name, environment=environment, home=home))
        if isinstance(gone, Err):
            return Failure(replace(gone.error, doing="logout"))
        return Success(LoggedOut(name, gone.value.files, gone.value.hidden_by))

    return host_noun("logout", host).bind(forgotten)


def _sendable(host: str, account: BasicCredentials) -> Op[str]:
    """RFC 7617: the first colon ends the user name, and control characters stand in neither."""
    faults = (
        ("username", "it is empty", not account.username),
        ("username", "it has a colon", ":" in account.username),
        ("username", "it has a control character", _has_controls(account.username)),
        ("password", "it is empty", not account.password.get_secret_value()),
        ("password", "it has a control character", _has_controls(account.password.get_secret_value())),
    )
    for setting, why, is_so in faults:
        if is_so:
            return FutureResult.from_failure(RegistryError("login", host, Misconfigured(setting, why)))
    return FutureResult.from_value(host)


@operation
async def _proven(client: Client, host: str, account: BasicCredentials) -> Result[bool, RegistryError]:
    """Whether the registry asked who we are; fails if it did, and does not know this account."""
    asked: list[str] = []
    names = {host.removesuffix(":443"), *(() if ":" in host else (f"{host}:80",))}

    def keychain(place: str) -> Op[Credentials | None]:
        ours = place.partition("/")[0] in names
        asked.extend((place,) if ours else ())
        found: Op[Credentials | None] = FutureResult.from_value(account if ours else None)
        return found

    answered = await settle(ping(client.known_by(keychain), host))
    if isinstance(answered, Err):
        return Failure(replace(answered.error, doing="login"))
    return Success(bool(asked))


@operation
async def _kept(
    host: str,
    account: BasicCredentials,
    *,
    proven: bool,
    environment: Mapping[str, str] | None,
    home: str | Path | None,
) -> Result[LoggedIn, RegistryError]:
    kept = await settle(keep_account(host, account, environment=environment, home=home))
    if isinstance(kept, Err):
        return Failure(replace(kept.error, doing="login"))
    where = kept.value
    return Success(LoggedIn(host, account.username, where.file, where.program, proven, where.hidden_by))


def _has_controls(text: str) -> bool:
    return any(character < " " or character == "\x7f" for character in text)
