"""From what a socket says to what is wrong."""

from __future__ import annotations

import errno
import os
from typing import Final

from yarl import URL

from registry_fp.domain.errors import ConnectFailed, ConnectionLost, LocalIo, Reason
from registry_fp.transport.gate import OutOfReachError
from registry_fp.transport.route import out_of_reach

__all__ = ["host_shown", "lost", "unconnected"]

_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


def unconnected(cause: BaseException, url: URL) -> Reason:
    """Why there is no connection."""
    if isinstance(cause, OutOfReachError):
        return out_of_reach(cause.zone, url)
    number = getattr(cause, "errno", None)
    if number in _OUT_OF_FILES:
        return LocalIo(number, "a socket")
    # Several addresses tried at once fail with one error for all, which has words and no number.
    return ConnectFailed(host_shown(url), os.strerror(number).lower() if number else str(cause)[:120] or "refused")


def lost(cause: BaseException, done: int) -> Reason:
    """Why a connection ended after so many bytes of a body."""
    number = getattr(cause, "errno", None)
    return LocalIo(number, "a socket") if number in _OUT_OF_FILES else ConnectionLost(done)


def host_shown(url: URL) -> str:
    """The host of a URL, with its port where that is not the usual one."""
    return url.host_port_subcomponent or url.host or "?"
