"""Memory: an export of any size fits into a small container."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry_fp.testing import running_registry
from tests.bench.archives import sparse_archive
from tests.bench.measured import measured_push
from tests.bench.memory import GROWTH_LIMIT


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_an_export_does_not_grow_with_its_layers(compression: str, tmp_path: Path) -> None:
    """200 MiB of zeros come as 200 KiB, which one piece could unpack all at once."""
    archive = sparse_archive(tmp_path / "zeros.tar", [200 * 2**20, 2**20, 2**20])
    with running_registry(tmp_path / "registry") as registry:
        measured_push(archive, f"{registry.host}/app:1.0", compression=compression)
        command = [
            sys.executable,
            "-m",
            "tests.export.measured",
            f"{registry.host}/app:1.0",
            str(tmp_path / "root.tar"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "root.tar").stat().st_size == 202 * 2**20 + 3 * 512 + 1024
    assert int(done.stdout) < GROWTH_LIMIT
