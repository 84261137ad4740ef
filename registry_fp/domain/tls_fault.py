"""What goes wrong with TLS, as sentences that end in a `TlsFailed`, and what most often mends each."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

__all__ = ["TLS_FAULTS", "TlsFault", "tls_hint"]

TlsFault: TypeAlias = Literal[
    "self-signed certificate",
    "unknown certificate authority",
    "the certificate has expired",
    "the certificate is not yet valid",
    "the certificate is for another name",
    "the server wants a client certificate",
    "the server refuses the client certificate",
    "the server refuses the handshake",
    "the server does not know this name",
    "the other side does not speak TLS",
    "the other side speaks TLS, and was asked without it",
    "no version of TLS in common",
]
"""What is wrong, where it is one of the usual things; a `TlsFailed` says anything else in OpenSSL's own words."""

TLS_FAULTS: Final[frozenset[str]] = frozenset(get_args(TlsFault))
"""Every `TlsFault`."""

_TRUST: Final = "trust the registry's certificate authority: `ca`, `--ca FILE`, or a file in `certs.d`"
_SHOW: Final = "show the certificate that this server expects: `cert` and `key`, or `--cert FILE --key FILE`"
_HINTS: Final[dict[str, str]] = {
    "self-signed certificate": _TRUST,
    "unknown certificate authority": _TRUST,
    "the certificate has expired": "the registry needs a new certificate; check the clock of this machine, too",
    "the certificate is not yet valid": "check the clock of this machine, and then the registry's certificate",
    "the certificate is for another name": "use the name that the certificate is for, or have one made for this name",
    "the server wants a client certificate": _SHOW,
    "the server refuses the client certificate": _SHOW,
    "the server refuses the handshake": _SHOW + "; if it wants none, its log says what it misses",
    "the server does not know this name": "check the spelling of the host, or ask who runs the server",
    "the other side does not speak TLS": "for a registry without TLS allow plain HTTP for this host: `--plain-http`",
    "the other side speaks TLS, and was asked without it": (
        "leave out `--plain-http`, or `plain_http`; on loopback `--ca FILE` or `--insecure` makes it TLS"
    ),
    "no version of TLS in common": "the server is too old, or `min_tls` asks for more than it has",
}
_OTHER: Final = "trust the registry's certificate authority; for a registry without TLS allow plain HTTP for this host"


def tls_hint(why: str) -> str:
    """What most often mends a `TlsFailed` that says this.

    >>> tls_hint("the other side does not speak TLS")
    'for a registry without TLS allow plain HTTP for this host: `--plain-http`'
    """
    return _HINTS.get(why, _OTHER)
