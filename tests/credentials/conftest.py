"""A home, a registry that remembers whom it was told about, and a client that knows nobody."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry_fp import Client, Settings, anonymous, connect
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


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that knows nobody, and can be known by any keychain."""
    async with connect(Settings(cache=False, retries=0), keychain=anonymous) as known:
        yield known
