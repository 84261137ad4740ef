"""The keychain of every other tool: what Docker, podman, skopeo and buildah know, this library knows."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, Reason, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.transport.account import Credentials, Keychain
from registry_fp.transport.auth_file import AuthFile, account_in, program_in, split_asked
from registry_fp.transport.auth_files import Surroundings, auth_places, read_auth
from registry_fp.transport.credential_program import PROGRAM_SECONDS, CredentialProgram, ask_program

__all__ = ["docker_keychain"]

_log: Final = logging.getLogger(__name__)

_ASKED: Final = re.compile(r"[\x21-\x7e]{1,600}", re.ASCII)


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
        async def body() -> Result[Credentials | None, RegistryError]:
            if _ASKED.fullmatch(asked) is None:
                shown = ascii(asked[:300])[1:-1]
                return Failure(RegistryError("docker_keychain", shown, BadReference(shown, "no registry is called so")))
            around = Surroundings.of(environment, home)
            for place in auth_places(around):
                read = await read_auth(place)
                if not is_successful(read):
                    return Failure(RegistryError("docker_keychain", asked, read.failure()))
                file = read.unwrap()
                found = Success(None) if file is None else await _known(file, asked, around, seconds)
                if not is_successful(found):
                    return Failure(RegistryError("docker_keychain", asked, found.failure()))
                if file is not None and found.unwrap() is not None:
                    if file.is_exposed and file.where not in warned:
                        warned.add(file.where)
                        _log.warning("%s can be read by other users of this machine", file.where)
                    return Success(found.unwrap())
            return Success(None)

        return deferred(body)

    return keychain


async def _known(
    file: AuthFile, asked: str, around: Surroundings, seconds: float
) -> Result[Credentials | None, Reason]:
    host, path = split_asked(asked)
    named = program_in(file, host)
    if not is_successful(named):
        return Failure(named.failure())
    keeper = named.unwrap()
    broken: Reason | None = None
    if keeper is not None:
        kept = await settle(ask_program(CredentialProgram(keeper.name, around.environment, seconds), keeper.server))
        if isinstance(kept, Err):
            broken = kept.error.reason
        # Who keeps one host's credentials has the last word on it; who keeps all may not have been told of this one.
        elif kept.value is not None or keeper.is_for_host:
            return Success(kept.value)
    found = account_in(file, host, path)
    if not is_successful(found):
        return Failure(found.failure())
    # A program that does not work hides nothing that stands in the file itself: so does Docker.
    return Failure(broken) if broken is not None and found.unwrap() is None else Success(found.unwrap())
