"""The TLS of a connection, as values: what both sides agreed on, and whose certificate it rests on."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from registry_fp.protocol.message import Security

__all__ = ["security_of"]

_LONGEST: Final = 100


def security_of(tls: ssl.SSLObject | None) -> Security | None:
    """What is known of the TLS of a connection; None where there is none.

    Of a certificate that nobody checked nothing is said.
    """
    if tls is None:
        return None
    certificate: Mapping[str, Any] = tls.getpeercert() or {}
    names = {name: text for pairs in certificate.get("issuer", ()) for name, text in pairs}
    authority = names.get("organizationName") or names.get("commonName")
    until = certificate.get("notAfter")
    return Security(
        (tls.version() or "TLS").replace("TLSv", "TLS "),
        None if authority is None else str(authority)[:_LONGEST],
        float(ssl.cert_time_to_seconds(str(until))) if until else None,
    )
