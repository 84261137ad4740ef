"""The projects: run for real against a registry, and read by every type checker that a user may have."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, final
from urllib.parse import urlencode
from zlib import crc32

import pytest

from registry_fp.testing import Answer, EmbeddedRegistry, Fault, Stall, sample_image, write_docker_save
from tests.downstream.venv import ROOT, Installed, activated, run

pytestmark = pytest.mark.xdist_group("downstream")

PROJECTS: Final = ["service", "strict", "typed_app"]
PLUGINS: Final = {
    "no plugin": [],
    "returns": ["returns.contrib.mypy.returns_plugin"],
    "returns and pydantic": ["returns.contrib.mypy.returns_plugin", "pydantic.mypy"],
}


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """The projects somewhere else, so that nothing of this working copy is near them."""
    for name in PROJECTS:
        shutil.copytree(ROOT / "tests" / "downstream" / name, tmp_path / name, ignore=shutil.ignore_patterns("__*__"))
    return tmp_path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small image, saved."""
    return write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=1)).path


@pytest.mark.parametrize("plugins", PLUGINS.values(), ids=PLUGINS.keys())
def test_mypy_accepts_every_project(projects: Path, installed: Installed, plugins: list[str]) -> None:
    """Strict, and with whatever plugins the project happens to have: a library must not ask for one."""
    for name in PROJECTS:
        config = projects / name / "mypy.ini"
        text = config.read_text(encoding="utf-8") + (f"plugins = {', '.join(plugins)}\n" if plugins else "")
        config.write_text(text, encoding="utf-8")
        # What was read for the same settings is read once, in this run and in the next: mypy goes by the content.
        cache = ROOT / ".mypy_cache" / f"downstream-{crc32(text.encode()):08x}"
        [code] = (projects / name).glob("*.py")
        run(
            *(sys.executable, "-m", "mypy", "--python-executable", installed.python, "--cache-dir", cache, code.name),
            cwd=projects / name,
        )


def test_pyright_accepts_every_project(projects: Path, installed: Installed) -> None:
    """What editors show; there is no plugin for it."""
    (projects / "pyrightconfig.json").write_text(json.dumps({"include": PROJECTS, "typeCheckingMode": "standard"}))
    printed = run(sys.executable, "-m", "pyright", "--outputjson", cwd=projects, env=activated(installed))
    assert json.loads(printed)["summary"]["filesAnalyzed"] == len(PROJECTS)


def test_an_application_with_a_pipeline_of_its_own_does_what_it_composes(
    projects: Path, installed: Installed, archive: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """The stations of `push` are for building with."""
    code, repository = projects / "typed_app" / "publish.py", f"{embedded_registry.host}/team/app"
    printed = run(installed.python, "-W", "error", code, archive, repository, "1.0", "1", "latest", cwd=projects)
    shown = json.loads(printed)
    assert shown["tags"] == ["1", "1.0", "latest"]
    assert shown["platform"] == "linux/amd64"
    assert shown["digest"].startswith("sha256:")
    assert embedded_registry.counts().uploads_open == 0


def test_an_application_ends_with_the_librarys_exit_code(
    projects: Path, installed: Installed, archive: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """A failure anywhere in the railway comes out at its end, as a sentence and a number."""
    code = projects / "typed_app" / "publish.py"
    for repository, expected, told in (
        (f"{embedded_registry.host}/team/App", 2, "a repository is lower case"),
        ("127.0.0.1:1/team/app", 69, "cannot connect"),
    ):
        command: list[str | Path] = [installed.python, "-W", "error", code, archive, repository, "1.0"]
        env = {**os.environ, "REGISTRY_FP_RETRIES": "0"}
        done = subprocess.run(command, cwd=projects, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (expected, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_a_report_has_advice_for_what_it_meets(
    projects: Path, installed: Installed, archive: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """A match over every reason, that the checker keeps complete, meets the reasons of a real registry."""
    code = projects / "strict" / "advise.py"
    printed = run(installed.python, "-W", "error", code, embedded_registry.host, archive, cwd=projects)
    assert printed.splitlines() == [
        "fine",
        "fine",
        "NotFound: look for the manifest",
        "NotFound: look for the blob",
        f"BadReference: respell {embedded_registry.host}/strict/App",
        f"LocalIo: look at {archive}.missing",
        "TarUnreadable: save again",
        "ConnectFailed: start the registry",
        "application/vnd.oci.image.manifest.v1+json",
    ]


@final
@dataclass(frozen=True)
class _Service:
    """The service while it runs."""

    address: str
    output: IO[str]

    def ask(self, method: str, path: str, **query: str) -> tuple[int, dict[str, Any], str | None]:
        """One request on a connection of its own: status, JSON, and what Retry-After says."""
        connection = self.send(method, path, **query)
        try:
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers["Retry-After"]
        finally:
            connection.close()

    def send(self, method: str, path: str, **query: str) -> http.client.HTTPConnection:
        """A request whose answer is not waited for."""
        connection = http.client.HTTPConnection(self.address)
        connection.request(method, f"{path}?{urlencode(query)}")
        return connection

    def says(self, beginning: str) -> None:
        """Wait until it prints a line like this."""
        assert any(line.startswith(beginning) for line in self.output)


@contextmanager
def _serving(projects: Path, installed: Installed) -> Iterator[_Service]:
    command: list[str | Path] = [installed.python, "-W", "error", projects / "service" / "service.py"]
    env = {**os.environ, "REGISTRY_FP_RETRIES": "0", "REGISTRY_FP_CACHE": "false"}
    with subprocess.Popen(
        command, cwd=projects, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = next(line for line in process.stdout if "http://" in line)
            yield _Service(line.partition("http://")[2].split()[0], process.stdout)
        finally:
            process.send_signal(signal.SIGTERM)
            complaints = process.stderr.read()
    assert process.returncode == 0
    assert complaints == "", complaints  # a socket or a task left behind would be told here


def test_a_service_answers_many_requests_at_once_and_ends_cleanly(
    projects: Path, installed: Installed, archive: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """One client, kept for the life of the service, serves them all, and is closed with it."""
    names = [f"{embedded_registry.host}/team/app{number}" for number in range(4)]
    with _serving(projects, installed) as service, ThreadPoolExecutor(8) as crowd:
        pushes = [crowd.submit(service.ask, "POST", "/images", archive=str(archive), to=f"{name}:1") for name in names]
        asked = [crowd.submit(service.ask, "GET", "/tags", repository=f"{names[0]}-none") for _ in range(4)]
        pushed = [each.result() for each in pushes]
        assert [status for status, _, _ in pushed] == [201] * 4
        assert {answer["digest"] for _, answer, _ in pushed} == {pushed[0][1]["digest"]}
        assert [each.result()[0] for each in asked] == [404] * 4
        assert service.ask("GET", "/tags", repository=names[1]) == (200, {"tags": ["1"]}, None)
        assert service.ask("GET", "/digest", name=f"{names[2]}:1")[1] == {"digest": pushed[0][1]["digest"]}
        connections = embedded_registry.counts().connections
        service.ask("GET", "/digest", name=f"{names[3]}:1")
        assert embedded_registry.counts().connections == connections  # kept from the requests before


def test_a_failure_becomes_a_status_of_the_service(
    projects: Path, installed: Installed, archive: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """What the registry said is told to the caller in the caller's terms, and nothing is a 500 by accident."""
    host = embedded_registry.host
    busy = Fault(Answer(429, {"Retry-After": "7"}), path="busy")
    embedded_registry.set_faults(
        busy, Fault(Answer(403), path="secret"), Fault(Answer(500), path="broken"), Fault(Answer(405), path="frozen")
    )
    with _serving(projects, installed) as service:
        assert service.ask("GET", "/digest", name=f"{host}/team/none:1")[0] == 404
        assert service.ask("GET", "/digest", name=f"{host}/team/None:1")[0] == 422
        assert service.ask("GET", "/digest", name=f"{host}/secret:1")[0] == 403
        assert service.ask("GET", "/digest", name=f"{host}/frozen:1")[0] == 502
        assert service.ask("GET", "/digest", name=f"{host}/broken:1")[0] == 503
        assert service.ask("GET", "/tags", repository="127.0.0.1:1/app")[0] == 503
        assert service.ask("POST", "/images", archive=f"{archive}.none", to=f"{host}/app:1")[0] == 404
        status, answer, after = service.ask("GET", "/tags", repository=f"{host}/busy")
        assert (status, after) == (503, "7")
        assert "hint: " in answer["error"]


def test_a_cancelled_request_leaves_nothing(
    projects: Path, installed: Installed, tmp_path: Path, embedded_registry: EmbeddedRegistry
) -> None:
    """A caller that goes away in the middle of a push ends it: no upload is left open, and no manifest stored."""
    large = write_docker_save(tmp_path / "large.tar", sample_image("app:1.0", mebibytes=8)).path
    embedded_registry.set_faults(Fault(Stall(after=1), method="PATCH"))
    name = f"{embedded_registry.host}/team/app:1"
    with _serving(projects, installed) as service:
        connection = service.send("POST", "/images", archive=str(large), to=name)
        service.says("moving")
        connection.close()
        service.says("cancelled")
        counts = embedded_registry.counts()
        assert (counts.uploads_open, counts.by_method.get("PUT", 0)) == (0, 0)
        embedded_registry.set_faults()
        assert service.ask("GET", "/digest", name=name)[0] == 404
        assert service.ask("POST", "/images", archive=str(large), to=name)[0] == 201
