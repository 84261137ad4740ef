"""Bounds of a proof: what it may cost, however large the image is, and whatever it unpacks to."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

from tests.bench.memory import GROWTH_LIMIT
from tests.copy.made import CONFIG, MANIFEST, Made, pointer, put, request, sha256
from tests.place import fresh
from tests.real.docker_registry import RealRegistry

_LAYER = 256 * 2**20
_TAR = "application/vnd.oci.image.layer.v1.tar"


def test_a_proof_of_any_size_writes_no_file_and_holds_less_than_64_mebibytes(
    real_registry: RealRegistry, tmp_path: Path
) -> None:
    """Half a gibibyte as it is, and half a gibibyte that comes as a few hundred kilobytes."""
    plain = [_sparse(tmp_path / f"plain{number}", number) for number in range(2)]
    bombs = [_bomb(tmp_path / f"bomb{number}", number) for number in range(2)]
    sizes = [_LAYER, _LAYER, *((tmp_path / f"bomb{number}").stat().st_size for number in range(2))]
    layers = [
        {"mediaType": kind, "digest": digest, "size": size}
        for kind, digest, size in zip(
            [_TAR, _TAR, f"{_TAR}+gzip", f"{_TAR}+gzip"], [*plain, *(digest for digest, _ in bombs)], sizes, strict=True
        )
    ]
    diff_ids = [*plain, *(diff_id for _, diff_id in bombs)]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode()
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": pointer(CONFIG, config), "layers": layers}
    made = Made(MANIFEST, json.dumps(document).encode(), {sha256(config): config})
    path = fresh()
    for file in (*tmp_path.glob("plain*"), *tmp_path.glob("bomb*")):
        _put_file(real_registry.host, path, file)
    put(real_registry.host, path, made, "1.0")
    command = [sys.executable, "-m", "tests.validate_remote.measured", f"{real_registry.host}/{path}:1.0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout)
    assert cost["size"] == len(made.raw) + len(config) + sum(sizes)
    assert cost["grown"] < GROWTH_LIMIT


def _sparse(path: Path, number: int) -> str:
    with path.open("wb") as file:
        file.write(b"layer %d" % number)
        file.truncate(_LAYER)
    return _digest(path)


def _bomb(path: Path, number: int) -> tuple[str, str]:
    content, packer = hashlib.sha256(), zlib.compressobj(1, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        for piece in (bytes([number]) * 2**20 for _ in range(_LAYER // 2**20)):
            content.update(piece)
            file.write(packer.compress(piece))
        file.write(packer.flush())
    return _digest(path), f"sha256:{content.hexdigest()}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _put_file(host: str, repository: str, path: Path) -> None:
    _, headers, _ = request(host, "POST", f"/v2/{repository}/blobs/uploads/")
    connection = http.client.HTTPConnection(host, timeout=60.0)
    location = headers["Location"].partition(host)[2] or headers["Location"]
    with path.open("rb") as file:
        length = {"Content-Length": str(path.stat().st_size)}
        connection.request("PUT", f"{location}{'&' if '?' in location else '?'}digest={_digest(path)}", file, length)
        assert connection.getresponse().status == 201
    connection.close()
