"""Life and death of a registry: both forms, restarts, quirks, and nothing left behind."""

import asyncio
import base64
import gc
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import aiohttp
import pytest

from registry_fp.testing import Drop, EmbeddedRegistry, Fault, Stall, running_registry
from tests.testing.wire import OCI_MANIFEST, Wire, descriptor, eventually, image, sha256

# Another interpreter finds what this one does, however this one was started.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
RAW = image([b"layer"], subject=descriptor(b"subject", OCI_MANIFEST))


def test_a_directory_is_served_again_by_the_next_registry(tmp_path: Path) -> None:
    """Blobs, manifests, tags, referrers, names: all of it comes back."""
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        wire.put_image("team/app", f"{sha256(RAW)}?tag=v1&tag=_v2", RAW, b"layer")
        wire.start("team/app")
        wire.connection.close()
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        assert wire.ask("GET", "/v2/team/app/tags/list").json["tags"] == ["_v2", "v1"]
        got = wire.ask("GET", "/v2/team/app/manifests/v1")
        assert (got.body, got.headers["Content-Type"]) == (RAW, OCI_MANIFEST)
        assert wire.ask("GET", f"/v2/team/app/blobs/{sha256(b'layer')}").body == b"layer"
        assert len(wire.ask("GET", f"/v2/team/app/referrers/{sha256(b'subject')}").json["manifests"]) == 1
        assert wire.ask("GET", "/v2/_catalog").json["repositories"] == ["team/app"]
        assert (registry.counts().uploads_open, list((tmp_path / "uploads").iterdir())) == (0, [])
        wire.connection.close()


def test_a_directory_is_an_oci_layout(tmp_path: Path) -> None:
    """What was pushed can be read with other tools, when the registry has closed."""
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        wire.put_image("app", "v1", RAW, b"layer")
        wire.connection.close()
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((tmp_path / "index.json").read_text())["manifests"]
    assert entry == descriptor(RAW, OCI_MANIFEST, annotations={"org.opencontainers.image.ref.name": "app:v1"})
    assert (tmp_path / "blobs" / entry["digest"].replace(":", "/")).read_bytes() == RAW


def test_a_layout_that_somebody_else_made_is_not_touched(tmp_path: Path) -> None:
    """Its index would be overwritten with one that knows nothing of it."""
    threads = threading.active_count()
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(FileExistsError, match="an OCI layout that no registry made"), running_registry(tmp_path):
        pass
    assert ([path.name for path in tmp_path.iterdir()], threading.active_count()) == (["index.json"], threads)


def test_content_that_was_removed_behind_its_back_is_missing_and_no_more(tmp_path: Path) -> None:
    """A damaged directory can still be opened, and says 404 where it has holes."""
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        wire.put_image("app", "v1", RAW, b"layer")
        wire.connection.close()
    for digest in (sha256(RAW), sha256(b"layer")):
        (tmp_path / "blobs" / digest.replace(":", "/")).unlink()
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        assert wire.ask("GET", "/v2/app/manifests/v1").code == "MANIFEST_UNKNOWN"
        assert wire.ask("GET", f"/v2/app/blobs/{sha256(b'layer')}").code == "BLOB_UNKNOWN"
        wire.connection.close()


def test_a_registry_in_memory_keeps_its_content_when_it_is_entered_again() -> None:
    """A restart between two requests, without a directory."""
    registry = EmbeddedRegistry()

    async def pushed_and_pulled() -> tuple[int, int]:
        digest = sha256(b"x")
        async with registry, aiohttp.ClientSession(registry.url) as session:
            done = await session.post(f"/v2/app/blobs/uploads/?digest={digest}", data=b"x")
        async with registry, aiohttp.ClientSession(registry.url) as session:
            found = await session.get(f"/v2/app/blobs/{digest}")
        return done.status, found.status

    assert asyncio.run(pushed_and_pulled()) == (201, 200)


async def test_it_serves_in_the_running_loop() -> None:
    """The form for asyncio services: no thread, and nothing left in the loop."""
    threads, tasks = threading.active_count(), asyncio.all_tasks()
    async with EmbeddedRegistry() as registry, aiohttp.ClientSession(registry.url) as session:
        async with session.get("/v2/") as found:
            assert found.status == 200
        assert threading.active_count() == threads
    assert asyncio.all_tasks() == tasks


def test_a_thread_and_its_sockets_are_gone_with_the_block(tmp_path: Path) -> None:
    """A thousand tests in one process each start a registry."""

    def open_files() -> int:
        gc.collect()
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before, threads = open_files(), threading.active_count()
    for _ in range(3):
        with running_registry(tmp_path) as registry:
            wire = Wire(registry.host)
            wire.put_blob("app", b"x")
            wire.start("app")
        wire.connection.close()
    assert (open_files(), threading.active_count()) == (before, threads)


def test_stalled_and_half_sent_requests_do_not_outlive_the_registry(tmp_path: Path) -> None:
    """No task, no warning, no line on stderr, in either form, with Python's development mode on."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.testing.untidy", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """`serve` has to say so."""
    threads = threading.active_count()
    with running_registry() as registry:
        port = int(registry.host.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), running_registry(tmp_path, port=port):
            pass
    assert threading.active_count() == threads


def test_a_blob_is_never_whole_in_memory_when_it_goes_to_a_directory(tmp_path: Path) -> None:
    """Layers are larger than the memory of the machine that tests them."""
    piece, count = bytes(1024 * 1024), 48
    with running_registry(tmp_path) as registry:
        wire = Wire(registry.host)
        location = wire.start("app").location
        tracemalloc.start()
        sent = wire.ask("PATCH", location, (piece for _ in range(count)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (sent.status, sent.headers["Range"]) == (202, f"0-{count * len(piece) - 1}")
        wire.connection.close()
    assert peak < 8 * len(piece)


def test_every_request_needs_the_password_when_there_is_one() -> None:
    """Basic authentication, with the challenge that clients look for."""
    with running_registry(basic_auth=("me", "s3cret:x"), faults=[Fault(Stall(), nth=(2,))]) as registry:
        wire = Wire(registry.host)
        for wrong in ({}, {"Authorization": "Basic bm8="}, {"Authorization": "Bearer s3cret"}):
            refused = wire.ask("GET", "/v2/", **wrong)
            assert (refused.status, refused.code) == (401, "UNAUTHORIZED")
            assert refused.headers["WWW-Authenticate"].startswith('Basic realm="')
        right = base64.b64encode(b"me:s3cret:x").decode()
        # What is refused at the door is not counted by the faults behind it.
        assert wire.ask("GET", "/v2/", Authorization=f"basic {right}").status == 200
        wire.connection.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_it_serves_https_with_a_certificate(tmp_path: Path) -> None:
    """For tests of everything that only happens with TLS; a reset is then a reset of what is beneath it."""
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out cert -subj /CN=a"
    alternative = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*made.split(), *alternative], cwd=tmp_path, check=True, capture_output=True)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=tmp_path / "cert")
    server.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with running_registry(tls=server, faults=[Fault(Drop(), nth=(2,))]) as registry:
        assert registry.url == f"https://{registry.host}"
        connection = http.client.HTTPSConnection(registry.host, context=client, timeout=10)
        connection.request("POST", "/v2/app/blobs/uploads/")
        started = connection.getresponse()
        assert (started.status, started.headers["Location"].startswith(registry.url)) == (202, True)
        started.read()
        connection.request("GET", "/v2/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


def test_locations_are_absolute_or_relative() -> None:
    """Both are allowed, and each has broken clients."""
    for relative in (False, True):
        with running_registry(relative_locations=relative, chunk_min_length=4096) as registry:
            wire = Wire(registry.host)
            started = wire.start("app")
            assert started.location.startswith("/v2/app/" if relative else f"{registry.url}/v2/app/")
            assert started.headers["OCI-Chunk-Min-Length"] == "4096"
            assert wire.ask("GET", started.location).status == 204
            wire.connection.close()


def test_a_client_that_goes_away_leaves_what_it_sent(registry: EmbeddedRegistry, wire: Wire) -> None:
    """A killed push can be resumed from the status of its upload."""
    location = wire.start("app").location
    gone = Wire(registry.host)
    gone.connection.putrequest("PATCH", location.removeprefix(gone.origin))
    gone.connection.putheader("Content-Length", "9000")
    gone.connection.endheaders(b"x" * 100)
    assert eventually(lambda: registry.counts().blob_bytes_in == 100)
    gone.connection.close()
    assert eventually(lambda: registry.counts().in_flight == 0)
    assert wire.ask("GET", location).headers["Range"] == "0-99"
