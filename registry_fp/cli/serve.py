"""Serving: the embedded registry, until a signal ends it."""

from __future__ import annotations

import asyncio
import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from registry_fp import DnsFailed, LocalIo, Misconfigured, Reason, RegistryError
from registry_fp.cli.answer import Answer
from registry_fp.cli.document import ServeDocument
from registry_fp.cli.options import ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.terminal import Terminal
from registry_fp.testing import EmbeddedRegistry

__all__ = ["serve_registry"]

_NOTICE: Final = "a test kit without accounts, and not for production; Ctrl-C ends it"


def serve_registry(root: Path | None, listen: str, show: ShowOptions) -> int:
    """Serve until a signal; the exit code says which."""
    address = _address(listen)

    async def work(terminal: Terminal) -> int:
        if address is None:
            return terminal.misused(f"--listen takes HOST:PORT, and not {listen!r}", "serve")
        host, port = address
        try:
            async with EmbeddedRegistry(root, host=host, port=port) as registry:
                terminal.note(f"warning: {_NOTICE}")
                if not _is_loopback(host):
                    terminal.note("warning: it listens beyond this machine, and lets everybody read and write")
                document = ServeDocument(registry.host, None if root is None else str(root))
                terminal.write(Answer(document, registry.host, registry.host))
                await asyncio.Event().wait()
                return 0
        except UnicodeError:  # no name server knows such a name
            return terminal.fail(RegistryError("serve", listen, DnsFailed(host)))
        except OSError as refused:
            return terminal.fail(RegistryError("serve", listen, _reason(refused, host)))

    return run(show, work)


def _address(text: str) -> tuple[str, int] | None:
    """The host and the port; 0 is any free one.

    >>> _address("127.0.0.1:5000"), _address("[::1]:0"), _address("5000"), _address("localhost:x")
    (('127.0.0.1', 5000), ('::1', 0), None, None)
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        return None
    return host.removeprefix("[").removesuffix("]"), int(port)


def _reason(refused: OSError, host: str) -> Reason:
    if isinstance(refused, socket.gaierror):
        return DnsFailed(host)
    number = refused.errno or 0
    if refused.filename is None:  # not a file: the address is taken, or not ours, or not allowed
        return Misconfigured("listen", os.strerror(number))
    return LocalIo(number, str(refused.filename))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
