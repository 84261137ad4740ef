"""Auth files: whatever lies where one is looked for, it is named, and neither shown nor waited for."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from returns.pipeline import is_successful

from registry_fp.domain.errors import Misconfigured
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, RegistryToken, first_of
from registry_fp.transport.auth_file import account_in, parse_auth_file, program_in, split_asked, with_account
from registry_fp.transport.docker_keychain import FoundAccount, docker_keychain, find_account
from tests.credentials.place import Home

HOST = "registry.example"
SECRET = "s3cr3t-w0rd"  # noqa: S105  the one that must not be seen
ENTRY = {"auths": {HOST: {"username": "ada", "password": SECRET}}}
ADA = BasicCredentials("ada", SecretStr(SECRET))


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


def _circle(path: Path) -> None:
    path.symlink_to(path)


def _large(path: Path) -> None:
    path.write_text(json.dumps({**ENTRY, "psFormat": "x" * 5_000_000}))


def _deep(path: Path) -> None:
    path.write_text('{"auths":' * 100_000)


def _binary(path: Path) -> None:
    path.write_bytes(b'{"auths": {"\xff' + SECRET.encode() + b'"}}')


def _long_number(path: Path) -> None:
    path.write_text('{"auths": ' + "1" * 10_000 + "}")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_fifo, None),
        (_endless, "it is larger than 4194304 bytes"),
        (_folder, "Is a directory"),
        (_circle, "Too many levels of symbolic links"),
        (_large, "it is larger than 4194304 bytes"),
        (_deep, "it is not JSON"),
        (_binary, "it is not JSON"),
        (_long_number, "it is not JSON"),
    ],
)
async def test_what_is_no_auth_file_is_named(make: object, why: str | None, home: Home) -> None:
    """Containers mount odd things there; the reason says which path, and what is wrong with it."""
    path = home.files["docker"]
    path.parent.mkdir()
    assert callable(make)
    make(path)
    out = await settle(docker_keychain(environment=home.variables)(HOST))
    if why is None:
        assert out == Ok(None)  # a pipe without a writer has no bytes
    else:
        assert isinstance(out, Err), out
        assert out.error.reason == Misconfigured(f"auth file {path}", why)
        assert SECRET not in repr(out)


async def test_a_file_that_is_not_there_is_no_fault(home: Home) -> None:
    """Most users have one of the four, or none; DOCKER_CONFIG=/dev/null is how some say "none"."""
    keychain = docker_keychain(environment={**home.variables, "DOCKER_CONFIG": "/dev/null"}, home="/nonexistent")
    assert await settle(keychain(HOST)) == Ok(None)


async def test_a_path_that_no_file_can_have_is_named(home: Home) -> None:
    """A variable can hold anything."""
    out = await settle(docker_keychain(environment={**home.variables, "REGISTRY_AUTH_FILE": "/a\0b"})(HOST))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)
    assert out.error.reason.why == "no file can be called so"


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o644, 1), (0o640, 1)])
async def test_a_file_that_others_can_read_is_warned_of_once(
    mode: int, warnings: int, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """It still works, because Docker accepts it; and a service does not say so a thousand times."""
    home.write("docker", ENTRY).chmod(mode)
    keychain = docker_keychain(environment=home.variables)
    with caplog.at_level(logging.WARNING, "registry_fp"):
        for _ in range(3):
            assert await settle(keychain(HOST)) == Ok(ADA)
    assert [str(home.files["docker"]) in record.getMessage() for record in caplog.records] == [True] * warnings
    assert SECRET not in caplog.text


async def test_where_an_account_was_found_is_told(home: Home) -> None:
    """Who wonders why a push is refused asks first which of five places was believed."""
    home.shelf({"quay.io": ("ada", SECRET)})
    runtime = home.write("runtime", {"credHelpers": {"quay.io": "shelf"}})
    docker = home.write("docker", ENTRY)
    docker.chmod(0o644)
    in_file = await settle(find_account(HOST, environment=home.variables))
    assert in_file == Ok(FoundAccount(ADA, f"auth file {docker}", None, is_exposed=True))
    in_program = await settle(find_account("quay.io/team", environment=home.variables))
    assert in_program == Ok(FoundAccount(ADA, f"auth file {runtime}", "docker-credential-shelf", is_exposed=False))
    assert SECRET not in f"{in_file!r}{in_program!r}"


async def test_a_login_elsewhere_is_seen_without_a_new_client(home: Home) -> None:
    """A token that another program refreshes every hour is read when it is needed, and not at the start."""
    keychain = docker_keychain(environment=home.variables)
    assert await settle(keychain(HOST)) == Ok(None)
    home.write("docker", ENTRY)
    assert await settle(keychain(HOST)) == Ok(ADA)


async def test_the_programs_own_surroundings_are_the_default(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker_keychain()` is all that a user writes."""
    home.write("docker", ENTRY)
    for name in ("DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name)
    for name, text in home.variables.items():
        monkeypatch.setenv(name, text)
    assert await settle(docker_keychain()(HOST)) == Ok(ADA)


async def test_the_first_keychain_that_knows_decides(home: Home) -> None:
    """One that is broken is not passed over: it could have known."""
    home.write("docker", ENTRY)
    files, empty = docker_keychain(environment=home.variables), docker_keychain(environment={}, home="/nonexistent")
    assert await settle(first_of(empty, files)(HOST)) == Ok(ADA)
    assert await settle(first_of()(HOST)) == Ok(None)
    home.write("runtime", "{")
    assert isinstance(await settle(first_of(files, empty)(HOST)), Err)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["auth", "username", "password", "identitytoken", "registrytoken", "Auth", "email"])
ENTRIES = st.dictionaries(NAMES, JSON | st.sampled_from([SECRET, "YWRhOnMzY3IzdC13MHJk"]), max_size=4) | JSON
KEYS = st.sampled_from([HOST, f"https://{HOST}/v1/", f"{HOST}/team", f"{HOST}/team/app", f"{HOST}.evil.example"])
FILES = st.fixed_dictionaries(
    {},
    optional={
        "auths": st.dictionaries(KEYS | st.text(max_size=8), ENTRIES, max_size=4) | JSON,
        "credHelpers": st.dictionaries(KEYS, JSON, max_size=2) | JSON,
        "credsStore": JSON,
    },
)


@given(document=FILES | JSON)
def test_any_json_is_an_answer_and_no_secret_shows_itself(document: object) -> None:
    """Files are written by hand, by other tools and by attackers: a value or a reason, and the content in neither."""
    parsed = parse_auth_file("auth file x", json.dumps(document).encode())
    shown = [repr(parsed)]
    if is_successful(parsed):
        found = (program_in(parsed.unwrap(), HOST), account_in(parsed.unwrap(), HOST, "team/app"))
        shown.extend(repr(each) for each in found if not is_successful(each))
        known: Credentials | None = account_in(parsed.unwrap(), HOST, "team/app").value_or(None)
        match known:
            case BasicCredentials(password=token) | IdentityToken(token=token) | RegistryToken(token=token):
                assert isinstance(token, SecretStr)
            case None:
                pass
    # A user, a key and a program have names, which may be shown; the rest may not.
    assert "YWRhOn" not in "".join(shown)
    assert SECRET not in "".join(shown)


@given(raw=st.binary(max_size=64))
def test_any_bytes_are_an_answer(raw: bytes) -> None:
    """A file can be cut, or be somebody else's."""
    parsed = parse_auth_file("auth file x", raw)
    assert is_successful(parsed) or isinstance(parsed.failure(), Misconfigured)


@given(
    username=st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":"), min_size=1, max_size=20),
    password=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20),
    host=st.sampled_from(["ghcr.io", "docker.io", "localhost:5000", "[::1]:5000"]),
    before=st.lists(
        st.sampled_from(["ghcr.io", "https://index.docker.io/v1/", "docker.io", "http://localhost:5000/v2/"])
    ),
)
def test_what_is_written_is_what_is_read(username: str, password: str, host: str, before: list[str]) -> None:
    """Whatever stood there under any spelling of the host, after a login it is this account that is found."""
    old = parse_auth_file("auth file x", json.dumps({"auths": {key: {"auth": "eDp5"} for key in before}}).encode())
    known = BasicCredentials(username, SecretStr(password))
    file = old.bind(lambda now: with_account(now, host, known)).unwrap()
    assert account_in(file, *split_asked(f"{host}/team/app")).unwrap() == known
