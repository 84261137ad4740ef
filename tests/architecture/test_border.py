"""The border: every exception of the network has a reason, and nothing else has one."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Any, get_args

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason
from registry_fp.transport.http import BORDER, reason_for

URL_ASKED = URL("https://user:secret@ghcr.io/v2/?token=secret")


def _family(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.partition(".")[0] in {"aiohttp", "builtins", "socket", "ssl", "asyncio"}:
            yield from _family(child)


CLIENT_ERRORS = sorted(set(_family(aiohttp.ClientError)), key=lambda kind: kind.__name__)
OTHER_ERRORS = [OSError, ConnectionResetError, BrokenPipeError, TimeoutError, socket.gaierror, ssl.SSLError]
KEY = ConnectionKey("ghcr.io", 443, True, True, None, None, None)


def _made(kind: type[BaseException]) -> BaseException:
    """One of this kind, as aiohttp would raise it."""
    broken = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    arguments: list[tuple[Any, ...]] = [
        (KEY, broken),
        ("GET", KEY, broken),
        (aiohttp.RequestInfo(URL_ASKED, "GET", CIMultiDictProxy(CIMultiDict()), URL_ASKED), ()),
        (b"1", b"2", "ghcr.io", 443),
        (URL_ASKED,),
        ("broken",),
    ]
    for each in arguments:
        try:
            return kind(*each)
        except TypeError:
            continue
    raise AssertionError(kind)


def test_every_exception_of_the_network_has_a_reason() -> None:
    """A new aiohttp that raises a new exception must fail here, and not in somebody's service."""
    for kind in [*CLIENT_ERRORS, *OTHER_ERRORS]:
        if kind is not aiohttp.ClientError:  # the base, which nobody raises
            reason = reason_for(_made(kind), URL_ASKED, 7)
            assert isinstance(reason, get_args(Reason)), kind
            assert "secret" not in repr(reason), kind


def test_no_row_is_hidden_by_a_row_above_it() -> None:
    """The table is read from the top: a broad row above a narrow one would make the narrow one dead."""
    kinds = [kind for kind, _ in BORDER]
    hidden = [
        (kind.__name__, above.__name__)
        for index, kind in enumerate(kinds)
        for above in kinds[:index]
        if issubclass(kind, above)
    ]
    assert hidden == []


@pytest.mark.parametrize("bug", [ZeroDivisionError(), KeyError("x"), RuntimeError("closed"), ValueError()])
def test_a_bug_is_raised_again(bug: BaseException) -> None:
    """What nobody thought of is not a property of the network."""
    with pytest.raises(type(bug)) as caught:
        reason_for(bug, URL_ASKED, 0)
    assert caught.value is bug


def test_a_cancellation_is_no_reason() -> None:
    """It is raised again, like everything else that is not in the table."""
    with pytest.raises(asyncio.CancelledError):
        reason_for(asyncio.CancelledError(), URL_ASKED, 0)


def _connector(kind: type[aiohttp.ClientConnectorError], error: OSError) -> BaseException:
    return kind(KEY, error)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            _connector(aiohttp.ClientConnectorError, ConnectionRefusedError(errno.ECONNREFUSED, "")),
            why.ConnectFailed("ghcr.io", "connection refused"),
        ),
        (
            _connector(aiohttp.ClientConnectorDNSError, socket.gaierror(socket.EAI_NONAME, "")),
            why.DnsFailed("ghcr.io"),
        ),
        (
            _connector(aiohttp.ClientConnectorDNSError, socket.gaierror(socket.EAI_AGAIN, "")),
            why.DnsFailed("ghcr.io", temporary=True),
        ),
        (_connector(aiohttp.ClientConnectorError, OSError(errno.EMFILE, "")), why.LocalIo(errno.EMFILE, "a socket")),
        (aiohttp.ClientPayloadError("cut"), why.ConnectionLost(7)),
        (ConnectionResetError(errno.ECONNRESET, ""), why.ConnectionLost(7)),
        (aiohttp.ServerDisconnectedError(), why.ConnectionLost(7)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_reason_says_what_happened(error: BaseException, reason: Reason) -> None:
    """Whether trying again can help is decided by these: a refused connection and an unknown host are not alike."""
    assert reason_for(error, URL_ASKED, 7) == reason
