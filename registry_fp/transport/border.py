"""The border: every exception that the network can raise, and the reason that it becomes.

There is no other such table for the network. What is not in it is a bug, and stays an exception.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import Final, TypeAlias

import aiohttp
from aiohttp.http_exceptions import LineTooLong
from yarl import URL

from registry_fp.domain.errors import (
    ConnectFailed,
    ConnectionLost,
    DnsFailed,
    LimitExceeded,
    LocalIo,
    PolicyRefused,
    ProtocolViolation,
    Reason,
    TimedOut,
    TlsFailed,
)
from registry_fp.protocol.location import shown

__all__ = ["BORDER", "FIELD_LIMIT", "reason_for"]

FIELD_LIMIT: Final = 32 * 1024
"""The longest header, in bytes: signed Locations and tokens are longer than aiohttp's own limit of 8 KiB."""

_Translate: TypeAlias = Callable[[BaseException, URL, int], Reason]

_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


def reason_for(error: BaseException, url: URL, bytes_done: int) -> Reason:
    """The reason that an exception of the network stands for, after so many bytes of a body; a bug is raised again."""
    for kind, translate in BORDER:
        if isinstance(error, kind):
            return translate(error, url, bytes_done)
    raise error


def _unresolved(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return DnsFailed(_host(url), temporary=getattr(cause, "errno", None) == socket.EAI_AGAIN)


def _untrusted(error: BaseException, url: URL, _done: int) -> Reason:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TlsFailed(_host(url), cause.verify_message)
    return TlsFailed(_host(url), getattr(cause, "reason", None) or "the other side does not speak TLS")


def _unconnected(error: BaseException, url: URL, _done: int) -> Reason:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = getattr(cause, "errno", None)
    if number in _OUT_OF_FILES:
        return LocalIo(number, "a socket")
    # Several addresses tried at once fail with one error for all, which has words and no number.
    return ConnectFailed(_host(url), os.strerror(number).lower() if number else str(cause)[:120] or "refused")


def _too_late(error: BaseException, _url: URL, _done: int) -> Reason:
    return TimedOut("connect", 0.0)


def _lost(error: BaseException, _url: URL, done: int) -> Reason:
    number = getattr(error, "errno", None)
    return LocalIo(number, "a socket") if number in _OUT_OF_FILES else ConnectionLost(done)


def _not_http(error: BaseException, _url: URL, _done: int) -> Reason:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, LineTooLong):
            return LimitExceeded("bytes in a header", FIELD_LIMIT)
        cause = cause.__cause__
    # What follows the colon is what the server sent, which is nobody's business in a log.
    detail = error.message.partition(":")[0] if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
    return ProtocolViolation(f"the answer is not HTTP: {' '.join(detail.split())[:120]}")


def _not_allowed(_error: BaseException, url: URL, _done: int) -> Reason:
    return PolicyRefused("not a URL that can be requested", shown(url))


BORDER: Final[tuple[tuple[type[BaseException], _Translate], ...]] = (
    (aiohttp.ClientConnectorDNSError, _unresolved),
    (aiohttp.ClientConnectorCertificateError, _untrusted),
    (aiohttp.ClientSSLError, _untrusted),
    (aiohttp.ServerFingerprintMismatch, _untrusted),
    (aiohttp.ClientConnectorError, _unconnected),
    (aiohttp.ServerTimeoutError, _too_late),
    (aiohttp.ClientResponseError, _not_http),
    (aiohttp.InvalidURL, _not_allowed),
    (aiohttp.NonHttpUrlClientError, _not_allowed),
    (aiohttp.RedirectClientError, _not_allowed),
    (aiohttp.ClientConnectionError, _lost),
    (aiohttp.ClientPayloadError, _lost),
    (aiohttp.UploadAbortedError, _lost),
    (socket.gaierror, _unresolved),
    (ssl.SSLError, _untrusted),
    (UnicodeError, _unresolved),  # a host with a label that no name server can have
    (OSError, _lost),
)
"""Most particular first. A test proves that every exception of aiohttp's client is in it."""


def _host(url: URL) -> str:
    return url.host_port_subcomponent or url.host or "?"
