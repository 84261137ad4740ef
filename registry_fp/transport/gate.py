"""The gate: where every connection that a server led us to is held against the address it is about to be made to.

A name can have one address when it is judged and another when it is connected to, so nothing before this is asked.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeAlias, final

from registry_fp.transport.reach import Zone, may_lead, zone_of

__all__ = ["OutOfReachError", "SocketMaker", "gate"]

SocketMaker: TypeAlias = Callable[[tuple[Any, ...]], socket.socket]
"""Makes the socket for one entry of `getaddrinfo`, whose last part is the address."""


@final
class OutOfReachError(OSError):
    """An address of a zone that is nearer to us than this connection may come."""

    def __init__(self, zone: Zone) -> None:
        super().__init__(f"a {zone} address")
        self.zone: Zone = zone


def gate(near: Zone) -> SocketMaker:
    """A maker of sockets for connections that may come as near as this; it raises `OutOfReachError` for any other."""

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, number, _, (host, *_) = address
        zone = zone_of(host)
        if not may_lead(near, zone):
            raise OutOfReachError(zone)
        return socket.socket(family, kind, number)

    return make
