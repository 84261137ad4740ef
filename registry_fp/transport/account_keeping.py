"""Keeping an account: where a login is written to, and what a logout takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, Reason, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.auth_file import (
    AuthFile,
    NamedProgram,
    is_mentioned,
    program_in,
    with_account,
    without_account,
)
from registry_fp.transport.auth_files import (
    AuthPlace,
    Surroundings,
    auth_places,
    docker_place,
    read_auth,
    rewrite_auth,
)
from registry_fp.transport.credential_program import (
    CredentialProgram,
    ask_program,
    erase_with_program,
    store_with_program,
)

__all__ = ["Forgotten", "Kept", "forget_account", "keep_account"]


@final
@dataclass(frozen=True, slots=True)
class Kept:
    """Where an account was written to: a file, and the program that has the secret, if there is one.

    `hidden_by` is a variable that has another account for the same host, and comes before every file.
    """

    file: Path
    program: str | None = None
    hidden_by: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Forgotten:
    """Which files had something about a host and have it no more, and which variable still has."""

    files: tuple[Path, ...]
    hidden_by: str | None = None


@operation
async def keep_account(
    host: str,
    known: BasicCredentials,
    *,
    environment: Mapping[str, str] | None = None,
    home: str | Path | None = None,
) -> Result[Kept, RegistryError]:
    """Write a user and a password for a host where every tool looks for them.

    That is the first file that says something about this host already, because it is the first that is looked into;
    else `$REGISTRY_AUTH_FILE`, else Docker's own. Where the file names a credential program, that keeps the secret.
    Fails with `Misconfigured` where a file or a program is broken, or with `LocalIo`.
    """
    around = Surroundings.of(environment, home)
    found = await _looked_through(around, host)
    if not is_successful(found):
        return Failure(_failed("keep_account", host, found.failure()))
    hidden_by = next((place.where for place, _ in found.unwrap() if place.path is None), None)
    mentioned = [(place, file) for place, file in found.unwrap() if place.path is not None]
    place, file = mentioned[0] if mentioned else await _first(around)
    kept = await _kept(place, file, (host, known), around)
    return kept.map(lambda done: Kept(done[0], done[1], hidden_by)).alt(partial(_failed, "keep_account", host))


@operation
async def forget_account(
    host: str, *, environment: Mapping[str, str] | None = None, home: str | Path | None = None
) -> Result[Forgotten, RegistryError]:
    """Take away what any file, or the program that it names, has about a host; what it has about repositories stays.

    Fails with `Misconfigured` where a file or a program is broken, or with `LocalIo`.
    """
    around = Surroundings.of(environment, home)
    files: list[Path] = []
    hidden_by: str | None = None
    for place in auth_places(around):
        gone = await _forgotten(place, host, around)
        if not is_successful(gone):
            return Failure(_failed("forget_account", host, gone.failure()))
        if gone.unwrap() and place.path is not None:
            files.append(place.path)
        elif gone.unwrap():
            hidden_by = place.where
    return Success(Forgotten(tuple(files), hidden_by))


async def _looked_through(
    around: Surroundings, host: str
) -> Result[tuple[tuple[AuthPlace, AuthFile], ...], Misconfigured]:
    """The places that say something about this host."""
    found: list[tuple[AuthPlace, AuthFile]] = []
    for place in auth_places(around):
        read = await read_auth(place)
        if not is_successful(read):
            return Failure(read.failure())
        file = read.unwrap()
        if file is not None and is_mentioned(file, host):
            found.append((place, file))
    return Success(tuple(found))


async def _first(around: Surroundings) -> tuple[AuthPlace, AuthFile]:
    place = docker_place(around)
    file = (await read_auth(place)).value_or(None)
    return place, file if file is not None else AuthFile(place.where)


async def _kept(
    place: AuthPlace, file: AuthFile, account: tuple[str, BasicCredentials], around: Surroundings
) -> Result[tuple[Path, str | None], Reason]:
    host, known = account
    named = program_in(file, host)
    if not is_successful(named):
        return Failure(named.failure())
    keeper = named.unwrap()
    if keeper is not None:
        stored = await settle(store_with_program(_program(keeper, around), keeper.server, known))
        if isinstance(stored, Err):
            return Failure(stored.error.reason)
    written = await rewrite_auth(place, lambda now: with_account(now, host, known if keeper is None else None))
    path = place.path if place.path is not None else Path()
    return written.map(lambda _: (path, None if keeper is None else f"docker-credential-{keeper.name}"))


async def _forgotten(place: AuthPlace, host: str, around: Surroundings) -> Result[bool, Reason]:
    """Whether there was something about this host."""
    read = await read_auth(place)
    if not is_successful(read):
        return Failure(read.failure())
    file = read.unwrap()
    if file is None:
        return Success(False)
    named = program_in(file, host)
    if not is_successful(named):
        return Failure(named.failure())
    mentioned = without_account(file, host).map(lambda left: left != file)
    if not is_successful(mentioned):
        return Failure(mentioned.failure())
    if place.path is None:
        return Success(mentioned.unwrap())
    keeper = named.unwrap()
    had = False
    if keeper is not None:
        program = _program(keeper, around)
        asked = await settle(ask_program(program, keeper.server))
        erased = asked if isinstance(asked, Err) else await settle(erase_with_program(program, keeper.server))
        if isinstance(erased, Err):
            return Failure(erased.error.reason)
        had = not isinstance(asked, Err) and asked.value is not None
    if mentioned.unwrap():
        written = await rewrite_auth(place, lambda now: without_account(now, host))
        if not is_successful(written):
            return Failure(written.failure())
    return Success(had or mentioned.unwrap())


def _program(named: NamedProgram, around: Surroundings) -> CredentialProgram:
    return CredentialProgram(named.name, around.environment)


def _failed(doing: str, host: str, reason: Reason) -> RegistryError:
    return RegistryError(doing, host, reason)
