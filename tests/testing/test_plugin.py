"""The fixture that other projects use."""

import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from registry_fp.testing import EmbeddedRegistry

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}

CONFTEST = 'pytest_plugins = ["registry_fp.testing.pytest_plugin"]\n'
TESTS = """
import asyncio, urllib.request

def test_sync(embedded_registry):
    with urllib.request.urlopen(f"{embedded_registry.url}/v2/") as reply:
        assert reply.status == 200
    assert embedded_registry.counts().requests == 1

def test_async(embedded_registry):
    asyncio.run(asyncio.to_thread(test_sync, embedded_registry))
"""


@pytest.mark.parametrize("autoload", ["", "1"])
def test_another_project_uses_it_in_ten_lines(tmp_path: Path, autoload: str) -> None:
    """With whatever plugins there are, and without pytest-asyncio."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": autoload},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr


async def test_it_serves_async_tests(embedded_registry: EmbeddedRegistry) -> None:
    """From its own thread, so the loop under test has only the client in it."""
    async with aiohttp.ClientSession(embedded_registry.url) as session, session.get("/v2/") as found:
        assert found.status == 200
