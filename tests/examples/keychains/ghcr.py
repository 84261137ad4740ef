"""Who we are to GitHub's Container Registry: the token of the workflow, or a personal one, from the environment.

    async with connect(keychain=ghcr_keychain()) as client: ...

In a workflow: `permissions: {packages: write}`, and `env: {GITHUB_TOKEN: "${{ github.token }}"}`. Source: GitHub
Docs, "Working with the Container registry".
"""

from __future__ import annotations

import os

from pydantic import SecretStr
from returns.result import Result, Success

from registry_fp import BasicCredentials, Credentials, Keychain, RegistryError, operation


def ghcr_keychain(host: str = "ghcr.io") -> Keychain:
    """The keychain for GHCR; without a token in the environment it knows nobody, and public images can be pulled."""

    @operation
    async def keychain(place: str) -> Result[Credentials | None, RegistryError]:
        token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
        if place.partition("/")[0] != host or not token:
            return Success(None)
        return Success(BasicCredentials(os.environ.get("GITHUB_ACTOR", "token"), SecretStr(token)))

    return keychain
