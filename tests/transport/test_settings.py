"""Settings: from arguments and the environment, and a bad one is said before anything is done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from yarl import URL

from registry_fp import RegistryFailed, Settings, connect, explain
from registry_fp.domain import errors as why
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.settings import read_settings

GOOD = {
    "CONCURRENCY": ("8", 8),
    "CONNECTIONS": ("7", 7),
    "CONNECTIONS_PER_HOST": ("3", 3),
    "CONNECT_TIMEOUT": ("2.5", 2.5),
    "ANSWER_TIMEOUT": ("90", 90.0),
    "IDLE_TIMEOUT": ("5", 5.0),
    "MIN_RATE": ("0", 0),
    "RETRIES": ("0", 0),
    "SMALL_BLOB": ("0", 0),
    "COMPRESSION": ("zstd", "zstd"),
    "LEVEL": ("3", 3),
    "CACHE": ("false", False),
    "CACHE_DIR": ("/var/cache/layers", Path("/var/cache/layers")),
    "WIRE_LOG": ("1", True),
    "CA": ("/etc/ca.pem", Path("/etc/ca.pem")),
    "CERT": ("mine.pem", Path("mine.pem")),
    "KEY": ("mine.key", Path("mine.key")),
    "MIN_TLS": ("1.3", "1.3"),
    "CERTS_DIRS": (f"/etc/a{os.pathsep}certs, too", (Path("/etc/a"), Path("certs, too"))),
    "HTTP_PROXY": ("http://proxy.example:3128", SecretStr("http://proxy.example:3128")),
    "HTTPS_PROXY": ("", SecretStr("")),
    "NO_PROXY": ("*", "*"),
    "INSECURE": ("A.example,minio", frozenset({"a.example", "minio"})),
    "PRIVATE_HOSTS": ("minio:9000\n,[::1]:5000", frozenset({"minio:9000", "[::1]:5000"})),
    "PLAIN_HTTP": ("a.example, b.example:5000,", frozenset({"a.example", "b.example:5000"})),
    "TRUSTED_REALMS": ("auth.example,b.example:5000", frozenset({"auth.example", "b.example:5000"})),
    "HOSTS": ('{"a.example": {"plain_http": true}}', {"a.example": HostSettings(plain_http=True)}),
}

BAD = {
    "CONCURRENCY": ["0", "65", "many", "1.5", ""],
    "CONNECTIONS": ["0", "-1"],
    "CONNECTIONS_PER_HOST": ["0"],
    "CONNECT_TIMEOUT": ["0", "-1", "soon", "nan"],
    "ANSWER_TIMEOUT": ["0", "nan"],
    "IDLE_TIMEOUT": ["0", "nan"],
    "MIN_RATE": ["-1"],
    "RETRIES": ["-1", "21"],
    "SMALL_BLOB": ["-1", "99999999999"],
    "COMPRESSION": ["brotli"],
    "CACHE": ["perhaps"],
    "PLAIN_HTTP": ["https://a.example", "a.example b.example"],
    "INSECURE": ["a.example/team", "ada:secret@a.example"],
    "PRIVATE_HOSTS": ["10.0.0.0/8"],
    "TRUSTED_REALMS": ["https://auth.example/token"],
    "MIN_TLS": ["1.1"],
    "HOSTS": ["{", "[" * 100_000, '{"a": {"plain": true}}'],
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_variable_of_the_environment_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service is configured from outside, and a default that wins silently is hard to find."""
    text, value = GOOD[name]
    monkeypatch.setenv(f"REGISTRY_FP_{name}", text)
    async with connect() as client:
        assert getattr(client.settings, name.lower()) == value


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
async def test_a_bad_variable_is_said_before_anything_is_done(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, so that it can be found; and as our own exception, since there is no operation yet to fail."""
    monkeypatch.setenv(f"REGISTRY_FP_{name}", text)
    with pytest.raises(RegistryFailed) as raised:
        async with connect():
            pytest.fail("it connected")
    reason = raised.value.error.reason
    assert isinstance(reason, why.Misconfigured)
    assert raised.value.error.doing == "read_settings"
    assert reason.setting.partition(".")[0] == name.lower()
    assert f"REGISTRY_FP_{name}" in raised.value.error.target
    assert name.lower() in f"{reason.setting} {reason.why}"
    assert "secret" not in explain(raised.value.error)


def test_every_setting_has_a_variable() -> None:
    """One that can only be given in code is no setting of a service."""
    assert {name.lower() for name in GOOD} == set(Settings.model_fields)


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who says it in code means it."""
    monkeypatch.setenv("REGISTRY_FP_CONCURRENCY", "8")
    assert read_settings(concurrency=2).unwrap().concurrency == 2
    assert Settings(concurrency=2).concurrency == 2


def test_a_misspelled_argument_is_no_silent_default() -> None:
    """`retry=0` would else be four retries."""
    reason = read_settings(retry=0).failure().reason
    assert isinstance(reason, why.Misconfigured)
    assert reason.setting == "retry"


def test_settings_cannot_change_under_a_running_client() -> None:
    """A client is shared by tasks that have already decided by them."""
    with pytest.raises(ValidationError):
        setattr(Settings(), "retries", 1)  # noqa: B010  the type checker knows it too


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("localhost", "http"),
        ("localhost:5000", "http"),
        ("sub.localhost:5000", "http"),
        ("127.0.0.1:5000", "http"),
        ("127.9.9.9", "http"),
        ("[::1]:5000", "http"),
        ("[::1]", "http"),
        ("plain.example", "http"),
        ("plain.example:5000", "https"),
        ("chosen.example:80", "http"),
        ("localhost.example", "https"),
        ("127.0.0.1.example", "https"),
        ("10.0.0.1:5000", "https"),
        ("[::2]:5000", "https"),
        ("ghcr.io", "https"),
    ],
)
async def test_plain_http_is_spoken_to_loopback_and_where_it_was_chosen(host: str, scheme: str) -> None:
    """And never as a fallback: whoever can break TLS could then read everything."""
    settings = Settings(
        cache=False, plain_http=frozenset({"plain.example"}), hosts={"chosen.example:80": HostSettings(plain_http=True)}
    )
    async with connect(settings) as client:
        assert client.origin(host).scheme == scheme
        assert str(client.origin("docker.io")) == "https://registry-1.docker.io"


def _by_name(settings: Settings, name: str) -> HostSettings:
    return settings.host(name)


def _by_url(settings: Settings, name: str) -> HostSettings:
    return settings.at(URL(f"https://{name}/v2/"))


@pytest.mark.parametrize("found", [_by_name, _by_url], ids=["as a reference names it", "by its URL"])
@pytest.mark.parametrize("chosen", ["ghcr.io", "ghcr.io:443", "GHCR.io:443"])
@pytest.mark.parametrize("asked", ["ghcr.io", "ghcr.io:443"])
def test_the_usual_port_of_tls_makes_no_other_host(
    chosen: str, asked: str, found: Callable[[Settings, str], HostSettings]
) -> None:
    """Else what was chosen for a host would hold here, and not there: its proxy, and not its limit of connections."""
    settings = Settings(hosts={chosen: HostSettings(connections=2)}, insecure=frozenset({chosen}))
    assert (found(settings, asked).connections, found(settings, asked).insecure) == (2, True)
    assert found(settings, "ghcr.io:5000") == HostSettings()


def test_what_is_chosen_for_the_usual_port_of_http_is_not_told_of_tls() -> None:
    """They are two origins, and a name without a port is one of TLS."""
    settings = Settings(hosts={"a.example:80": HostSettings(plain_http=True, connections=2)})
    assert settings.at(URL("http://a.example/v2/")).connections == 2
    assert settings.at(URL("https://a.example/v2/")) == settings.host("a.example") == HostSettings()


@pytest.mark.parametrize(("plain", "asked"), [("a.example", "a.example:443"), ("a.example:443", "a.example")])
@pytest.mark.parametrize("hosts", [True, False])
def test_plain_http_is_chosen_for_the_very_port(plain: str, asked: str, hosts: bool) -> None:
    """Without TLS the port that goes without saying is 80: what was meant for it is no word about 443."""
    chosen: dict[str, Any] = {"hosts": {plain: HostSettings(plain_http=True)}} if hosts else {"plain_http": plain}
    assert Settings(**chosen).host(plain).plain_http
    assert not Settings(**chosen).host(asked).plain_http


def test_a_host_that_is_named_twice_is_no_silent_choice() -> None:
    """Which of the two was meant, nobody knows."""
    twice = {"Ghcr.io": {"connections": 1}, "ghcr.io": {"connections": 2}}
    reason = read_settings(hosts=twice).failure().reason
    assert isinstance(reason, why.Misconfigured)
    assert "ghcr.io" in reason.why


def test_a_password_before_a_host_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies a URL into the settings makes a mistake, and must not find the password in a log."""
    hosts = {"https://ada:hunter2@registry.example": {"retries": 1}}
    assert "hunter2" not in repr(read_settings(hosts=hosts))
    monkeypatch.setenv("REGISTRY_FP_HOSTS", json.dumps(hosts))
    assert "hunter2" not in repr(read_settings())
