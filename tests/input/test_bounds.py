"""Bounds: what an archive claims, and what it unpacks to, costs no memory."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_fp import digest_of
from registry_fp.testing import EmbeddedRegistry
from tests.archive.tars import Save, header
from tests.bench.measured import measured_push
from tests.bench.memory import GROWTH_LIMIT

HUGE = 150 * 2**20


def _bomb(path: Path) -> None:
    layer = gzip.compress(bytes(HUGE), 1)
    rootfs = {"type": "layers", "diff_ids": [str(digest_of(b""))]}
    raw = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
    path.write_bytes(bytes(Save(layers=(layer,), config_raw=raw)))


def _wrapped(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(Save(layers=(bytes(HUGE),))), 1)[:-9])


def _sparse(name: bytes, kind: bytes, size: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(header(name, size, kind=kind))
        os.truncate(path, size + 8192)

    return write


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        pytest.param(_bomb, "InvalidImage: diff_id mismatch", id="a layer that unpacks to 150 MiB"),
        pytest.param(_wrapped, "TarUnreadable: bad compression", id="an archive that unpacks to 150 MiB and is cut"),
        pytest.param(_sparse(b"x", b"x", 3 << 30), "TarUnreadable: hostile header", id="a pax header of 3 GiB"),
        pytest.param(_sparse(b"manifest.json", b"0", 64 << 20), "LimitExceeded", id="a manifest.json of 64 MiB"),
    ],
)
def test_a_hostile_archive_costs_little_memory_and_no_byte_of_a_blob(
    write: Callable[[Path], None], reason: str, registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """Whoever pushes what strangers upload must not be brought down by the first of them."""
    archive = tmp_path / "app.tar"
    write(archive)
    cost = measured_push(archive, f"{registry.host}/app:1.0", small_blob="0")
    assert reason in cost.ended
    assert cost.grown < GROWTH_LIMIT
