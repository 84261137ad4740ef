"""Who we are to Google's Artifact Registry: an access token from the machine's metadata server, or else from `gcloud`.

    async with connect(keychain=gar_keychain("europe-west1-docker.pkg.dev")) as client: ...

Source: Artifact Registry, "Configure authentication to Artifact Registry for Docker".
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE

import aiohttp
from pydantic import SecretStr
from returns.result import Failure, Result, Success

from registry_fp import BasicCredentials, Credentials, Keychain, Misconfigured, RegistryError, operation

PATH = "computeMetadata/v1/instance/service-accounts/default/token"


def gar_keychain(host: str) -> Keychain:
    """The keychain for one host of Artifact Registry, or of Container Registry."""

    @operation
    async def keychain(place: str) -> Result[Credentials | None, RegistryError]:
        if place.partition("/")[0] != host:
            return Success(None)
        token = await _of_machine() or await _of_gcloud()
        if token is None:
            why = "neither the metadata server nor `gcloud auth print-access-token` has one"
            return Failure(RegistryError("gar_keychain", place, Misconfigured("access token", why)))
        return Success(BasicCredentials("oauth2accesstoken", SecretStr(token)))

    return keychain


async def _of_machine() -> str | None:
    server = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
            session.get(f"http://{server}/{PATH}", headers={"Metadata-Flavor": "Google"}) as answer,
        ):
            return str((await answer.json())["access_token"]) if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):  # not a machine of Google's
        return None


async def _of_gcloud() -> str | None:
    command = ("gcloud", "auth", "print-access-token")
    try:
        gcloud = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except OSError:
        return None
    try:
        token = (await gcloud.communicate())[0].decode().strip()
    finally:
        if gcloud.returncode is None:
            gcloud.kill()
            await gcloud.wait()
    return token if token and gcloud.returncode == 0 else None
