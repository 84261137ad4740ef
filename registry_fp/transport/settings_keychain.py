"""The keychain of the settings: accounts that were chosen for hosts, in code, in the environment or in a file."""

from __future__ import annotations

from returns.future import FutureResult

from registry_fp.effect.operation import Op
from registry_fp.transport.account import BasicCredentials, Credentials, Keychain, RegistryToken
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.settings import Settings

__all__ = ["settings_keychain"]


def settings_keychain(settings: Settings) -> Keychain:
    """The keychain that knows the hosts whose `HostSettings` have a token, or a user name and a password.

    >>> import asyncio
    >>> from registry_fp.effect.exits import settle
    >>> known = Settings(hosts={"ghcr.io": HostSettings(username="ada", password="s3cret")})
    >>> asyncio.run(settle(settings_keychain(known)("ghcr.io/team/app")))
    Ok(value=BasicCredentials(username='ada', password=SecretStr('**********')))
    """

    def keychain(asked: str) -> Op[Credentials | None]:
        name = asked.partition("/")[0]
        found = _account(settings.host(name))
        bare = name.removesuffix(":80")
        if found is None and bare != name and settings.host(bare).plain_http:  # without TLS a place has its port
            found = _account(settings.host(bare))
        told: Op[Credentials | None] = FutureResult.from_value(found)
        return told

    return keychain


def _account(chosen: HostSettings) -> Credentials | None:
    if chosen.token is not None:
        return RegistryToken(chosen.token)
    if chosen.username is not None and chosen.password is not None:
        return BasicCredentials(chosen.username, chosen.password)
    return None
