"""The settings file: below the environment and arguments, and what is wrong in it is said with its place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp import RegistryFailed, connect, explain
from registry_fp.domain import errors as why
from registry_fp.transport.settings import Settings, read_settings
from registry_fp.transport.settings_file import SETTINGS_FILE_LIMIT, read_settings_file

COMPANY = """
retries = 6
ca = "certs/company.pem"
certs_dirs = ["certs.d", "/etc/docker/certs.d"]
plain_http = ["registry.local:5000"]

[hosts."Docker.io"]
mirrors = ["Mirror.example:5000", "harbor.example/hub/"]

[hosts."mirror.example:5000"]
plain_http = true
ca = "/etc/mirror.pem"
proxy = "http://user:secret@proxy.example:3128"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that is named."""
    path = tmp_path / "etc" / "settings.toml"
    path.parent.mkdir()
    path.write_text(COMPANY, encoding="utf-8")
    monkeypatch.setenv("REGISTRY_FP_CONFIG", str(path))
    return path


def chosen(**arguments: Any) -> Settings:
    """The settings, which are valid."""
    return read_settings(**arguments).unwrap()


async def test_what_is_chosen_in_the_file_holds_for_every_client(file: Path) -> None:
    """A machine is set up once, for every program on it."""
    async with connect() as client:
        settings = client.settings
    assert settings.retries == 6
    assert settings.ca == file.parent / "certs" / "company.pem"
    assert settings.certs_dirs == (file.parent / "certs.d", Path("/etc/docker/certs.d"))
    assert settings.host("registry.local:5000").plain_http
    assert settings.host("docker.io").mirrors == ("mirror.example:5000", "harbor.example/hub")
    assert settings.host("mirror.example:5000").ca == Path("/etc/mirror.pem")
    assert "secret" not in repr(settings)


def test_an_argument_wins_over_a_variable_and_that_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer it is said, the more it is meant."""
    assert chosen().retries == 6
    monkeypatch.setenv("REGISTRY_FP_RETRIES", "7")
    assert chosen().retries == 7
    assert chosen(retries=8).retries == 8
    assert chosen().concurrency == Settings().concurrency


def test_a_host_comes_whole_from_where_it_is_named_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the choice for one host neither mixes with another choice, nor takes the other hosts away."""
    monkeypatch.setenv("REGISTRY_FP_HOSTS", json.dumps({"index.docker.io": {"insecure": True}}))
    settings = chosen(hosts={"ghcr.io": {"plain_http": True}})
    assert settings.host("ghcr.io").plain_http
    assert settings.host("docker.io").insecure
    assert settings.host("docker.io").mirrors == ()
    assert settings.host("mirror.example:5000").plain_http


def test_the_users_own_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where configuration is, on this system."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("REGISTRY_FP_CONFIG", raising=False)
    assert chosen().retries == Settings().retries
    (tmp_path / "registry-fp").mkdir()
    (tmp_path / "registry-fp" / "config.toml").write_text("retries = 1", encoding="utf-8")
    assert chosen().retries == 1
    monkeypatch.setenv("REGISTRY_FP_CONFIG", "")
    assert chosen().retries == Settings().retries


def test_variables_for_proxies_that_every_program_knows_are_the_last(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said to us alone is meant more than what is said to everybody."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://everybodys.example:1")
    secret = chosen().https_proxy
    assert secret is not None
    assert secret.get_secret_value() == "http://everybodys.example:1"
    file.write_text('https_proxy = "http://ours.example:2"', encoding="utf-8")
    secret = chosen().https_proxy
    assert secret is not None
    assert secret.get_secret_value() == "http://ours.example:2"


BAD = {
    "no such setting": ("retry = 1", "retry"),
    "no such number": ("retries = 99", "retries"),
    "another type": ('hosts = "ghcr.io"', "hosts"),
    "another type of a host": ("hosts.'ghcr.io' = 1", "hosts.ghcr.io"),
    "no such setting of a host": ("[hosts.'ghcr.io']\nmirror = []", "hosts.ghcr.io.mirror"),
    "a host that is none": ("[hosts.'https://ghcr.io']\nplain_http = true", "hosts"),
    "a mirror that is none": ("[hosts.'ghcr.io']\nmirrors = ['https://m.example']", "hosts.ghcr.io.mirrors"),
    "a mirror without a host": ("[hosts.'ghcr.io']\nmirrors = ['mirror']", "hosts.ghcr.io.mirrors"),
    "a mirror with a tag": ("[hosts.'ghcr.io']\nmirrors = ['m.example/a:1']", "hosts.ghcr.io.mirrors"),
    "a mirror with a password": ("[hosts.'ghcr.io']\nmirrors = ['a:secret@m.example']", "hosts.ghcr.io.mirrors"),
    "no TOML": ("retries = secret secret", "settings file"),
    "twice the same": ("retries = 1\nretries = 2", "settings file"),
    "deep": ("a = " + "[" * 5000, "settings file"),
    "a path of another type": ("ca = 1", "ca"),
    "a home of nobody": ('ca = "~nobody.has.this.name/ca.pem"', "settings file"),
    "a host in a list that is none": ('insecure = ["https://registry.local"]', "insecure"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_file_and_its_name(file: Path, case: str) -> None:
    """So that it can be found and mended; and what may be secret is not quoted."""
    text, setting = BAD[case]
    file.write_text(text, encoding="utf-8")
    error = read_settings().failure()
    assert isinstance(error.reason, why.Misconfigured)
    assert error.target == str(file)
    assert error.reason.setting == setting
    assert str(file) in explain(error)
    assert "secret" not in explain(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("concurency = 4", "there is no such setting; did you mean concurrency?"),
        ("colour = 4", "there is no such setting"),
        ("[hosts.'ghcr.io']\nmirror = []", "there is no such setting; did you mean mirrors?"),
        ("[hosts.'ghcr.io']\nmirrors = 'm.example'", "it should be a list"),
        ("hosts.'ghcr.io' = 1", "it should be a table"),
        ("[hosts.'ghcr.io']\nmirrors = ['https://m.example']", "leave out https://"),
        ("[hosts.'ghcr.io']\nusername = 'ada'", "username and password belong together"),
        ("retries = -1", "it should be greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_file(file: Path, text: str, told: str) -> None:
    """Nobody who writes a settings file has to know what a tuple, an extra input or a value error is."""
    file.write_text(text, encoding="utf-8")
    reason = read_settings().failure().reason
    assert isinstance(reason, why.Misconfigured)
    assert reason.why == told


def test_a_variable_that_is_no_json_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place, and without what stands there, which may be a password."""
    monkeypatch.setenv("REGISTRY_FP_HOSTS", '{"ghcr.io": {"password": "secret')
    reason = read_settings().failure().reason
    assert reason == why.Misconfigured("hosts", "it is not JSON (line 1, column 26)")


async def test_a_client_is_not_made_of_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no operation yet that could fail, so that it is our one exception."""
    monkeypatch.setenv("REGISTRY_FP_CONFIG", str(tmp_path / "missing"))
    with pytest.raises(RegistryFailed) as raised:
        async with connect():
            pytest.fail("it connected")
    assert raised.value.error.target == str(tmp_path / "missing")


def test_a_file_that_cannot_be_read_is_no_silent_default(file: Path, tmp_path: Path) -> None:
    """Whoever named a file wants it."""
    folder, pipe, large, binary = (tmp_path / name for name in ("folder", "pipe", "large", "binary"))
    folder.mkdir()
    os.mkfifo(pipe)
    large.write_bytes(b"#" * (SETTINGS_FILE_LIMIT + 1))
    binary.write_bytes(b'ca = "\xff"')
    for path in (tmp_path / "missing", file / "below", folder, pipe, large, binary, "a\0b"):
        out = read_settings_file({"REGISTRY_FP_CONFIG": str(path)})
        reason = out.failure().reason
        assert isinstance(reason, why.Misconfigured)
        assert (out.failure().target, reason.setting) == (str(path), "settings file")


def test_the_layer_that_is_wrong_is_the_one_that_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad variable is not looked for in a file that is in order."""
    monkeypatch.setenv("REGISTRY_FP_RETRIES", "many")
    assert read_settings().failure().target == "REGISTRY_FP_RETRIES"
    monkeypatch.setenv("REGISTRY_FP_RETRIES", "1")
    monkeypatch.setenv("REGISTRY_FP_HOSTS", json.dumps({"ghcr.io": {"mirror": 1}}))
    assert read_settings().failure().target == "REGISTRY_FP_HOSTS"
    monkeypatch.setenv("REGISTRY_FP_HOSTS", "{")
    assert read_settings().failure().target == "REGISTRY_FP_HOSTS"
    assert read_settings(hosts={"ghcr.io": {"mirror": 1}}).failure().target != str(file)


class TestAnyContent:
    """Files that nobody wrote by hand."""

    @given(content=st.binary(max_size=200) | st.text(alphabet='[]"=.\n{}#a1\\, ', max_size=60).map(str.encode))
    def test_whatever_is_in_it_it_is_read_or_refused(
        self, content: bytes, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Never an exception: it is read before there is anybody who could catch one."""
        path = tmp_path_factory.mktemp("any") / "settings.toml"
        path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REGISTRY_FP_CONFIG", str(path))
            out = read_settings()
        assert isinstance(out.swap().value_or(None), why.RegistryError | None)
