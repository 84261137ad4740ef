"""Realms: the token servers that registries name, and whether they are told who we are.

Whoever answers for a registry chooses its realm, and a realm that is simply believed is how passwords are stolen
(GHSA-xf85-363p-868w, GHSA-28r5-37g7-p6mp). So a realm is given credentials only where it is of the registry's own
host, of its family, or was chosen; any other one is asked for a token as nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, final

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, ProtocolViolation
from registry_fp.domain.reference import canonical_host
from registry_fp.protocol.location import absolute_url, shown

__all__ = ["Realm", "judge_realm"]

_FAMILIES: Final[dict[str, frozenset[str]]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
    "registry.digitalocean.com": frozenset({"api.digitalocean.com"}),
}
"""The token servers of public registries whose host is another one; both are reached on the usual port."""


@final
@dataclass(frozen=True, slots=True)
class Realm:
    """Where tokens are given, and whether it is told who we are.

    One that is `stray` is on another host than the registry, and nobody but the registry chose it; `is_chosen` is one
    that we named ourselves.
    """

    url: URL = field(repr=False)
    is_trusted: bool
    stray: bool = False
    is_chosen: bool = False


def judge_realm(
    registry: URL, text: str, trusted: Collection[str] = ()
) -> Result[Realm, PolicyRefused | ProtocolViolation]:
    """The realm that the registry at this URL means by `text`.

    `trusted` are hosts, as `HOST[:PORT]`, that are told who we are whichever registry names them. A realm is https; one
    without TLS is taken from a registry without TLS, and then it must be of its own host, or chosen. Fails with
    `PolicyRefused` where it is not, or carries credentials, and with `ProtocolViolation` where it is no URL.

    >>> judge_realm(URL("https://registry-1.docker.io"), "https://auth.docker.io/token").unwrap().is_trusted
    True
    >>> judge_realm(URL("https://one.example"), "https://two.example/token").unwrap().is_trusted
    False
    >>> judge_realm(URL("https://one.example"), "http://one.example/token").failure().rule
    'a token server is asked over https'
    """
    url = absolute_url(registry, text) if "://" in text.partition("?")[0] else None
    if url is None:
        return Failure(ProtocolViolation("the realm of a challenge is no URL"))
    if url.scheme not in ("http", "https"):
        return Failure(PolicyRefused("a token server is asked over https", shown(url, path=True)))
    if url.user is not None or url.password is not None:
        return Failure(PolicyRefused("the realm carries credentials", shown(url, path=True)))
    is_chosen = _is_chosen(url, trusted)
    is_own = _host(url) == _host(registry) or (_is_loopback(url) and _is_loopback(registry))
    stray = _host(url) != _host(registry) and not is_chosen
    if url.scheme == "http":
        if registry.scheme != "http" or not (is_own or is_chosen):
            return Failure(PolicyRefused("a token server is asked over https", shown(url, path=True)))
        return Success(Realm(url, is_trusted=True, stray=stray, is_chosen=is_chosen))
    is_trusted = is_own or is_chosen or _is_family(registry, url)
    return Success(Realm(url, is_trusted=is_trusted, stray=stray, is_chosen=is_chosen))


def _is_chosen(url: URL, trusted: Collection[str]) -> bool:
    chosen = {canonical_host(each).lower() for each in trusted}
    named = f"{_host(url)}:{url.port}"
    return named in chosen or (url.is_default_port() and named.rpartition(":")[0] in chosen)


def _is_family(registry: URL, url: URL) -> bool:
    both = registry.scheme == url.scheme == "https" and registry.is_default_port() and url.is_default_port()
    return both and _host(url) in _FAMILIES.get(_host(registry), ())


def _host(url: URL) -> str:
    host = (url.raw_host or "").lower()
    return f"[{host}]" if ":" in host else host


def _is_loopback(url: URL) -> bool:
    host = _host(url).strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
