"""Who we are to Azure Container Registry: a token of Microsoft Entra, from `az`, for a refresh token of the registry.

    async with connect(keychain=acr_keychain("myregistry.azurecr.io")) as client: ...

Source: Azure/acr, docs/AAD-OAuth.md.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE

import aiohttp
from pydantic import SecretStr
from returns.result import Failure, Result, Success

from registry_fp import Credentials, IdentityToken, Keychain, Misconfigured, RegistryError, operation

COMMAND = "az account get-access-token --scope https://containerregistry.azure.net/.default --query accessToken -o tsv"
NOBODY = "00000000-0000-0000-0000-000000000000"  # the user name of whoever comes with a token


def acr_keychain(host: str, *, exchange: str | None = None) -> Keychain:
    """The keychain for one registry; `exchange` is the URL where it gives refresh tokens, if not the usual one."""

    @operation
    async def keychain(place: str) -> Result[Credentials | None, RegistryError]:
        if place.partition("/")[0] != host:
            return Success(None)
        try:
            az = await asyncio.create_subprocess_exec(*COMMAND.split(), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
        except OSError as error:
            return Failure(RegistryError("acr_keychain", place, Misconfigured("az", error.strerror or "no program")))
        try:
            token = (await az.communicate())[0].decode().strip()
        finally:
            if az.returncode is None:
                az.kill()
                await az.wait()
        if az.returncode or not token:
            why = f"`az account get-access-token` ended with {az.returncode}"
            return Failure(RegistryError("acr_keychain", place, Misconfigured("az", why)))
        form = {"grant_type": "access_token", "service": host, "access_token": token}
        try:
            async with (
                aiohttp.ClientSession(trust_env=True) as session,
                session.post(exchange or f"https://{host}/oauth2/exchange", data=form, allow_redirects=False) as answer,
            ):
                answer.raise_for_status()
                refresh = str((await answer.json())["refresh_token"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            why = f"the token was not exchanged: {type(error).__name__}"
            return Failure(RegistryError("acr_keychain", place, Misconfigured("refresh token", why)))
        return Success(IdentityToken(SecretStr(refresh), NOBODY))

    return keychain
