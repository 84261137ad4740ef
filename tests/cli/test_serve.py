"""`serve`: the embedded registry from a shell."""

import json
import signal
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.shell import call, start

Capture = pytest.CaptureFixture[bytes]


def test_it_serves_until_a_signal(archive: Path, capfdbinary: Capture) -> None:
    """The host line is the only result, so that a script can read it; that it is a test kit stands elsewhere."""
    process = start("serve", "--listen", "127.0.0.1:0")
    assert process.stdout is not None
    host = process.stdout.readline().decode().strip()
    assert call(capfdbinary, "push", str(archive), f"{host}/app:1").code == 0
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    warning, interrupted = said.decode().splitlines()
    assert warning.startswith("warning: a test kit")
    assert interrupted == "interrupted"


def test_what_it_keeps_in_a_folder_is_there_again(tmp_path: Path, archive: Path, capfdbinary: Capture) -> None:
    """Without --root it is in memory, and gone."""
    for kept in (False, True):
        process = start("serve", "--root", str(tmp_path / "kept"), "--listen", "localhost:0", "-o", "ndjson")
        assert process.stdout is not None
        served = json.loads(process.stdout.readline())
        assert served["root"] == str(tmp_path / "kept")
        name = f"{served['host']}/app:1"
        command = ("digest", name) if kept else ("push", str(archive), name)
        assert call(capfdbinary, *command).code == 0
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 143


def test_an_address_that_is_taken_is_78(registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """With the address in the line."""
    refused = call(capfdbinary, "serve", "--listen", registry.host)
    assert refused.code == 78
    assert refused.err.startswith(f"error: serve {registry.host}: Misconfigured: listen: Address already in use\n")


@pytest.mark.parametrize("listen", ["5000", "localhost:x", "localhost:70000"])
def test_what_is_no_address_is_a_mistake(listen: str, capfdbinary: Capture) -> None:
    """2, as for every argument that makes no sense."""
    assert call(capfdbinary, "serve", "--listen", listen).code == 2


def test_a_folder_that_cannot_be_is_74(tmp_path: Path, capfdbinary: Capture) -> None:
    """A file is in its place."""
    (tmp_path / "file").touch()
    refused = call(capfdbinary, "serve", "--root", str(tmp_path / "file" / "in"), "--listen", "127.0.0.1:0")
    assert (refused.code, "LocalIo" in refused.err) == (74, True)
