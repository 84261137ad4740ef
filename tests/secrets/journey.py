"""Journeys: what a client does in a world, one operation after the other, whatever comes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeVar

from pydantic import SecretStr
from returns.future import FutureResult

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op
from registry_fp.operations.blobs import get_blob, has_blob, mount_blob, put_blob
from registry_fp.operations.catalog import list_repositories
from registry_fp.operations.manifests import delete_manifest, get_manifest
from registry_fp.operations.ping import ping
from registry_fp.operations.referrers import list_referrers
from registry_fp.operations.tags import list_tags
from registry_fp.pipelines.copy import CopyOptions, copy
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, Keychain, RegistryToken
from registry_fp.transport.port import Client
from tests.secrets.world import BLOB, DIGEST, Account, World

__all__ = ["keychain_of", "travel"]

T = TypeVar("T")


def keychain_of(world: World, names: Mapping[str, str]) -> Keychain:
    """What a user has stored: an account for each registry, by the name that references have for it."""
    known = {names[origin]: _credentials(account) for origin, account in world.accounts.items()}

    def keychain(asked: str) -> Op[Credentials | None]:
        found: Op[Credentials | None] = FutureResult.from_value(known.get(asked.partition("/")[0]))
        return found

    return keychain


def _credentials(account: Account) -> Credentials:
    secret = SecretStr(account.secret)
    match account.kind:
        case "basic":
            return BasicCredentials("ada", secret)
        case "identity":
            return IdentityToken(secret)
        case _:
            return RegistryToken(secret)


async def travel(client: Client, dice: Random, hosts: tuple[str, ...], steps: int) -> list[RegistryError]:
    """So many operations at registries of these names; the failures, which are what most of them end in."""
    errors: list[RegistryError] = []
    for _ in range(steps):
        host, other = dice.choice(hosts), dice.choice(hosts)
        out = await settle(dice.choice(_STEPS)(client, f"{host}/app", f"{other}/app", host))
        if isinstance(out, Err):
            errors.append(out.error)
    return errors


def _copied(client: Client, here: str, there: str, _host: str) -> Op[object]:
    return _done(copy(client, f"{here}:1", f"{there}:2", options=CopyOptions(foreign=True)))


def _done(op: Op[T]) -> Op[object]:
    def any_of(value: T) -> object:
        return value

    return op.map(any_of)


_STEPS: tuple[Callable[[Client, str, str, str], Op[object]], ...] = (
    lambda client, _here, _there, host: _done(ping(client, host)),
    lambda client, _here, _there, host: _done(list_repositories(client, host)),
    lambda client, here, _there, _host: _done(list_tags(client, here)),
    lambda client, here, _there, _host: _done(list_referrers(client, f"{here}@{DIGEST}")),
    lambda client, here, _there, _host: _done(get_manifest(client, f"{here}:1")),
    lambda client, here, _there, _host: _done(get_blob(client, here, DIGEST)),
    lambda client, here, _there, _host: _done(has_blob(client, here, DIGEST)),
    lambda client, here, _there, _host: _done(put_blob(client, here, BLOB)),
    lambda client, here, _there, host: _done(mount_blob(client, here, DIGEST, source=f"{host}/base")),
    lambda client, here, _there, _host: _done(delete_manifest(client, f"{here}@{DIGEST}")),
    _copied,
)
