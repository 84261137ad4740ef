"""Each real component starts, answers, and leaves nothing behind."""

import asyncio
import base64
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.absence import absent
from tests.real.debian import PackageError, Prefix, provide
from tests.real.docker_registry import CREDENTIALS, RealRegistry, docker_registry
from tests.real.tool import Tool

# Another interpreter finds what this one does, however this one was started.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}


def _ask(host: str, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """Ask a registry one question with the standard library's client."""
    connection = http.client.HTTPConnection(host, timeout=5.0)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def _running(pid: int) -> bool:
    """Tell whether a pid is in use."""
    return Path(f"/proc/{pid}").exists()


def test_an_installed_program_is_preferred_to_a_download() -> None:
    """What the machine has is used where it is."""
    assert provide("coreutils", "true") == Prefix(None)


def test_a_machine_without_apt_is_told_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the package and the cause."""
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian, "_FOLDERS", ())
    with pytest.raises(PackageError, match=r"^umoci: there is no apt-get here") as caught:
        provide("umoci")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("ci", "curable", "failed"), [("true", True, True), ("true", False, False), ("", True, False)])
def test_a_missing_component_fails_only_where_ci_could_have_fetched_it(
    monkeypatch: pytest.MonkeyPatch, *, ci: str, curable: bool, failed: bool
) -> None:
    """Elsewhere it is a skip that carries the reason."""
    monkeypatch.setenv("CI", ci)
    outcome = pytest.fail.Exception if failed else pytest.skip.Exception
    with pytest.raises(outcome, match="no such thing"):
        absent("no such thing", curable=curable)


async def test_a_package_is_unpacked_once_however_many_ask_at_once(tmp_path: Path, umoci: Tool) -> None:
    """Three interpreters with a cold cache end with the same folder."""
    if umoci.environment.get("LD_LIBRARY_PATH") is None:
        pytest.skip("umoci is installed on this machine, so nothing is fetched")
    script = (
        "import sys, pathlib; from tests.real import debian; debian.CACHE = pathlib.Path(sys.argv[1]);"
        "root = debian.provide('umoci').root; print(root, root.stat().st_ino)"
    )
    python = Tool((sys.executable, "-c", script, str(tmp_path)), ENVIRONMENT)
    await asyncio.to_thread(_share_lists, tmp_path / debian._machine() / "apt")
    asked = await asyncio.gather(*(python(expect=None) for _ in range(3)))
    for one in asked:
        if "PackageError: " in one.stderr:
            absent(one.stderr.strip().rpartition("PackageError: ")[2])
    assert [one.code for one in asked] == [0, 0, 0]
    assert len({one.stdout for one in asked}) == 1
    assert {path.name for path in await asyncio.to_thread(lambda: list(tmp_path.glob("*/*")))} == {
        "apt",
        "lock",
        "umoci",
    }


def _share_lists(state: Path) -> None:
    """Spare a cold cache the download of package lists that the warm one has."""
    lists = debian.CACHE / debian._machine() / "apt" / "lists"
    if lists.is_dir():
        state.mkdir(parents=True)
        (state / "lists").symlink_to(lists)


async def test_a_program_that_stalls_is_ended_with_its_children() -> None:
    """The time-out ends the whole session of the program."""
    stall = Tool(("sh", "-c", "sleep 60 & echo $!; wait"), {"PATH": os.defpath})
    with pytest.raises(AssertionError, match="did not end within"):
        await stall(seconds=0.2)


async def test_docker_registry_answers_and_stops(tmp_path: Path) -> None:
    """It answers 200 to the version check, and is gone with its port when the block ends."""
    async with docker_registry(tmp_path) as registry:
        assert (await asyncio.to_thread(_ask, registry.host, "GET", "/v2/")).status == 200
        assert _running(registry.pid)
    assert not _running(registry.pid)
    with pytest.raises(ConnectionRefusedError):
        _ask(registry.host, "GET", "/v2/")


async def test_docker_registry_stops_when_its_task_is_cancelled(tmp_path: Path, real_registry: RealRegistry) -> None:
    """A cancelled test leaves no server behind."""
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        """Hold a registry open for ever."""
        async with docker_registry(tmp_path) as registry:
            started.set_result(registry.pid)
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    async with asyncio.timeout(20.0):
        pid = await started
    assert pid != real_registry.pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not _running(pid)


def test_docker_registry_ends_with_a_killed_test_run(tmp_path: Path, real_registry: RealRegistry) -> None:
    """The kernel ends the registry of an interpreter that had no chance to clean up."""
    assert _running(real_registry.pid)
    script = (
        "import sys, pathlib; from tests.real.docker_registry import serve_docker_registry\n"
        "with serve_docker_registry(pathlib.Path(sys.argv[1])) as registry: print(registry.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        orphan = os.pidfd_open(int(run.stdout.readline()))
        run.send_signal(signal.SIGKILL)
    try:
        ended, _, _ = select.select([orphan], [], [], 10.0)
        assert ended == [orphan]
    finally:
        os.close(orphan)


def test_docker_registry_demands_the_login_it_was_given(real_registry_with_login: RealRegistry) -> None:
    """Without credentials 401 with a Basic challenge, with them 200."""
    host = real_registry_with_login.host
    refused = _ask(host, "GET", "/v2/")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="tests"')
    login = base64.b64encode(":".join(CREDENTIALS).encode()).decode()
    assert _ask(host, "GET", "/v2/", Authorization=f"Basic {login}").status == 200


async def test_docker_registry_takes_settings_over_its_own(tmp_path: Path) -> None:
    """A read-only registry refuses an upload."""
    readonly = {"storage": {"maintenance": {"readonly": {"enabled": True}}}}
    async with docker_registry(tmp_path, settings=readonly) as registry:
        assert (await asyncio.to_thread(_ask, registry.host, "POST", "/v2/team/app/blobs/uploads/")).status == 405


async def test_skopeo_copies_a_layout_of_umoci_into_docker_registry_and_reads_the_same_digest(
    skopeo: Tool, real_registry: RealRegistry, sample_archives: dict[str, Path]
) -> None:
    """The digest of the layout's manifest is the digest in the registry."""
    layout = sample_archives["umoci-oci"]
    written = json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"][0]["digest"]
    target = f"docker://{real_registry.host}/team-{uuid.uuid4().hex}/app:1.0"
    await skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:1.0", target)
    read = await skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", target)
    assert read.stdout.strip() == written


def test_the_archives_of_skopeo_hold_three_layers_and_the_tags_they_were_given(
    sample_archives: dict[str, Path],
) -> None:
    """Names say who wrote what."""
    assert list(sample_archives) == [
        "umoci-oci",
        "skopeo.tar",
        "skopeo-two-tags.tar",
        "skopeo-oci.tar",
        "skopeo-zstd-oci",
    ]
    app = "example.test/team/app"
    assert _listed(sample_archives["skopeo.tar"]) == [([f"{app}:1.0"], 3)]
    assert _listed(sample_archives["skopeo-two-tags.tar"]) == [([f"{app}:1.0", f"{app}:latest"], 3)]
    with tarfile.open(sample_archives["skopeo-oci.tar"]) as archive:
        assert "index.json" in {name.removeprefix("./") for name in archive.getnames()}


def test_the_archive_of_buildah_holds_two_layers(buildah_archive: Path) -> None:
    """Steps without files make no layer."""
    assert _listed(buildah_archive) == [(["example.test/team/app:1.0"], 2)]


def test_the_archive_of_podman_holds_two_images_and_three_tags(podman_archives: dict[str, Path]) -> None:
    """As `docker save` writes when it is given several names."""
    app, other = "example.test/team/app", "example.test/team/other"
    found = _listed(podman_archives["podman-two-images.tar"])
    assert sorted(found) == [([f"{app}:1.0", f"{app}:latest"], 2), ([f"{other}:2.0"], 1)]


def _listed(archive: Path) -> list[tuple[list[str], int]]:
    """Return the tags and the number of layers of each image in a docker archive."""
    with tarfile.open(archive) as opened:
        member = opened.extractfile("manifest.json")
        assert member is not None
        return [(image["RepoTags"], len(image["Layers"])) for image in json.load(member)]
