"""Bounds of a copy: what it may cost, however large the image is."""

import hashlib
import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest

from registry_fp.testing import running_registry
from tests.copy import made
from tests.place import fresh
from tests.real.docker_registry import RealRegistry

_LAYER = 256 * 2**20
_LAYERS = 4


@pytest.fixture
def large(tmp_path: Path) -> made.Made:
    """The manifest of an image of 1 GiB, and its layers as sparse files in `tmp_path`."""
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers"}}).encode()
    layers = []
    for number in range(_LAYERS):
        with (tmp_path / "layer").open("wb") as file:
            file.write(b"layer %d" % number)
            file.truncate(_LAYER)
        with (tmp_path / "layer").open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        (tmp_path / "layer").rename(tmp_path / digest)
        layers.append({"mediaType": made.LAYER, "digest": digest, "size": _LAYER})
    document = {"schemaVersion": 2, "mediaType": made.MANIFEST, "config": made.pointer(made.CONFIG, config)}
    return made.Made(made.MANIFEST, json.dumps(document | {"layers": layers}).encode(), {made.sha256(config): config})


def test_a_copy_of_one_gibibyte_writes_no_file_and_holds_less_than_64_mebibytes(
    large: made.Made, real_registry: RealRegistry, tmp_path: Path
) -> None:
    """It flows through: the kernel ends the process at the first byte that it writes to a file."""
    target = f"{real_registry.host}/{fresh()}:1.0"
    with running_registry(tmp_path / "registry") as embedded:
        for path in tmp_path.glob("sha256:*"):
            _put_file(embedded.host, "app", path)
        made.put(embedded.host, "app", large, "1.0")
        command = [sys.executable, "-m", "tests.copy.bounded_copy", f"{embedded.host}/app:1.0", target]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout)
    assert cost["moved"] == _LAYER * _LAYERS + sum(map(len, large.blobs.values()))
    assert cost["grown"] < 64 * 2**20


def _put_file(host: str, repository: str, path: Path) -> None:
    _, headers, _ = made.request(host, "POST", f"/v2/{repository}/blobs/uploads/")
    connection = http.client.HTTPConnection(host, timeout=60.0)
    location = headers["Location"].partition(host)[2] or headers["Location"]
    with path.open("rb") as file:
        length = {"Content-Length": str(path.stat().st_size)}
        connection.request("PUT", f"{location}{'&' if '?' in location else '?'}digest={path.name}", file, length)
        assert connection.getresponse().status == 201
    connection.close()
