"""The keychain of every other tool: what Docker, podman, skopeo and buildah know, this library knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, Reason, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.log import log_of
from registry_fp.effect.operation import Op, operation
from registry_fp.transport.account import Credentials, Keychain
from registry_fp.transport.auth_file import AuthFile, account_in, program_in, split_asked
from registry_fp.transport.auth_files import Surroundings, auth_places, read_auth
from registry_fp.transport.credential_program import PROGRAM_SECONDS, CredentialProgram, ask_program

__all__ = ["FoundAccount", "docker_keychain", "find_account"]

_log: Final = log_of(__name__)

_ASKED: Final = re.compile(r"[\x21-\x7e]{1,600}", re.ASCII)


@final
@dataclass(frozen=True, slots=True)
class FoundAccount:
    """Credentials, the file or variable that led to them, and the program that keeps them, if there is one.

    `is_exposed` if other users of the machine can read that file.
    """

    credentials: Credentials
    where: str
    program: str | None
    is_exposed: bool


def docker_keychain(
    *,
    environment: Mapping[str, str] | None = None,
    home: str | Path | None = None,
    seconds: float = PROGRAM_SECONDS,
) -> Keychain:
    """The keychain that looks where `docker login` and `podman login` write, each time that it is asked.

    The order: `DOCKER_AUTH_CONFIG`, `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`,
    `~/.config/containers/auth.json`, `~/.docker/config.json` (or under `$XDG_CONFIG_HOME`, `$DOCKER_CONFIG`); the first
    that knows decides. In a file: the program in `credHelpers` for this host; else the one in `credsStore`; else the
    longest key of `auths` that is this repository, a part of its path, or its host.

    Without `environment` and `home` they are this program's own. A program may take `seconds`. What cannot be read or
    does not work is `Misconfigured`, with its name, unless an earlier place has decided; a program that does not work
    hides nothing that stands in its file.

    >>> import asyncio
    >>> from pathlib import Path
    >>> from registry_fp.effect.exits import settle
    >>> told = '{"auths": {"ghcr.io": {"username": "ada", "password": "s3cret"}}}'
    >>> keychain = docker_keychain(environment={"DOCKER_AUTH_CONFIG": told}, home=Path("/nowhere"))
    >>> asyncio.run(settle(keychain("ghcr.io/team/app")))
    Ok(value=BasicCredentials(username='ada', password=SecretStr('**********')))
    """
    warned: set[str] = set()

    def keychain(asked: str) -> Op[Credentials | None]:
        def told(found: FoundAccount | None) -> Credentials | None:
            if found is not None and found.is_exposed and found.where not in warned:
                warned.add(found.where)
                _log.warning("%s can be read by other users of this machine", found.where)
            return None if found is None else found.credentials

        return find_account(asked, environment=environment, home=home, seconds=seconds).map(told)

    return keychain


@operation
async def find_account(
    asked: str,
    *,
    environment: Mapping[str, str] | None = None,
    home: str | Path | None = None,
    seconds: float = PROGRAM_SECONDS,
) -> Result[FoundAccount | None, RegistryError]:
    """What `docker_keychain` finds, and where; fails as it does, or with `BadReference` for what is no name."""
    if _ASKED.fullmatch(asked) is None:
        shown = ascii(asked[:300])[1:-1]
        return Failure(RegistryError("docker_keychain", shown, BadReference(shown, "no registry is called so")))
    around = Surroundings.of(environment, home)
    for place in auth_places(around):
        read = await read_auth(place)
        if not is_successful(read):
            return Failure(RegistryError("docker_keychain", asked, read.failure()))
        file = read.unwrap()
        if file is None:
            continue
        found = await _known(file, asked, around, seconds)
        if not is_successful(found):
            return Failure(RegistryError("docker_keychain", asked, found.failure()))
        if found.unwrap() is not None:
            return Success(found.unwrap())
    return Success(None)


async def _known(
    file: AuthFile, asked: str, around: Surroundings, seconds: float
) -> Result[FoundAccount | None, Reason]:
    host, path = split_asked(asked)
    named = program_in(file, host)
    if not is_successful(named):
        return Failure(named.failure())
    keeper = named.unwrap()
    broken: Reason | None = None
    if keeper is not None:
        program = CredentialProgram(keeper.name, around.environment, seconds)
        kept = await settle(ask_program(program, keeper.server))
        if isinstance(kept, Err):
            broken = kept.error.reason
        elif kept.value is not None:
            return Success(FoundAccount(kept.value, file.where, str(program), file.is_exposed))
        elif keeper.is_for_host:  # it has the last word; a program for all may not have been told of this host
            return Success(None)
    found = account_in(file, host, path)
    if not is_successful(found):
        return Failure(found.failure())
    known = found.unwrap()
    if known is not None:  # a program that does not work hides nothing that stands in the file: so does Docker
        return Success(FoundAccount(known, file.where, None, file.is_exposed))
    return Success(None) if broken is None else Failure(broken)
