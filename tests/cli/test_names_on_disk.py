"""Names that stand for something on this disk: what is there is meant, and no registry hears of it."""

import os
import socket
from pathlib import Path

import pytest

from registry_fp.cli import main

Capture = pytest.CaptureFixture[str]
COMMANDS = {"inspect": ("inspect",), "tree": ("tree",), "ls": ("ls",), "cat": ("cat",)}


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with things in it that are no images; and a way out that nobody may take."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "device").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REGISTRY_FP_RETRIES", "0")


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [
        ("pipe", "Unsupported", 76),
        ("device", "Unsupported", 76),
        ("socket", "Unsupported", 76),
        ("folder", "InvalidImage", 65),
        ("dangling", "LocalIo", 66),
    ],
)
def test_what_is_no_image_is_refused_for_what_it_is(
    command: str, name: str, reason: str, code: int, capfd: Capture
) -> None:
    """`pipe` is a name at docker.io, too; but the one who typed it has looked at the folder."""
    rest = ("etc/motd",) if command == "cat" else ()
    assert main((*COMMANDS[command], name, *rest)) == code
    said = capfd.readouterr().err
    assert f" {name}: {reason}: " in said
    assert "docker.io" not in said


@pytest.mark.usefixtures("odd")
def test_with_its_tag_a_name_is_an_image_whatever_is_here(capfd: Capture) -> None:
    """A project has a folder for everything that it builds, called like what it builds."""
    assert main(("inspect", "folder:1.0")) == 69
    assert "docker.io/library/folder:1.0" in capfd.readouterr().err
