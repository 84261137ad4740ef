"""Names of hosts: what references and settings call the registry at a URL."""

from __future__ import annotations

from typing import Final

from yarl import URL

from registry_fp.domain.reference import DOCKER_HUB
from registry_fp.protocol.location import same_origin

__all__ = ["HUB_ORIGIN", "account_host", "host_names", "registry_name", "twin_of"]

HUB_ORIGIN: Final = URL("https://registry-1.docker.io")


def registry_name(url: URL) -> str:
    """What references and settings call the registry at this URL, `HOST[:PORT]`: the inverse of `Client.origin`.

    >>> registry_name(URL("https://registry-1.docker.io/v2/"))
    'docker.io'
    >>> registry_name(URL("https://GHCR.io:443/v2/"))
    'ghcr.io'
    """
    name = (url.host_port_subcomponent or "").lower()
    return DOCKER_HUB if name == HUB_ORIGIN.host else name


def account_host(url: URL) -> str:
    """What a keychain calls the registry at this URL: `registry_name`, unless TLS would have been another origin.

    What is kept for `HOST`, which is `HOST:443`, is not said to port 80; and the hub is its own origin alone.

    >>> account_host(URL("https://ghcr.io/v2/")), account_host(URL("http://ghcr.io/v2/"))
    ('ghcr.io', 'ghcr.io:80')
    >>> account_host(URL("https://registry-1.docker.io/v2/")), account_host(URL("http://registry-1.docker.io/v2/"))
    ('docker.io', 'registry-1.docker.io:80')
    """
    if same_origin(url, HUB_ORIGIN):
        return DOCKER_HUB
    name = (url.host_port_subcomponent or "").lower()
    return f"{name}:80" if url.scheme == "http" and url.is_default_port() else name


def host_names(url: URL) -> tuple[str, ...]:
    """What settings may call the host of a URL: without the usual port, and with it.

    >>> host_names(URL("https://ghcr.io/v2/")), host_names(URL("http://ghcr.io:5000/v2/"))
    (('ghcr.io', 'ghcr.io:443'), ('ghcr.io:5000',))
    """
    name = registry_name(url)
    return (name, f"{name}:{url.port}") if url.is_default_port() else (name,)


def twin_of(name: str) -> str | None:
    """The other name of a registry that is reached by TLS on the usual port; None for any other one.

    >>> twin_of("ghcr.io"), twin_of("ghcr.io:443"), twin_of("[::1]"), twin_of("ghcr.io:5000")
    ('ghcr.io:443', 'ghcr.io', '[::1]:443', None)
    """
    bare = name.removesuffix(":443")
    if bare != name:
        return bare
    return None if ":" in name.rpartition("]")[2] else f"{name}:443"
