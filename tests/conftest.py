"""What every test gets: a cache and a home of its own, and a census of what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.real.fixtures", "registry_fp.testing.pytest_plugin"]

settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def _modules_are_not_garbage() -> Iterator[None]:
    """The collection after each test looks at what the tests made, and not at every module again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each worker has a temporary folder of its own, so that what is left in it is ours."""
    before, chosen = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    tempfile.tempdir = os.environ["TMPDIR"] = chosen
    yield
    tempfile.tempdir = before
    del os.environ["TMPDIR"]


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what belongs to the user who runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("DOCKER_CONFIG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))  # where credentials are looked for, and there are none
    for name in ("DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _descriptors_and_files_are_given_back() -> Iterator[None]:
    """After a test: as many open descriptors and threads as before, and nothing new in the temporary folder."""
    before = _census()
    yield
    gc.collect()
    left = _difference(before, _census())
    for _ in range(100):  # a server in another thread closes its end of a connection when it hears that ours is closed
        if not left:
            return
        time.sleep(0.01)
        left = _difference(before, _census())
    pytest.fail(f"left behind: {left}")


@pytest.fixture(autouse=True)
async def _tasks_are_ended() -> AsyncIterator[None]:
    """After a test: no task but the one that asks."""
    yield
    left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    if left:
        pytest.fail(f"tasks left behind: {left}")


def _census() -> tuple[frozenset[tuple[int, str]], frozenset[str], frozenset[str]]:
    return _descriptors(), _temporary(), frozenset(thread.name for thread in threading.enumerate())


def _difference(
    before: tuple[frozenset[tuple[int, str]], frozenset[str], frozenset[str]],
    after: tuple[frozenset[tuple[int, str]], frozenset[str], frozenset[str]],
) -> list[str]:
    descriptors = [f"descriptor {number} of {what}" for number, what in after[0] - before[0]]
    files = [f"temporary file {name}" for name in after[1] - before[1]]
    # asyncio's own executor keeps its threads until its loop is closed, which is after this fixture.
    threads = [f"thread {name}" for name in after[2] - before[2] if not name.startswith("asyncio_")]
    return descriptors + files + threads


def _descriptors() -> frozenset[tuple[int, str]]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add((int(entry.name), str(entry.readlink())))
        except OSError:
            continue
    return frozenset(pair for pair in found if not pair[1].startswith(("/dev/", "anon_inode:", "/proc/")))


def _temporary() -> frozenset[str]:
    return frozenset(entry.name for entry in Path(tempfile.gettempdir()).iterdir())
