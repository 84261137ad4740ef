"""Fixtures of the real components; the root conftest names this module in `pytest_plugins`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.real.absence import MISSING
from tests.real.buildah import buildah_tool, write_buildah_archive
from tests.real.debian import required
from tests.real.docker_registry import HTPASSWD, RealRegistry, serve_docker_registry
from tests.real.podman import podman_tool, write_podman_archives
from tests.real.sample import write_sample_archives
from tests.real.skopeo import skopeo_tool
from tests.real.tool import Tool
from tests.real.umoci import umoci_tool


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which real components were missing, since a quiet skip looks like a pass."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if MISSING in said:
            reason = said.partition(MISSING)[2]
            reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("REAL COMPONENTS MISSING: these tests did not run", sep="!", red=True, bold=True)
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} skipped for want of {reason}")


@pytest.fixture(scope="session")
def real_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A docker-registry shared by all tests of one worker: use unique repository names."""
    with serve_docker_registry(tmp_path_factory.mktemp("docker-registry")) as registry:
        yield registry


@pytest.fixture(scope="session")
def real_registry_with_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A docker-registry that demands `docker_registry.CREDENTIALS` by Basic authentication."""
    with serve_docker_registry(tmp_path_factory.mktemp("docker-registry-login"), htpasswd=HTPASSWD) as registry:
        yield registry


@pytest.fixture(scope="session")
def skopeo(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """A skopeo with a home of its own."""
    return skopeo_tool(required("skopeo"), tmp_path_factory.mktemp("skopeo"))


@pytest.fixture(scope="session")
def umoci(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """A umoci with a home of its own."""
    return umoci_tool(required("umoci"), tmp_path_factory.mktemp("umoci"))


@pytest.fixture(scope="session")
def buildah() -> Iterator[Tool]:
    """A rootless buildah with images of its own."""
    with _short_home() as home:
        yield buildah_tool(required("buildah"), home)


@pytest.fixture(scope="session")
def podman() -> Iterator[Tool]:
    """A rootless podman with images of its own."""
    with _short_home() as home:
        yield podman_tool(required("podman"), home)


@contextmanager
def _short_home() -> Iterator[Path]:
    """Make a folder whose path is short enough for podman, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="images.", dir="/tmp") as folder:
        yield Path(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sample_archives(tmp_path_factory: pytest.TempPathFactory, umoci: Tool, skopeo: Tool) -> dict[str, Path]:
    """One three-layer image in every form that umoci and skopeo write; read only."""
    return await write_sample_archives(tmp_path_factory.mktemp("samples"), umoci, skopeo)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def buildah_archive(tmp_path_factory: pytest.TempPathFactory, buildah: Tool) -> Path:
    """A docker archive of two layers, built and written by buildah; read only."""
    return await write_buildah_archive(buildah, tmp_path_factory.mktemp("buildah-sample"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def podman_archives(tmp_path_factory: pytest.TempPathFactory, podman: Tool) -> dict[str, Path]:
    """A docker archive of two images with three tags, and an OCI archive, written by podman; read only."""
    return await write_podman_archives(podman, tmp_path_factory.mktemp("podman-samples"))
