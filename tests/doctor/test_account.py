"""Who we are: where it was found, whether it is any good, and whom it may be told; never what the secret is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry_fp import Diagnosis, HostSettings, Keychain, Settings, connect, static_credentials
from registry_fp.testing import EmbeddedRegistry
from tests.credentials.place import Home
from tests.doctor.ward import examined, found
from tests.tokens.server import LOGIN, TokenServer, token_server
from tests.tokens.test_tokens import TESTER, known_as

USER, SECRET = "ada", "s3cr3t-w0rd"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of whoever runs this."""
    chosen = Home(tmp_path / "home")
    chosen.root.mkdir()
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    for name, value in chosen.variables.items():
        monkeypatch.setenv(name, value)
    return chosen


async def _diagnosis(registry: EmbeddedRegistry, keychain: Keychain | None = None, **chosen: str) -> Diagnosis:
    hosts = {registry.host: HostSettings.model_validate(chosen)}
    async with connect(Settings(cache=False, retries=0, hosts=hosts), keychain=keychain) as client:
        diagnosis = await examined(client, f"{registry.host}/team/app")
    assert SECRET not in repr(diagnosis)
    return diagnosis


def _login(host: str) -> dict[str, object]:
    return {"auths": {host: {"username": USER, "password": SECRET}}}


async def test_a_file_is_named(home: Home) -> None:
    """Of five places, the one that counted."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        path = home.write("docker", _login(registry.host))
        diagnosis = await _diagnosis(registry)
    assert found(diagnosis, "credentials").told == f"{USER}, with a password, in {path}"
    assert found(diagnosis, "access").told == f"it lets {USER} in"
    assert diagnosis.ills == ()


async def test_a_file_that_others_can_read_is_told(home: Home) -> None:
    """It works, and it should not stay so."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        path = home.write("docker", _login(registry.host))
        path.chmod(0o644)
        credentials = found(await _diagnosis(registry), "credentials")
    assert (credentials.verdict, f"chmod 600 {path}" in (credentials.hint or "")) == ("yes", True)


async def test_a_variable_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build service has set long ago comes before every file."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(_login(registry.host)))
        assert "in DOCKER_AUTH_CONFIG" in found(await _diagnosis(registry), "credentials").told


async def test_a_program_is_named_with_the_file_that_names_it(home: Home) -> None:
    """The secret is where the operating system keeps it."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        home.shelf({registry.host: (USER, SECRET)})
        path = home.write("docker", {"credHelpers": {registry.host: "shelf"}})
        told = found(await _diagnosis(registry), "credentials").told
    assert told == f"{USER}, with a password, kept by docker-credential-shelf, as {path} says"


async def test_settings_are_named(home: Home) -> None:
    """An account that was chosen for a host."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        diagnosis = await _diagnosis(registry, username=USER, password=SECRET)
    assert found(diagnosis, "credentials").told == f"{USER}, with a password, in the settings of {registry.host}"


async def test_what_the_program_was_given_is_said_to_be_so(home: Home) -> None:
    """From code, or from --username."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        diagnosis = await _diagnosis(registry, static_credentials(registry.host, USER, SECRET))
    assert found(diagnosis, "credentials").told == f"{USER}, with a password, given to this client"


async def test_a_program_that_is_not_there_is_what_is_wrong(home: Home) -> None:
    """A config that was copied from another machine."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        home.write("docker", {"credsStore": "desktop"})
        diagnosis = await _diagnosis(registry)
    assert found(diagnosis, "credentials").verdict == "no"
    assert "install docker-credential-desktop" in (found(diagnosis, "credentials").hint or "")
    assert [each.topic for each in diagnosis.ills] == ["credentials"]


async def test_a_file_that_is_broken_is_what_is_wrong(home: Home) -> None:
    """It is named, and nothing of what is in it."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        path = home.write("docker", f'{{"auths": {{"{registry.host}": "{SECRET}')
        credentials = found(await _diagnosis(registry), "credentials")
    assert (credentials.verdict, str(path) in (credentials.hint or "")) == ("no", True)


async def test_a_wrong_password_is_told_from_none(home: Home) -> None:
    """Logging in again is what helps."""
    async with EmbeddedRegistry(basic_auth=(USER, SECRET)) as registry:
        home.write("docker", {"auths": {registry.host: {"username": USER, "password": "old"}}})
        diagnosis = await _diagnosis(registry)
    assert found(diagnosis, "access").told == f"it does not take these credentials of {USER}"
    assert f"registry-fp login {registry.host}" in (found(diagnosis, "access").hint or "")
    assert [each.topic for each in diagnosis.ills] == ["access"]


async def test_a_token_server_of_another_host_is_what_is_wrong() -> None:
    """It is not told who we are, which looks like a wrong password; it can be trusted, and here is how."""
    realm = "https://tokens.example/token"
    async with EmbeddedRegistry(gate=lambda _: f'Bearer realm="{realm}",service="x"') as registry:
        diagnosis = await _diagnosis(registry, known_as(TESTER))
    assert realm in found(diagnosis, "realm").told
    assert "REGISTRY_FP_TRUSTED_REALMS=tokens.example" in (found(diagnosis, "realm").hint or "")
    assert [each.topic for each in diagnosis.ills] == ["realm"]


@pytest.mark.parametrize(
    ("challenge", "told"),
    [
        ("Negotiate", "it asks for negotiate, which is not spoken here"),
        ('Bearer realm="http://other.example/token"', "a token server is asked over https"),
        ('Bearer service="x"', "the realm of a challenge is no URL"),
    ],
)
async def test_a_challenge_that_cannot_be_met_is_told(challenge: str, told: str) -> None:
    """It is the registry's to mend."""
    async with EmbeddedRegistry(gate=lambda _: challenge) as registry:
        diagnosis = await _diagnosis(registry, known_as(TESTER))
    assert (found(diagnosis, "realm").verdict, told in found(diagnosis, "realm").told) == ("no", True)


async def test_who_may_pull_alone_is_told_so() -> None:
    """One scope after the other, as the token server gives them."""
    server = TokenServer(forbidden=frozenset({"repository:team/app"}))
    async with token_server(server), EmbeddedRegistry(gate=server.gate) as registry:
        diagnosis = await _diagnosis(registry, known_as(TESTER))
    push = found(diagnosis, "push")
    assert (push.verdict, f"let {LOGIN[0]} push" in (push.hint or "")) == ("no", True)
    assert [each.topic for each in diagnosis.ills] == ["pull"]
