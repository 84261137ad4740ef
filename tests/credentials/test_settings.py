"""Accounts that were chosen for hosts in the settings: after the argument, and before what other tools keep."""

import json
import pickle
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from registry_fp import HostSettings, Settings, connect, ping, read_settings, static_credentials, unwrap
from registry_fp.domain.errors import Unauthenticated
from registry_fp.effect.exits import Err, settle
from registry_fp.testing import EmbeddedRegistry

RIGHT = {"username": "ada", "password": "right"}
WRONG = {"username": "ada", "password": "wrong"}


async def test_an_account_of_the_settings_is_told() -> None:
    """To the host that it is for, which asks for it."""
    async with EmbeddedRegistry(basic_auth=("ada", "right")) as registry:
        known = Settings(hosts={registry.host: HostSettings.model_validate(RIGHT)})
        async with connect(known) as client:
            await unwrap(ping(client, registry.host))


async def test_an_account_of_the_settings_is_told_to_nobody_else() -> None:
    """Another port is another host."""
    async with EmbeddedRegistry(basic_auth=("ada", "right")) as registry:
        known = Settings(hosts={"127.0.0.1:1": HostSettings.model_validate(RIGHT)})
        async with connect(known) as client:
            refused = await settle(ping(client, registry.host))
    assert isinstance(refused, Err)
    assert isinstance(refused.error.reason, Unauthenticated)
    assert not any("Authorization" in each.headers for each in registry.requests)


async def test_the_argument_comes_first_and_docker_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every setting: what is nearer to the code decides."""
    async with EmbeddedRegistry(basic_auth=("ada", "right")) as registry:
        said = {"auths": {registry.host: RIGHT}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(said))
        async with connect(Settings(hosts={registry.host: HostSettings.model_validate(WRONG)})) as client:
            assert isinstance(await settle(ping(client, registry.host)), Err)
        right = static_credentials(registry.host, "ada", "right")
        async with connect(
            Settings(hosts={registry.host: HostSettings.model_validate(WRONG)}), keychain=right
        ) as client:
            await unwrap(ping(client, registry.host))
        async with connect(Settings()) as client:
            await unwrap(ping(client, registry.host))


async def test_the_environment_and_a_file_can_hold_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON, and as TOML."""
    async with EmbeddedRegistry(basic_auth=("ada", "right")) as registry:
        monkeypatch.setenv("REGISTRY_FP_HOSTS", json.dumps({registry.host: RIGHT}))
        async with connect() as client:
            await unwrap(ping(client, registry.host))
        monkeypatch.delenv("REGISTRY_FP_HOSTS")
        file = tmp_path / "config.toml"
        file.write_text(f'[hosts."{registry.host}"]\nusername = "ada"\npassword = "right"\n')
        monkeypatch.setenv("REGISTRY_FP_CONFIG", str(file))
        async with connect() as client:
            await unwrap(ping(client, registry.host))


@pytest.mark.parametrize(
    "half", [{"username": "ada"}, {"password": "s3cret"}, {"username": "ada", "password": "s3cret", "token": "t0ken"}]
)
def test_half_an_account_is_none(half: dict[str, str]) -> None:
    """It is said at once, and without what was given."""
    with pytest.raises(ValidationError) as refused:
        HostSettings.model_validate(half)
    assert "s3cret" not in str(refused.value)
    assert "t0ken" not in str(refused.value)
    assert "s3cret" not in repr(read_settings(hosts={"one.example": half}))


def test_it_shows_itself_nowhere() -> None:
    """Neither as text nor as a pickle."""
    chosen = Settings(hosts={"one.example": HostSettings(username="ada", password=SecretStr("s3cret"))})
    assert "s3cret" not in repr(chosen) + str(chosen) + chosen.model_dump_json()
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(chosen)
