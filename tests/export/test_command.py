"""The command: `registry-fp export`."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry, Fault, Stall, running_registry
from tests.cli.shell import call, end_all, start
from tests.copy import made
from tests.export.trees import members
from tests.inspect.layers import file, saved, tar, zipped

Capture = pytest.CaptureFixture[bytes]

LAYERS = (tar(file("etc/motd", b"one")), tar(file("etc/.wh.motd"), file("etc/hosts")))


@pytest.fixture
def registry() -> Iterator[EmbeddedRegistry]:
    """A registry that holds an image; a process that a test has left running is ended."""
    with running_registry() as running:
        made.put(running.host, "app", made.image(*zipped(*LAYERS)), "1.0")
        yield running
        end_all()


def test_the_answer_is_the_path(registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: Capture) -> None:
    """One line, for people and for scripts; the rest is in the document."""
    name, path = f"{registry.host}/app:1.0", str(tmp_path / "root.tar")
    for form in ("text", "quiet"):
        done = call(capfdbinary, "export", name, path, "-o", form)
        assert (done.code, done.text, done.err) == (0, f"{path}\n", "")
    assert list(members(tmp_path / "root.tar")) == ["etc", "etc/hosts"]
    document = call(capfdbinary, "export", name, path, "-o", "json").document
    assert document == {"name": document["name"], "path": path, "entries": 2, "size": 2048}
    last = call(capfdbinary, "export", name, path, "-o", "ndjson").objects[-1]
    assert last == {"event": "exported", **document}


def test_an_archive_needs_no_registry(tmp_path: Path, capfdbinary: Capture) -> None:
    """What is on disk is looked at there, and one of several images can be chosen."""
    saved(tmp_path / "app.tar", *LAYERS)
    archive, path = str(tmp_path / "app.tar"), str(tmp_path / "root.tar")
    assert call(capfdbinary, "export", archive, path, "--image", "app:1.0").code == 0
    assert list(members(tmp_path / "root.tar")) == ["etc", "etc/hosts"]
    refused = call(capfdbinary, "export", archive, path, "--platform", "plan9/mips")
    assert (refused.code, refused.out) == (66, b"")
    refused = call(capfdbinary, "export", archive, archive)
    assert (refused.code, refused.err.splitlines()[0].endswith(f"File exists: {archive}")) == (74, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_export_leaves_nothing(
    number: signal.Signals, code: int, registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """No traceback, and no half of a file system."""
    image = made.image(made.layer("etc/motd", 300_000))
    made.put(registry.host, "large", image, "1.0")
    largest = max(image.blobs, key=lambda digest: len(image.blobs[digest]))
    registry.set_faults(Fault(Stall(after=64 * 1024), "GET", path=largest, nth=(2,)))
    registry.reset_counts()
    process = start("export", f"{registry.host}/large:1.0", str(tmp_path / "root.tar"))
    while sum(largest in request.path for request in registry.requests) < 2:
        assert process.poll() is None
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out, said) == (code, b"", b"interrupted\n")
    assert not [path for path in tmp_path.iterdir() if "root" in path.name]


def test_a_failure_is_told_on_one_line(registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: Capture) -> None:
    """And as a document, for programs."""
    (tmp_path / "notes").write_text("my notes")
    refused = call(capfdbinary, "export", f"{registry.host}/app:1.0", str(tmp_path / "notes"), "-o", "json")
    assert (refused.code, refused.out) == (74, b"")
    assert json.loads(refused.err)["error"]["doing"] == "export_files"
