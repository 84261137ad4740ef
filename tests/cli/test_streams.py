"""Streams: pipes that close, disks that are full, terminals and what is none."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.conftest import Shelf
from tests.cli.shell import SCRIPT, call, run, start

Capture = pytest.CaptureFixture[bytes]

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")


def test_a_reader_that_has_seen_enough_is_no_error(shelf: Shelf) -> None:
    """`registry-fp tags x | head -1` says nothing on standard error, and ends as any program whose pipe is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    process = start("tags", shelf.repository, stdout=writer)
    os.close(writer)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, b"")


def test_a_push_whose_reader_is_gone_is_finished(
    registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture
) -> None:
    """What was begun is worth more than the report about it."""
    reader, writer = os.pipe()
    os.close(reader)
    name = f"{registry.host}/team/app:1.0"
    process = start("push", str(archive), name, stdout=writer, stderr=writer)  # as in `2>&1 | head -1`
    os.close(writer)
    assert process.wait(timeout=60) == 141
    assert call(capfdbinary, "digest", name).code == 0


def test_results_that_find_no_room_are_74(shelf: Shelf) -> None:
    """Half a manifest in a file, and a 0, would be a lie."""
    with Path("/dev/full").open("wb") as full:
        process = start("manifest", f"{shelf.repository}:1.0", stdout=full.fileno())
        _, said = process.communicate(timeout=60)
    assert process.returncode == 74
    assert said.decode().splitlines()[0] == (
        "error: write standard output: LocalIo: No space left on device: standard output"
    )


def _on_a_terminal(*arguments: str, **env: str) -> tuple[int, bytes, bytes]:
    """The exit code, standard output, and what an 80-column terminal on standard error received."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **env}
    process = subprocess.Popen(
        [SCRIPT, *arguments], stdout=subprocess.PIPE, stderr=theirs, env=environment, stdin=subprocess.DEVNULL
    )
    os.close(theirs)
    received = b""
    try:
        while chunk := os.read(ours, 65536):
            received += chunk
    except OSError:  # what Linux says when the last writer has closed a terminal
        pass
    finally:
        os.close(ours)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out, received


def test_a_terminal_gets_bars(registry: EmbeddedRegistry, archive: Path) -> None:
    """One for each blob, and the result still goes to standard output alone."""
    name = f"{registry.host}/team/app:1.0"
    code, out, seen = _on_a_terminal("push", str(archive), name)
    assert code == 0
    assert out.startswith(f"{name}@sha256:".encode())
    assert b"\x1b[?25l" in seen
    assert "━" in seen.decode()
    assert b"uploaded as" in seen
    assert name.encode() in seen
    assert COLOUR.search(seen)


def test_no_color_means_no_colour_on_a_terminal_too(registry: EmbeddedRegistry, archive: Path) -> None:
    """See no-color.org: the bars are there, without it."""
    _, _, seen = _on_a_terminal("push", str(archive), f"{registry.host}/team/app:1.0", NO_COLOR="1")
    assert "━" in seen.decode()
    assert not COLOUR.search(seen)


def test_streams_that_are_closed_are_no_bug(shelf: Shelf) -> None:
    """Some start programs without any, and 1 must not become the number of the registry's socket."""
    command = f'"{SCRIPT}" ping {shelf.host} >&- 2>&- <&-'
    assert subprocess.run(["/bin/sh", "-c", command], check=False, timeout=60).returncode == 0


def test_the_module_is_the_script(capfdbinary: Capture) -> None:
    """Where the scripts' folder is not on the path."""
    command = [sys.executable, "-m", "registry_fp.cli", "--version"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert done.stdout == call(capfdbinary, "--version").out


@pytest.mark.parametrize("command", [("--help",), ("--version",), ("pull", "--help")], ids=" ".join)
def test_help_that_finds_no_room_or_no_reader_says_so_like_a_result(command: tuple[str, ...]) -> None:
    """It is what was asked for, and a traceback is no answer."""
    with Path("/dev/full").open("wb") as full:
        process = start(*command, stdout=full.fileno())
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[0]) == (
        74,
        b"error: write standard output: LocalIo: No space left on device: standard output",
    )
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*command, stdout=writer)
    os.close(writer)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, b"")


def test_what_is_drawn_and_finds_no_room_is_74(shelf: Shelf) -> None:
    """A tree is a result like any other."""
    with Path("/dev/full").open("wb") as full:
        process = start("tree", f"{shelf.repository}:many", stdout=full.fileno())
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[0].partition(b": No space")[0]) == (
        74,
        b"error: write standard output: LocalIo",
    )


def test_mistakes_are_repeated_without_what_would_move_a_terminal() -> None:
    """An argument may come from a file of a stranger; and that nobody reads of the mistake makes it no other one."""
    for arguments in (("\x1b[31mX",), ("pull", "--format", "\x1b[31m", "a", "b"), ("pull", "--n\x1b[31m")):
        done = run(*arguments)
        assert (done.code, "\x1b" in done.err) == (2, False)
        assert "\\x1b" in done.err
    with Path("/dev/full").open("wb") as full:
        process = start("pull", "--nonsense", stderr=full.fileno())
        process.communicate(timeout=60)
    assert process.returncode == 2


def test_what_an_encoding_cannot_say_is_no_bug(shelf: Shelf) -> None:
    """A build service in the locale C still wants the tree."""
    done = run("tree", f"{shelf.repository}:many", env={"PYTHONIOENCODING": "ascii"})
    assert (done.code, done.err) == (0, "")
    assert "\\u2514" in done.text


def test_a_place_that_no_name_server_can_know_is_not_listened_at() -> None:
    """Bytes that are no text come from a shell like any other."""
    done = run("serve", "--listen", os.fsdecode(b"\xff:0"))
    assert (done.code, done.err.splitlines()[0]) == (69, "error: serve \\udcff:0: DnsFailed: no address for \\udcff")
