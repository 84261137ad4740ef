"""Proxies: which one, if any, a request goes through.

The rules are those of Docker, skopeo and curl: variables in lower case first, `NO_PROXY` with domains, networks and
ports, and loopback never through a proxy that was not chosen for that very host. The credentials of a proxy are in its
URL; they are told to that proxy, and shown nowhere.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, final
from urllib.parse import unquote_to_bytes

from pydantic import SecretStr
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import ConnectFailed, Misconfigured, PolicyRefused, Reason
from registry_fp.protocol.location import shown
from registry_fp.transport.reach import zone_of_name

__all__ = ["Proxy", "choose_proxy", "is_direct", "parse_proxy", "standard_proxies"]

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_PORTED: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:]*):(?P<port>[0-9]{1,5})", re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: where it is, what it is told of who we are (RFC 9110, 11.7), and the setting that names it."""

    url: URL
    setting: str
    authorization: SecretStr | None = None

    @property
    def name(self) -> str:
        """Its host and port, for people."""
        return f"{self.url.host_subcomponent}:{self.url.port}"

    def turned_away(self, status: int, url: URL) -> Reason:
        """Why it does not let us through to this URL, where it answers with this status."""
        if status in (401, 407):  # tinyproxy says 401 where who we are is not who it knows
            return Misconfigured(self.setting, f"the proxy {self.name} wants a user and a password, or other ones")
        if status >= 500:
            return ConnectFailed(url.host_port_subcomponent or "?", f"the proxy {self.name} cannot ({status})")
        return PolicyRefused(f"the proxy {self.name} lets nobody through ({status})", shown(url))

    def unreached(self, reason: Reason) -> Reason:
        """A reason that came of connecting to it, with the word that it is the proxy."""
        return ConnectFailed(reason.host, f"the proxy: {reason.why}") if isinstance(reason, ConnectFailed) else reason


def standard_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """What the variables that every program knows say: `http_proxy`, `https_proxy` and `no_proxy`, of either case.

    `HTTP_PROXY` counts for nothing in a CGI program, where it is a header of whoever asks (CVE-2016-5385). `ALL_PROXY`
    counts for nothing at all, as in Docker.

    >>> standard_proxies({"https_proxy": "one:3128", "HTTPS_PROXY": "two:3128", "NO_PROXY": "*.local"})
    {'https_proxy': 'one:3128', 'no_proxy': '*.local'}
    >>> standard_proxies({"HTTP_PROXY": "http://evil.example", "REQUEST_METHOD": "GET"})
    {}
    """
    said = {
        "http_proxy": environ.get("http_proxy") or ("" if "REQUEST_METHOD" in environ else environ.get("HTTP_PROXY")),
        "https_proxy": environ.get("https_proxy") or environ.get("HTTPS_PROXY"),
        "no_proxy": environ.get("no_proxy") or environ.get("NO_PROXY"),
    }
    return {name: text for name, text in said.items() if text}


def choose_proxy(
    url: URL, chosen: SecretStr | None, general: Mapping[str, SecretStr | None], bypass: str | None
) -> Result[Proxy | None, Misconfigured]:
    """The proxy for this URL: the one `chosen` for its host, else the `general` one of its scheme unless bypassed.

    An empty text is none at all. Fails with `Misconfigured` where the one that counts is no URL of a proxy.

    >>> proxies = {"https": SecretStr("http://proxy.example:3128")}
    >>> choose_proxy(URL("https://ghcr.io/v2/"), None, proxies, "gcr.io").unwrap().name
    'proxy.example:3128'
    >>> choose_proxy(URL("https://eu.gcr.io/v2/"), None, proxies, "gcr.io").unwrap()
    """
    if chosen is not None:
        return parse_proxy("proxy", chosen)
    wanted = general.get(url.scheme)
    if wanted is None or is_direct(url, bypass or ""):
        return Success(None)
    return parse_proxy(f"{url.scheme}_proxy", wanted)


def parse_proxy(setting: str, secret: SecretStr) -> Result[Proxy | None, Misconfigured]:
    """The proxy that a text names: `http://[USER:PASSWORD@]HOST[:PORT]`, where the scheme may be missing.

    >>> parse_proxy("http_proxy", SecretStr("socks5://proxy.example:1080")).failure().why
    'the proxy is no http:// one, but socks5://'
    """
    text = secret.get_secret_value().strip()
    if not text:
        return Success(None)
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() != "http":
        return Failure(Misconfigured(setting, f"the proxy is no http:// one, but {scheme[1].lower()[:20]}://"))
    try:
        url = URL(text if scheme is not None else f"http://{text}", encoded=True)
        name, password = url.raw_user, url.raw_password
        bare = url.origin()
    except ValueError:
        return Failure(Misconfigured(setting, "not the URL of a proxy"))
    if not url.raw_host or not url.port or not url.raw_host.isascii() or any(mark <= " " for mark in text):
        return Failure(Misconfigured(setting, "not the URL of a proxy"))
    if "@" in f"{url.raw_path}{url.raw_query_string}{url.raw_fragment}":
        # Else a part of the password would be looked up as the name of a host, and shown as one.
        return Failure(Misconfigured(setting, "in a password '/', '?' and '#' are written %2F, %3F and %23"))
    if name is None and password is None:
        return Success(Proxy(bare, setting))
    pair = unquote_to_bytes(name or "") + b":" + unquote_to_bytes(password or "")
    return Success(Proxy(bare, setting, SecretStr(f"Basic {base64.b64encode(pair).decode('ascii')}")))


def is_direct(url: URL, bypass: str) -> bool:
    """Whether a URL is reached without a proxy: on loopback always, and where `bypass`, as in `NO_PROXY`, names it.

    Its entries are `*`, a domain (with everything beneath it), `.domain` or `*.domain` (only what is beneath it), an
    address, or a network; with `:PORT`, for that port alone. Names are not looked up.

    >>> is_direct(URL("https://10.1.2.3/v2/"), "10.0.0.0/8"), is_direct(URL("https://a.example/v2/"), ".a.example")
    (True, False)
    """
    host = _plain(url.raw_host or "")
    if zone_of_name(host) == "loopback":
        return True
    return any(_names(entry, host, url.port) for each in bypass.split(",") if (entry := each.strip().lower()))


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    ported = _PORTED.fullmatch(entry)
    if ported is not None:
        if int(ported["port"]) != port:
            return False
        entry = ported["host"]
    name = _plain(entry)
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        pass
    beneath = name.removeprefix("*")
    if beneath.startswith("."):
        return host.endswith(beneath)
    return host == name or host.endswith(f".{name}")


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")
