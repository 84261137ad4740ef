"""The library `keyring`: an extra, whose absence is a reason."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from registry_fp.domain.errors import Misconfigured, Unsupported
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.transport.account import BasicCredentials
from registry_fp.transport.keyring_keychain import keyring_keychain
from tests.real.absence import absent


@pytest.fixture
def keyring() -> Iterator[Any]:
    """The library, with the store that it had put back."""
    try:
        library = importlib.import_module("keyring")
    except ModuleNotFoundError:
        absent("keyring, which is an extra of this library", curable=False)
    before = library.get_keyring()
    yield library
    library.set_keyring(before)


def _store(kept: dict[tuple[str, str], str]) -> Any:
    """A store in memory, made as the library says that stores are made."""
    backend: Any = importlib.import_module("keyring.backend")

    class Store(backend.KeyringBackend):  # type: ignore[misc]  # the library is an extra
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return kept.get((service, username))

        def get_credential(self, service: str, username: str | None) -> Any:
            credentials: Any = importlib.import_module("keyring.credentials")
            named = next((user for host, user in kept if host == service and username in (None, user)), None)
            return None if named is None else credentials.SimpleCredential(named, kept[service, named])

        def set_password(self, service: str, username: str, password: str) -> None:
            kept[service, username] = password

    return Store()


async def test_a_secret_of_the_keyring_is_found_by_its_host(keyring: Any) -> None:
    """`keyring set ghcr.io ada` is all that it takes; another host is another name."""
    keyring.set_keyring(
        _store({("ghcr.io", "ada"): "s3cret", ("ghcr.io", "bob"): "other", ("docker.io", "ada"): "hub"})
    )
    assert await settle(keyring_keychain()("ghcr.io/team/app")) == Ok(BasicCredentials("ada", SecretStr("s3cret")))
    assert await settle(keyring_keychain("bob")("ghcr.io")) == Ok(BasicCredentials("bob", SecretStr("other")))
    assert await settle(keyring_keychain()("docker.io/library/nginx")) == Ok(BasicCredentials("ada", SecretStr("hub")))
    assert await settle(keyring_keychain()("ghcr.io.evil.example")) == Ok(None)


async def test_a_machine_without_a_store_is_a_reason(keyring: Any) -> None:
    """A server has none, and the library raises."""
    keyring.set_keyring(importlib.import_module("keyring.backends.fail").Keyring())
    out = await settle(keyring_keychain("ada")("ghcr.io"))
    assert isinstance(out, Err)
    assert out.error.reason == Misconfigured("keyring", "NoKeyringError")


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, because it brings seven others."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    out = await settle(keyring_keychain()("ghcr.io"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)
    assert "extra `keyring`" in out.error.reason.what
