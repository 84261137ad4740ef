"""What the command line says about TLS holds for the hosts that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import pytest

from tests.cli.shell import call
from tests.real.certificates import Authority, Pair
from tests.real.docker_registry import RealRegistry
from tests.real.nginx import Front, serve_nginx

Capture: TypeAlias = pytest.CaptureFixture[bytes]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of our own."""
    return Authority(tmp_path_factory.mktemp("options"))


@pytest.fixture(scope="module")
def mine(ours: Authority) -> Pair:
    """A certificate of ours to show."""
    return ours.issue("mine", "ci@example.org")


@pytest.fixture(scope="module")
def host(ours: Authority, real_registry: RealRegistry) -> Iterator[str]:
    """A registry that wants a certificate, behind one of its own."""
    asks = f"ssl_client_certificate {ours.ca}; ssl_verify_client on;"
    front = Front(ours.issue("server", "127.0.0.1"), real_registry.host, asks)
    with serve_nginx(ours.ca.parent / "nginx", {"one": front}) as hosts:
        yield hosts["one"]


def test_files_say_whom_to_trust_and_what_to_show(host: str, ours: Authority, mine: Pair, capfdbinary: Capture) -> None:
    """A registry of a company is reached without a word in a configuration file."""
    shown = ("--cert", str(mine.cert), "--key", str(mine.key))
    assert call(capfdbinary, "ping", host, "--ca", str(ours.ca), *shown).code == 0
    assert call(capfdbinary, "ping", host, "--insecure", *shown).code == 0


def test_what_is_missing_is_said(host: str, ours: Authority, mine: Pair, capfdbinary: Capture) -> None:
    """Each of the three things, by itself."""
    shown = ("--cert", str(mine.cert), "--key", str(mine.key))
    unknown = call(capfdbinary, "ping", host, *shown)
    assert (unknown.code, "unknown certificate authority" in unknown.err) == (69, True)
    asked = call(capfdbinary, "ping", host, "--ca", str(ours.ca))
    assert (asked.code, "the server wants a client certificate" in asked.err) == (69, True)
    assert "--cert FILE --key FILE" in asked.err
    absent = call(capfdbinary, "ping", host, "--ca", "nowhere.pem")
    assert (absent.code, "nowhere.pem: no such file or directory" in absent.err) == (78, True)


def test_a_key_belongs_to_a_certificate(mine: Pair, capfdbinary: Capture) -> None:
    """A key alone is half of what was meant."""
    failed = call(capfdbinary, "ping", "localhost:1", "--key", str(mine.key))
    assert (failed.code, "--key belongs to --cert" in failed.err) == (2, True)


def test_what_the_environment_says_of_the_host_is_kept_and_options_go_before_it(
    host: str, ours: Authority, mine: Pair, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option changes one thing, and not everything else that was chosen for a host."""
    wrong = ours.ca.parent / "nothing.pem"
    chosen = f'{{"{host}": {{"ca": "{wrong}", "cert": "{mine.cert}", "key": "{mine.key}"}}}}'
    monkeypatch.setenv("REGISTRY_FP_HOSTS", chosen)
    assert call(capfdbinary, "ping", host).code == 78
    assert call(capfdbinary, "ping", host, "--ca", str(ours.ca)).code == 0
