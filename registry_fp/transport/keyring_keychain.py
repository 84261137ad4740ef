"""The operating system's own store of secrets, through the library `keyring`, which is an extra."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, Reason, RegistryError, Unsupported
from registry_fp.effect.operation import Op, deferred
from registry_fp.transport.account import BasicCredentials, Credentials, Keychain
from registry_fp.transport.auth_file import split_asked

__all__ = ["keyring_keychain"]


def keyring_keychain(username: str | None = None) -> Keychain:
    """The keychain of `keyring set HOST USER`: macOS' Keychain, the Secret Service, Windows' Credential Locker.

    Without `username` the store is asked for whichever user it has, which not every store can say. A store may have to
    ask the user first, so there is no limit on how long it takes. Fails with `Unsupported` where `keyring` is not
    installed (`pip install "registry-fp[keyring]"`), and `Misconfigured` where there is no store, or it is locked.
    """

    def keychain(asked: str) -> Op[Credentials | None]:
        async def body() -> Result[Credentials | None, RegistryError]:
            host, _ = split_asked(asked)
            found = await asyncio.to_thread(lambda: _found(host, username))
            if is_successful(found):
                return Success(found.unwrap())
            return Failure(RegistryError("keyring_keychain", host, found.failure()))

        return deferred(body)

    return keychain


def _found(host: str, username: str | None) -> Result[Credentials | None, Reason]:
    try:
        keyring: Any = importlib.import_module("keyring")
        broken: type[Exception] = importlib.import_module("keyring.errors").KeyringError
    except ModuleNotFoundError:
        return Failure(Unsupported("the keyring, which needs the extra `keyring`"))
    try:
        entry = keyring.get_credential(host, username)
    except broken as error:
        return Failure(Misconfigured("keyring", type(error).__name__))
    return Success(None if entry is None else BasicCredentials(entry.username, SecretStr(entry.password)))
