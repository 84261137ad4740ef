"""Several processes and one layout, and processes that are killed: the folder stays a sound layout."""

import subprocess
import sys
from pathlib import Path

from registry_fp import unwrap
from registry_fp.pipelines.event import ignore
from registry_fp.pipelines.layout_store import layout_store
from tests.layout.writer import Origin, named
from tests.layout.written import REF_NAME, check_names, listed

_PROCESSES = 6
_IMAGES = 8


def _run(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "tests.layout.writer", *map(str, arguments))
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _half(writer: subprocess.Popen[bytes]) -> bool:
    """Wait until the process has written half a blob."""
    assert writer.stdout is not None
    return writer.stdout.readline() == b"half\n"


def _killed(writer: subprocess.Popen[bytes]) -> None:
    writer.kill()
    writer.communicate()


def test_writers_in_many_processes_lose_nothing(tmp_path: Path) -> None:
    """Each reads the index, adds an entry and writes it; without a lock the last one would win."""
    folder = tmp_path / "app"
    writers = [_run("add", folder, str(number), str(_IMAGES)) for number in range(_PROCESSES)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    names = {entry["annotations"][REF_NAME] for entry in listed(folder)}
    assert names == {f"{number}.{each}" for number in range(_PROCESSES) for each in range(_IMAGES)}
    assert len(listed(folder)) == _PROCESSES * _IMAGES
    check_names(folder)


async def test_a_killed_writer_leaves_no_wrong_blob_and_the_next_one_finishes(tmp_path: Path) -> None:
    """SIGKILL cannot be prepared for: the half blob has another name, which is taken over."""
    folder = tmp_path / "app"
    content = bytes(4_000_000)
    for _ in range(2):
        writer = _run("hang", folder)
        assert _half(writer)
        _killed(writer)
        (left,) = (folder / "blobs" / "sha256").iterdir()
        assert left.name == f".{named(content).digest.hex}.0.partial"
        assert listed(folder) == []
    store = await unwrap(layout_store(folder))
    await unwrap(store.place(named(content), Origin(content), ignore))
    check_names(folder)


async def test_a_name_that_somebody_writes_under_is_left_to_him(tmp_path: Path) -> None:
    """While one process hangs in a blob, another one fetches it whole; the first one's file stays its own."""
    folder = tmp_path / "app"
    content = bytes(4_000_000)
    writer = _run("hang", folder)
    try:
        assert _half(writer)
        store = await unwrap(layout_store(folder))
        assert (await unwrap(store.place(named(content), Origin(content), ignore))).outcome == "fetched"
        names = sorted(path.name for path in (folder / "blobs" / "sha256").iterdir())
        assert names == [f".{named(content).digest.hex}.0.partial", named(content).digest.hex]
    finally:
        _killed(writer)


def test_a_disk_that_is_full_is_an_error_of_the_disk(tmp_path: Path) -> None:
    """The number of the operating system is told, and what was written is removed, because room is what is wanted."""
    writer = _run("fill", tmp_path / "app", "4000000")
    said, _ = writer.communicate()
    assert said.startswith(b"LocalIo(errno=27")
    check_names(tmp_path / "app")
    assert list((tmp_path / "app" / "blobs" / "sha256").iterdir()) == []
