"""A home, a registry that remembers whom it was told about, and a client that is wired as `connect` wires it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.transport.clock import SYSTEM_CLOCK
from registry_fp.transport.credential import with_credentials
from registry_fp.transport.http import http_exchange
from registry_fp.transport.port import Exchange
from registry_fp.transport.redirect import with_redirects
from tests.credentials.place import Home
from tests.credentials.teller import Teller, running_teller


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has not logged in to anything yet."""
    (tmp_path / "home" / "run").mkdir(parents=True)
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def teller() -> Iterator[Teller]:
    """One for a file of tests."""
    with running_teller() as running:
        yield running


@pytest.fixture(autouse=True)
def _waits_are_over() -> Iterator[None]:
    """Before Python 3.12 a thread waits for each program; it ends right after the program, and not before the test."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(5)


@asynccontextmanager
async def _wired() -> AsyncIterator[Client]:
    settings = Settings(cache=False, retries=0)
    async with connect(settings) as client, http_exchange(settings, SYSTEM_CLOCK) as one:

        def exchange_for(keychain: Any) -> Exchange:
            return with_redirects(with_credentials(one, keychain))

        yield client if client.exchange_for is not None else replace(client, exchange_for=exchange_for)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that knows nobody, and can be known by any keychain."""
    async with _wired() as known:
        yield known
