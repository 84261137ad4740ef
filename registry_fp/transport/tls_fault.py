"""From what OpenSSL says to what is wrong: unknown authority, expired, another name, a client certificate wanted, ...

A client certificate that is missing shows late. In TLS 1.3 the server looks at it when the handshake is over for us,
so that its complaint arrives where the answer should begin; and nginx says it in a page of its own, with status 400.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from typing import Final, TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.domain.errors import RegistryError, TlsFailed
from registry_fp.domain.tls_fault import TlsFault
from registry_fp.protocol.message import Incoming, Request, held_body
from registry_fp.transport.port import Receive, collect

__all__ = ["alert_in", "tls_fault", "unless_tls_page", "without_certificate"]

T = TypeVar("T")

_CHAIN: Final = 8
"""How many causes of an exception are looked at."""

# Numbers of x509_vfy.h, which are the same in every version of OpenSSL, unlike the words for them.
_VERIFIED: Final[dict[int, TlsFault]] = {
    2: "unknown certificate authority",
    9: "the certificate is not yet valid",
    10: "the certificate has expired",
    18: "self-signed certificate",
    19: "unknown certificate authority",
    20: "unknown certificate authority",
    21: "unknown certificate authority",
    62: "the certificate is for another name",
    64: "the certificate is for another name",
}

_ALERTS: Final[dict[str, TlsFault]] = {
    "CERTIFICATE_REQUIRED": "the server wants a client certificate",
    "BAD_CERTIFICATE": "the server refuses the client certificate",
    "UNSUPPORTED_CERTIFICATE": "the server refuses the client certificate",
    "CERTIFICATE_REVOKED": "the server refuses the client certificate",
    "CERTIFICATE_EXPIRED": "the server refuses the client certificate",
    "CERTIFICATE_UNKNOWN": "the server refuses the client certificate",
    "UNKNOWN_CA": "the server refuses the client certificate",
    "ACCESS_DENIED": "the server refuses the client certificate",
    "HANDSHAKE_FAILURE": "the server refuses the handshake",
    "UNRECOGNIZED_NAME": "the server does not know this name",
    "PROTOCOL_VERSION": "no version of TLS in common",
}
"""What the other side says before it hangs up (RFC 8446, section 6.2)."""

_FOUND: Final[dict[str, TlsFault]] = {
    "WRONG_VERSION_NUMBER": "the other side does not speak TLS",
    "RECORD_LAYER_FAILURE": "the other side does not speak TLS",
    "HTTP_REQUEST": "the other side does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "no version of TLS in common",
}
"""What OpenSSL finds out here."""

_ALERT: Final = re.compile(r"(?:SSLV3|TLSV\d+)_(?:ALERT_)?(?P<name>\w+)", re.ASCII)
_PAGES: Final[tuple[tuple[bytes, TlsFault], ...]] = (
    (b"No required SSL certificate was sent", "the server wants a client certificate"),
    (b"The SSL certificate error", "the server refuses the client certificate"),
)
_ASKED_WITHOUT: Final = (b" sent to HTTPS port", b"HTTP request to an HTTPS server", b"HTTP to an SSL-enabled server")
"""What nginx, Go and Apache answer to who speaks no TLS to them."""


def tls_fault(error: BaseException) -> str:
    """What an error of TLS means: a `TlsFault`, or OpenSSL's own words.

    >>> tls_fault(ssl.SSLError(1, "no reason given"))
    'the other side does not speak TLS'
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFIED.get(error.verify_code) or error.verify_message
    name = getattr(error, "reason", None)
    if not name:
        return "the other side does not speak TLS"
    return _alert(name) or _FOUND.get(name) or str(name).replace("_", " ").lower()


def alert_in(error: BaseException) -> TlsFault | None:
    """What the other side complained of before it broke a connection that stood, if it is among an error's causes."""
    cause: BaseException | None = error
    for _ in range(_CHAIN):
        if cause is None:
            return None
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return _alert(cause.reason)
        cause = cause.__cause__
    return None


def without_certificate(error: RegistryError) -> RegistryError:
    """The same error where we showed no certificate: a server that refuses what it did not get wants one.

    >>> refused = TlsFailed("one.example", "the server refuses the client certificate")
    >>> without_certificate(RegistryError("ping", "one.example", refused)).reason.why
    'the server wants a client certificate'
    """
    if isinstance(error.reason, TlsFailed) and error.reason.why == "the server refuses the client certificate":
        return replace(error, reason=TlsFailed(error.reason.host, "the server wants a client certificate"))
    return error


async def unless_tls_page(incoming: Incoming, request: Request, receive: Receive[T]) -> Result[T, RegistryError]:
    """What `receive` makes of an answer; `TlsFailed` if it is a web server's page about TLS (status 400).

    Nginx has one about client certificates, and most have one for who asks without TLS.
    """
    kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    if incoming.status != 400 or kind not in {"text/html", "text/plain", ""}:
        return await receive(incoming)
    collected = await collect(incoming, request)
    if not is_successful(collected):
        return Failure(collected.failure())
    page = collected.unwrap().body
    fault = _told_by(page, is_secure=incoming.url.scheme == "https")
    if fault is not None:
        return Failure(request.failed(TlsFailed(incoming.url.host_port_subcomponent or "?", fault)))
    async with held_body(page).opened() as chunks:
        return await receive(replace(incoming, chunks=chunks))


def _told_by(page: bytes, *, is_secure: bool) -> TlsFault | None:
    if is_secure:
        return next((fault for said, fault in _PAGES if said in page), None)
    is_missed = any(said in page for said in _ASKED_WITHOUT)
    return "the other side speaks TLS, and was asked without it" if is_missed else None


def _alert(name: str) -> TlsFault | None:
    match = _ALERT.fullmatch(name)
    return None if match is None else _ALERTS.get(match["name"])
