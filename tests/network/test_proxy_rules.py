"""Which proxy a request goes through: the rules that Docker, skopeo and curl have, and what people write for them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Failure
from yarl import URL

from registry_fp import Settings
from registry_fp.domain.errors import ConnectFailed, Misconfigured, PolicyRefused, Reason
from registry_fp.protocol.message import Request
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.proxy import Proxy, is_direct, parse_proxy, standard_proxies
from registry_fp.transport.route import route_of
from registry_fp.transport.settings import read_settings

PROXY = SecretStr("http://proxy.example:3128")


def way(url: str, settings: Settings, *, sender: str | None = None, stray: bool = False) -> str | Reason | None:
    """The name of the proxy for a URL; None is none."""
    asked = Request("test", "x", "GET", URL(url, encoded=True), stray=stray, sender=sender)
    out = route_of(asked, settings)
    if not is_successful(out):
        return out.failure()
    proxy = out.unwrap().proxy
    return None if proxy is None else proxy.name


# Most of them are those of golang.org/x/net/http/httpproxy, which Docker, skopeo and podman go by.
BYPASSED = [
    ("localhost", "", True),
    ("127.0.0.1", "", True),
    ("127.0.0.2", "", True),
    ("[::1]", "", True),
    ("a.localhost", "", True),
    ("localhost.example", "", False),
    ("example.com", "", False),
    ("example.com", "*", True),
    ("example.com", "foo.com, * ", True),
    ("192.168.1.1", "192.168.1.1", True),
    ("192.168.1.2", "192.168.1.1", False),
    ("192.168.1.2", "192.168.1.0/24", True),
    ("192.168.2.2", "192.168.1.0/24", False),
    ("[2001:db8::52:0:1]", "2001:db8::52:0:1", True),
    ("[2001:db8::52:0:2]", "[2001:db8::52:0:1]", False),
    ("[2001:db8::52:0:3]", "2001:db8::/32", True),
    ("www.example.net", "example.net", True),
    ("example.net", "example.net", True),
    ("EXAMPLE.net.", "example.NET", True),
    ("www.example.net.", "example.net", True),
    ("myexample.net", "example.net", False),
    ("example.net.evil.example", "example.net", False),
    ("www.example.org", ".example.org", True),
    ("example.org", ".example.org", False),
    ("www.example.org", "*.example.org", True),
    ("example.org", "*.example.org", False),
    ("foo.com", "foo.com:443", True),
    ("foo.com:8443", "foo.com:443", False),
    ("foo.com:8443", "foo.com:8443", True),
    ("www.foo.com:8443", ".foo.com:8443", True),
    ("10.1.2.3:5000", "10.1.2.3:5000", True),
    ("10.1.2.3:5001", "10.1.2.3:5000", False),
    ("[fd00::1]:5000", "[fd00::1]:5000", True),
    ("[fd00::1]:5000", "[fd00::1]", True),
    ("10.example.net", "10.0.0.0/8", False),
    ("example.com", " , ,", False),
    ("example.com", ":", False),
    ("example.com", ".", False),
    ("example.com", "*.", False),
]


@pytest.mark.parametrize(("host", "bypass", "direct"), BYPASSED)
def test_what_is_reached_without_a_proxy(host: str, bypass: str, direct: bool) -> None:
    """A registry inside that is asked through the proxy is not found, and one outside that is not, is not reached."""
    assert is_direct(URL(f"https://{host}/v2/", encoded=True), bypass) is direct


@given(st.text(max_size=60))
def test_whatever_is_written_there_decides_something(bypass: str) -> None:
    """The list is a variable of a shell, where anything can stand."""
    assert is_direct(URL("https://ghcr.io/v2/"), bypass) in (True, False)


def test_what_is_chosen_for_a_host_wins() -> None:
    """Over the proxy of the scheme, over the list of exceptions, and for loopback, where else there is none."""
    hosts = {
        "chosen.example": HostSettings(proxy=SecretStr("http://own.example")),
        "127.0.0.1:5000": HostSettings(proxy=SecretStr("own.example:8080")),
        "direct.example": HostSettings(proxy=SecretStr("")),
        "docker.io": HostSettings(proxy=SecretStr("hub.example:1")),
    }
    settings = Settings(https_proxy=PROXY, no_proxy="chosen.example", hosts=hosts)
    assert way("https://chosen.example/", settings) == "own.example:80"
    assert way("http://127.0.0.1:5000/", settings) == "own.example:8080"
    assert way("https://direct.example/", settings) is None
    assert way("https://registry-1.docker.io/v2/", settings) == "hub.example:1"
    assert way("https://ghcr.io/", settings) == "proxy.example:3128"
    assert way("http://ghcr.io/", settings) is None
    assert way("https://127.0.0.1/", settings) is None


def test_the_variables_that_every_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """In lower case first, and below everything that is meant for this library alone."""
    monkeypatch.setenv("HTTPS_PROXY", "http://upper.example:1")
    monkeypatch.setenv("HTTP_PROXY", "http://plain.example:2")
    assert way("https://ghcr.io/", read_settings().unwrap()) == "upper.example:1"
    assert way("http://ghcr.io/", read_settings().unwrap()) == "plain.example:2"
    monkeypatch.setenv("https_proxy", "lower.example:3")
    assert way("https://ghcr.io/", read_settings().unwrap()) == "lower.example:3"
    monkeypatch.setenv("NO_PROXY", "ghcr.io")
    assert way("https://ghcr.io/", read_settings().unwrap()) is None
    monkeypatch.setenv("REGISTRY_FP_NO_PROXY", "")
    monkeypatch.setenv("REGISTRY_FP_HTTPS_PROXY", "http://ours.example:4")
    assert way("https://ghcr.io/", read_settings().unwrap()) == "ours.example:4"
    assert way("https://ghcr.io/", read_settings(https_proxy="http://argument.example:5").unwrap()) == (
        "argument.example:5"
    )
    assert way("https://ghcr.io/", read_settings(https_proxy="").unwrap()) is None
    assert way("https://ghcr.io/", Settings()) is None


def test_a_header_of_a_request_is_no_proxy() -> None:
    """In a CGI program `HTTP_PROXY` is the header `Proxy` of whoever asks (CVE-2016-5385)."""
    assert standard_proxies({"HTTP_PROXY": "http://evil.example", "REQUEST_METHOD": "GET"}) == {}
    assert standard_proxies({"http_proxy": "ours:1", "REQUEST_METHOD": "GET"}) == {"http_proxy": "ours:1"}
    assert standard_proxies({"ALL_PROXY": "socks5://proxy.example"}) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://proxy.example:3128", "proxy.example:3128"),
        ("HTTP://proxy.example:3128/", "proxy.example:3128"),
        ("proxy.example:3128", "proxy.example:3128"),
        ("proxy.example", "proxy.example:80"),
        (" http://proxy.example:3128/path?x=y ", "proxy.example:3128"),
        ("http://[fd00::1]:3128", "[fd00::1]:3128"),
        ("user:pass@proxy.example:3128", "proxy.example:3128"),
    ],
)
def test_how_proxies_are_written(text: str, name: str) -> None:
    """With a scheme or without, as in every other program."""
    proxy = parse_proxy("http_proxy", SecretStr(text)).unwrap()
    assert proxy is not None
    assert proxy.name == name
    assert "pass" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    [
        "socks5://user:secret@proxy.example:1080",
        "https://user:secret@proxy.example",
        "http://",
        "http://user:secret@",
        "http://user:secret@proxy.example:99999",
        "http://user:secret@proxy.example:port",
        "http://user:secret@pro xy.example",
        "http://user:secret@[::1",
        "http://user:secret@prøxy.example",
        "http://user:12/secret@proxy.example:3128",
        "http://user:12?secret@proxy.example:3128",
        "user:12#secret@proxy.example:3128",
    ],
)
def test_what_is_no_proxy_is_said_by_the_name_of_its_setting(text: str) -> None:
    """Before anything is sent, and without the password that may stand in it."""
    reason = way("http://ghcr.io/", Settings(http_proxy=SecretStr(text)))
    assert isinstance(reason, Misconfigured)
    assert reason.setting == "http_proxy"
    assert "secret" not in repr(reason)


@given(st.text(max_size=80))
def test_anything_that_is_set_is_a_proxy_or_is_refused(text: str) -> None:
    """A variable that makes a program end with an exception is found out about by its users."""
    out = parse_proxy("http_proxy", SecretStr(text))
    assert isinstance(out.failure() if isinstance(out, Failure) else out.unwrap(), Misconfigured | Proxy | None)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.text(st.characters(exclude_categories=["Cs"]))
)
def test_what_stands_in_the_url_of_a_proxy_is_told_to_it_as_it_was_meant(name: str, password: str) -> None:
    """A password with an `@` or a `:` is written with escapes, and sent without."""
    url = URL.build(scheme="http", user=name or "x", password=password, host="proxy.example", port=3128)
    proxy = parse_proxy("proxy", SecretStr(str(url))).unwrap()
    assert proxy is not None
    assert proxy.authorization is not None
    told = base64.b64decode(proxy.authorization.get_secret_value().removeprefix("Basic "))
    assert told == f"{name or 'x'}:{password}".encode()


def test_what_a_proxy_answers_has_a_reason_with_its_name() -> None:
    """Whether trying again helps depends on it, and nobody looks for a fault at the proxy who reads of the registry."""
    proxy = Proxy(URL("http://proxy.example:3128"), "https_proxy")
    url = URL("https://ghcr.io/v2/?secret")
    assert isinstance(proxy.turned_away(407, url), Misconfigured)
    assert isinstance(proxy.turned_away(403, url), PolicyRefused)
    assert isinstance(proxy.turned_away(502, url), ConnectFailed)
    for status in (407, 403, 502):
        said = repr(proxy.turned_away(status, url))
        assert "proxy.example:3128" in said
        assert "secret" not in said


@pytest.mark.parametrize(
    ("target", "is_reached"),
    [
        ("https://storage.example/x", True),
        ("https://8.8.8.8/x", True),
        ("https://10.0.0.1/x", False),
        ("https://0xa.1/x", False),
        ("https://167772161/x", False),
        ("https://[::ffff:169.254.169.254]/x", False),
        ("https://metadata.google.internal/x", False),
        ("https://METADATA.google.internal./x", False),
        ("https://%31%30.0.0.1/x", False),
    ],
)
def test_behind_a_proxy_the_name_is_what_is_judged(target: str, is_reached: bool) -> None:
    """The proxy looks names up, so what a name means there is the proxy's to judge; an address can be judged here."""
    settings = Settings(https_proxy=PROXY)
    out = way(target, settings, stray=True)
    assert out == "proxy.example:3128" if is_reached else isinstance(out, PolicyRefused), out
    assert way("https://10.0.0.2/x", settings, stray=True, sender="10.0.0.1") == "proxy.example:3128"
