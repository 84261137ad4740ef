"""Signals: an interrupted command ends soon, in order, and says so by its exit code."""

import json
import signal
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry, Fault, Stall, sample_image, write_docker_save
from tests.cli.shell import start


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_push_takes_its_uploads_back(
    number: signal.Signals, code: int, registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """No traceback, and no session stays open on the registry until it times out."""
    path = write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=16)).path
    registry.set_faults(Fault(Stall(after=64 * 1024), method="PATCH"))
    process = start("push", str(path), f"{registry.host}/app:1", "-o", "ndjson", "--compression", "none")
    assert process.stdout is not None
    for line in process.stdout:  # until bytes of a layer are under way
        if json.loads(line)["event"] == "blob_moved":
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (code, b"interrupted\n")
    assert registry.counts().uploads_open == 0
