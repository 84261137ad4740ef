"""Serving: the embedded registry, until a signal ends it."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from registry_fp import LocalIo, RegistryError
from registry_fp.cli.answer import Answer
from registry_fp.cli.document import ServeDocument
from registry_fp.cli.options import Listen, ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.terminal import Terminal
from registry_fp.testing import EmbeddedRegistry

__all__ = ["serve_registry"]

_NOTICE: Final = "a test kit, not for production: no access control, and no promise across a crash; end it with Ctrl-C"


def serve_registry(root: Path | None, listen: Listen, show: ShowOptions) -> int:
    """Serve until a signal; the exit code says which."""

    async def work(terminal: Terminal) -> int:
        try:
            async with EmbeddedRegistry(root, host=listen.host, port=listen.port) as registry:
                terminal.note(f"warning: {_NOTICE}")
                if not _is_loopback(listen.host):
                    terminal.note("warning: it listens beyond this machine, and lets everybody read and write")
                document = ServeDocument(registry.host, None if root is None else str(root))
                terminal.write(Answer(document, registry.host, registry.host))
                await asyncio.Event().wait()
                return 0
        except OSError as refused:
            path = str(listen) if refused.filename is None else str(refused.filename)
            return terminal.fail(RegistryError("serve", str(listen), LocalIo(refused.errno or 0, path)))

    return run(show, work)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
