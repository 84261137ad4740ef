"""Accounts: who we are to a registry, and how that is found out. No secret shows itself anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Self, SupportsIndex, TypeAlias, final

from pydantic import SecretStr
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, deferred

__all__ = ["BasicCredentials", "Credentials", "IdentityToken", "Keychain", "RegistryToken", "first_of"]


class _StaysHere:
    """A secret that stays in its process: it is not pickled, and a copy of it is itself."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol: SupportsIndex, /) -> NoReturn:
        raise TypeError(f"{type(self).__name__} are not pickled: whoever needs them asks a keychain of its own")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self


@final
@dataclass(frozen=True, slots=True)
class BasicCredentials(_StaysHere):
    """A user name and a password; the password shows itself nowhere."""

    username: str
    password: SecretStr


@final
@dataclass(frozen=True, slots=True)
class IdentityToken(_StaysHere):
    """A refresh token: it is given to the registry's token server alone, which gives short-lived tokens for it.

    Source: distribution, "Token authentication", OAuth2.
    """

    token: SecretStr
    username: str = "<token>"


@final
@dataclass(frozen=True, slots=True)
class RegistryToken(_StaysHere):
    """A bearer token that is given to the registry as it is."""

    token: SecretStr


Credentials: TypeAlias = BasicCredentials | IdentityToken | RegistryToken
"""Every way to say who we are."""

Keychain: TypeAlias = Callable[[str], Op[Credentials | None]]
"""From what a request is about to its credentials, or None: `HOST[:PORT]`, or `HOST[:PORT]/PATH` with a repository.

The host is `docker.io` for Docker Hub, and `HOST:80` without TLS on the usual port.
"""


def first_of(*keychains: Keychain) -> Keychain:
    """The keychain that asks these in their order, until one knows; one that fails is not passed over."""

    def keychain(asked: str) -> Op[Credentials | None]:
        async def body() -> Result[Credentials | None, RegistryError]:
            for each in keychains:
                found = await settle(each(asked))
                if isinstance(found, Err):
                    return Failure(found.error)
                if found.value is not None:
                    return Success(found.value)
            return Success(None)

        return deferred(body)

    return keychain
