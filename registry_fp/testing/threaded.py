"""The embedded registry in a thread of its own: for tests that have no event loop, or that measure theirs."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing.embedded import EmbeddedRegistry
from registry_fp.testing.faults import Fault
from registry_fp.testing.manners import Manners

__all__ = ["running_registry"]


@contextmanager
def running_registry(  # noqa: PLR0913  the options of `EmbeddedRegistry`
    root: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    faults: Iterable[Fault] = (),
    basic_auth: tuple[str, str] | None = None,
    relative_locations: bool = False,
    page_limit: int | None = None,
    chunk_min_length: int | None = None,
    profile: RegistryProfile | None = None,
    manners: Manners | None = None,
) -> Iterator[EmbeddedRegistry]:
    """An embedded registry in its own thread and event loop, gone without a trace when the block ends.

    The arguments are those of `EmbeddedRegistry`; everything public of it may be used from any thread.
    """
    registry = EmbeddedRegistry(
        root,
        host=host,
        port=port,
        tls=tls,
        faults=faults,
        basic_auth=basic_auth,
        relative_locations=relative_locations,
        page_limit=page_limit,
        chunk_min_length=chunk_min_length,
        profile=profile,
        manners=manners,
    )
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(registry, started),), name="embedded-registry")
    thread.start()
    try:
        loop, ended = started.result()
        try:
            yield registry
        finally:
            loop.call_soon_threadsafe(ended.set)
    finally:
        thread.join()


async def _serve(registry: EmbeddedRegistry, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    ended = asyncio.Event()
    try:
        async with registry:
            started.set_result((asyncio.get_running_loop(), ended))
            await ended.wait()
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
