"""Signals: an interrupted command ends soon, in order, and says so by its exit code."""

import json
import signal
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry, Fault, Stall, sample_image, write_docker_save
from tests.cli.shell import start
from tests.copy import made


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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", [("ls",), ("cat", "etc/motd"), ("ls", "--layer", "0"), ("blob",)])
def test_an_interrupted_reading_ends_at_once_and_shows_nothing(
    command: tuple[str, ...], number: signal.Signals, code: int, registry: EmbeddedRegistry
) -> None:
    """A layer is under way, and half of a listing is no listing; a pipe behind it must not take it for one."""
    image = made.image(made.layer("etc/motd", 300_000), platform="linux/amd64")
    made.put(registry.host, "app", image, "1.0")
    largest = max(image.blobs, key=lambda digest: len(image.blobs[digest]))
    registry.set_faults(Fault(Stall(after=64 * 1024), method="GET", path=largest))
    name = f"{registry.host}/app@{largest}" if command == ("blob",) else f"{registry.host}/app:1.0"
    process = start(command[0], name, *command[1:], "-v")
    assert process.stderr is not None
    for line in process.stderr:  # until bytes of a layer are under way
        if b"get_blob" in line and largest.encode() in line:
            break
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (code, b"interrupted")
    assert command == ("blob",) or out == b""
    assert b"Traceback" not in said
