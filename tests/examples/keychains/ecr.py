"""Who we are to Amazon ECR: a password for twelve hours, from the `aws` program, which finds out by itself.

    async with connect(keychain=ecr_keychain("123456789012.dkr.ecr.eu-west-1.amazonaws.com")) as client: ...

Source: Amazon ECR user guide, "Private registry authentication".
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE

from pydantic import SecretStr
from returns.result import Failure, Result, Success

from registry_fp import BasicCredentials, Credentials, Keychain, Misconfigured, RegistryError, operation


def ecr_keychain(host: str, *, region: str | None = None) -> Keychain:
    """The keychain for one ECR host; its name tells the region, unless that is given.

    A client asks again when what it has is no longer taken, so a password may end while it works.
    """
    chosen = region or host.partition(".dkr.ecr.")[2].partition(".")[0]

    @operation
    async def keychain(place: str) -> Result[Credentials | None, RegistryError]:
        if place.partition("/")[0] != host:
            return Success(None)
        try:
            aws = await asyncio.create_subprocess_exec(
                *("aws", "ecr", "get-login-password", "--region", chosen), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            return Failure(RegistryError("ecr_keychain", place, Misconfigured("aws", error.strerror or "no program")))
        try:
            password = (await aws.communicate())[0].decode().strip()
        finally:
            if aws.returncode is None:
                aws.kill()
                await aws.wait()
        if aws.returncode or not password:
            why = f"`aws ecr get-login-password` ended with {aws.returncode}"
            return Failure(RegistryError("ecr_keychain", place, Misconfigured("aws", why)))
        return Success(BasicCredentials("AWS", SecretStr(password)))

    return keychain
