"""Opening an archive: what is no file is refused, nothing stays open, and a change is noticed."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from returns.result import Result, Success

from registry_fp.archive.docker_save import read_image
from registry_fp.archive.off_loop import local_io
from registry_fp.archive.opened import OpenArchive, close_archive, open_archive, read_window, unchanged, with_archive
from registry_fp.archive.source import docker_save
from registry_fp.archive.spool import SpoolLimits
from registry_fp.codec.sniff import Encoding
from registry_fp.domain.errors import (
    InvalidImage,
    LimitExceeded,
    LocalIo,
    Reason,
    RegistryError,
    SourceChanged,
    TarUnreadable,
    Unsupported,
)
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.effect.operation import operation
from tests.archive.opening import ROOMY, open_descriptors, reason_of, using, written
from tests.archive.tars import Save, config, member
from tests.codec.streams import COMPRESSED, packed, seeded

GOOD = bytes(Save())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A sound archive."""
    path = tmp_path / "app.tar"
    path.write_bytes(GOOD)
    return path


@pytest.fixture
def spool_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compressed archives are unpacked to."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[OpenArchive]:
    archive = await unwrap(open_archive(docker_save(path)))
    try:
        yield archive
    finally:
        await close_archive(archive)


def inside(folder: Path) -> list[str]:
    """What a folder holds."""
    return os.listdir(folder)  # noqa: PTH208  names are enough


async def refused(path: Path) -> Reason:
    """Why it cannot be opened."""
    out = await using(path, read_image)
    assert isinstance(out, Err)
    assert out.error.doing == "open_archive"
    return out.error.reason


async def test_what_the_operating_system_refuses_is_said_with_its_number(tmp_path: Path) -> None:
    """A script tells a wrong path from a full disk by the number, not by the words."""
    missing = tmp_path / "missing.tar"
    assert await refused(missing) == LocalIo(errno.ENOENT, str(missing))
    below = tmp_path / "app.tar"
    below.write_bytes(GOOD)
    assert await refused(below / "x") == LocalIo(errno.ENOTDIR, str(below / "x"))
    assert await refused(tmp_path) == LocalIo(errno.EISDIR, str(tmp_path))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert await refused(loop) == LocalIo(errno.ELOOP, str(loop))
    assert await refused(Path("a\0b")) == LocalIo(errno.EINVAL, "a\0b")
    assert await refused(Path("a\ud800b")) == LocalIo(errno.EINVAL, "a\ud800b")


async def test_a_pipe_is_refused_at_once_and_its_writer_is_left_alone(tmp_path: Path) -> None:
    """Opening a pipe waits for its writer for ever, or wakes one that then has no reader."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert isinstance(await refused(pipe), Unsupported)
    with pytest.raises(OSError) as refusal:  # noqa: PT011  the number is checked
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    assert refusal.value.errno == errno.ENXIO


async def test_a_socket_and_a_device_are_refused(tmp_path: Path) -> None:
    """They can be opened, and are no archives."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert isinstance(await refused(tmp_path / "socket"), Unsupported)
    assert isinstance(await refused(Path("/dev/zero")), Unsupported)


async def test_a_symlink_to_an_archive_is_the_archive(saved: Path, tmp_path: Path) -> None:
    """The path is the user's, and may be a link; only links inside of archives are not followed outside."""
    link = tmp_path / "latest.tar"
    link.symlink_to(saved)
    assert isinstance(await using(link, read_image), Ok)


async def test_no_descriptor_left_is_said_and_is_no_deadlock(saved: Path) -> None:
    """A service at its limit of open files must hear of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    await asyncio.to_thread(int)  # the pool has its threads
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        out = await settle(open_archive(docker_save(saved)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(out, Err)
    assert out.error.reason == LocalIo(errno.EMFILE, str(saved))


def test_an_error_without_a_number_is_an_input_output_error() -> None:
    """OSError("...") has none, and a reason needs one."""
    assert local_io(OSError("odd"), "app.tar") == LocalIo(errno.EIO, "app.tar")


async def test_closing_twice_does_not_close_what_others_opened(saved: Path) -> None:
    """A descriptor's number is given to the next file at once."""
    archive = await unwrap(open_archive(docker_save(saved)))
    await close_archive(archive)
    with saved.open("rb") as other:
        await close_archive(archive)
        assert other.read() == GOOD


async def test_the_archive_is_closed_after_a_bug(saved: Path) -> None:
    """An exception passes through and leaves nothing open."""

    @operation
    async def broken(archive: OpenArchive) -> Result[None, RegistryError]:
        raise ZeroDivisionError

    before = open_descriptors()
    with pytest.raises(ZeroDivisionError):
        await settle(with_archive(docker_save(saved), broken))
    assert open_descriptors() == before


@pytest.mark.parametrize("kind", ["plain", "gzip"])
async def test_cancelling_anywhere_leaves_nothing_open(kind: str, tmp_path: Path, spool_folder: Path) -> None:
    """A service cancels when its caller goes away, at whatever moment that is."""
    path = tmp_path / "app.tar"
    path.write_bytes(GOOD if kind == "plain" else gzip.compress(GOOD + bytes(8 << 20), 1))
    before = open_descriptors()
    ended = 0
    for steps in range(200):
        task = asyncio.ensure_future(settle(with_archive(docker_save(path), read_image, limits=ROOMY)))
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert isinstance(task.result(), Ok)
            ended += 1
        assert open_descriptors() == before
        if ended == 3:
            break
    assert not inside(spool_folder)


async def test_a_cancelled_unpacking_ends_soon_and_waits_for_its_thread(tmp_path: Path, spool_folder: Path) -> None:
    """A descriptor that is closed under a reading thread may be another file by its next read."""
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(400 << 20), 1))
    before = open_descriptors()
    task = asyncio.ensure_future(settle(open_archive(docker_save(path), limits=ROOMY)))
    while open_descriptors() < before + 2:  # noqa: ASYNC110  the archive and the spool are no events
        await asyncio.sleep(0)
    task.cancel()
    started = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - started < 1
    assert open_descriptors() == before


@pytest.mark.parametrize("encoding", COMPRESSED)
async def test_a_compressed_archive_is_unpacked_without_a_name(
    encoding: Encoding, tmp_path: Path, spool_folder: Path
) -> None:
    """A file with a name stays behind when the process is killed."""
    path = tmp_path / "app.tar.x"
    path.write_bytes(packed(encoding, GOOD))

    @operation
    async def look(archive: OpenArchive) -> Result[tuple[bool, int, list[str]], RegistryError]:
        return Success((archive.spooled, os.fstat(archive.fd).st_size, inside(spool_folder)))

    assert await using(path, look) == Ok((True, len(GOOD), []))


async def test_unpacking_stops_at_its_limit(tmp_path: Path, spool_folder: Path) -> None:
    """A gigabyte of zeros compresses to a megabyte."""
    path = tmp_path / "app.tar.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(5 << 20)))
    out = await using(path, read_image, limits=SpoolLimits(size=3 << 20, reserve=0))
    assert isinstance(out, Err)
    assert out.error.reason == LimitExceeded("bytes in the unpacked archive", 3 << 20)


async def test_a_large_archive_is_unpacked_up_to_exactly_its_limit(tmp_path: Path, spool_folder: Path) -> None:
    """It is several reads and writes long, and a limit is the last value that is allowed."""
    layers = tuple(seeded(number).randbytes(700_000) for number in range(5))
    stored = tuple(gzip.compress(layer) for layer in layers)
    content = bytes(Save(layers=stored, config_raw=config(layers)))
    path = written(tmp_path / "app.tar.gz", gzip.compress(content))
    assert isinstance(await using(path, read_image, limits=SpoolLimits(size=len(content), reserve=0)), Ok)
    out = await using(path, read_image, limits=SpoolLimits(size=len(content) - 1, reserve=0))
    assert isinstance(out, Err)
    assert out.error.reason == LimitExceeded("bytes in the unpacked archive", len(content) - 1)


async def test_a_bomb_that_holds_no_archive_is_not_unpacked_to_its_end(tmp_path: Path, spool_folder: Path) -> None:
    """Its first block says that it is none."""
    path = written(tmp_path / "text.gz", gzip.compress(b"no header\n" * (1 << 20)))
    out = await using(path, read_image, limits=SpoolLimits(size=2 << 20, reserve=0))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, TarUnreadable)
    assert out.error.reason.kind == "not a tar"


async def test_unpacking_leaves_free_space_to_others(tmp_path: Path, spool_folder: Path) -> None:
    """A full disk stops every program on the machine, not only the one that filled it."""
    path = tmp_path / "app.tar.gz"
    path.write_bytes(gzip.compress(GOOD))
    out = await using(path, read_image, limits=SpoolLimits(reserve=2**62))
    assert isinstance(out, Err)
    assert out.error.reason == LocalIo(errno.ENOSPC, str(spool_folder))


async def test_a_folder_for_unpacking_that_is_not_there_is_named(tmp_path: Path, spool_folder: Path) -> None:
    """The user's archive is fine; TMPDIR is what must be mended."""
    path = tmp_path / "app.tar.gz"
    path.write_bytes(gzip.compress(GOOD))
    os.rmdir(spool_folder)  # noqa: PTH106  an async test, and nothing that blocks
    out = await using(path, read_image)
    assert isinstance(out, Err)
    assert out.error.reason == LocalIo(errno.ENOENT, str(spool_folder))


KILLED = """
import asyncio, os, signal, sys
from registry_fp.archive.opened import open_archive
from registry_fp.archive.source import docker_save
from registry_fp.archive.spool import SpoolLimits
from registry_fp.effect.exits import unwrap
archive = asyncio.run(unwrap(open_archive(docker_save(sys.argv[1]), limits=SpoolLimits(reserve=0))))
assert archive.spooled and os.fstat(archive.fd).st_nlink == 0
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_no_temporary_file(tmp_path: Path) -> None:
    """The out-of-memory killer asks nobody."""
    path = tmp_path / "app.tar.gz"
    path.write_bytes(gzip.compress(GOOD))
    folder = tmp_path / "tmp"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=environment, check=False)
    assert done.returncode == -9
    assert list(folder.iterdir()) == []


def _grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _shortened(path: Path) -> None:
    os.truncate(path, 1000)


def _rewritten(path: Path) -> None:
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(0, 1))


def _replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


CHANGES: tuple[Callable[[Path], None], ...] = (_grown, _shortened, _rewritten, _replaced, Path.unlink)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("compress", [False, True])
async def test_a_file_that_changes_while_it_is_open_is_noticed(
    change: Callable[[Path], None], saved: Path, *, compress: bool
) -> None:
    """What was sent then proves nothing; a build may be writing the file at this moment."""
    written(saved, gzip.compress(GOOD) if compress else GOOD)

    @operation
    async def use(archive: OpenArchive) -> Result[None, RegistryError]:
        assert await settle(unchanged(archive)) == Ok(None)
        change(saved)
        out = await settle(unchanged(archive))
        assert out == Err(RegistryError("unchanged", str(saved), SourceChanged(str(saved))))
        return Success(None)

    assert await using(saved, use) == Ok(None)


async def test_reading_is_no_change(saved: Path) -> None:
    """The time of reading says nothing."""
    async with _opened(saved) as archive:
        os.utime(saved, ns=(12345, archive.identity.mtime_ns))
        assert await settle(unchanged(archive)) == Ok(None)


async def test_a_window_is_exactly_what_was_asked_for(saved: Path) -> None:
    """A read that ends early must not look like a short layer."""
    async with _opened(saved) as archive:
        assert read_window(archive, 512, 100).unwrap() == GOOD[512:612]
        assert read_window(archive, 0, 0).unwrap() == b""
        _shortened(saved)
        assert read_window(archive, 900, 100).unwrap() == GOOD[900:1000]
        assert read_window(archive, 900, 101).failure() == SourceChanged(str(saved))
        assert read_window(archive, 5000, 1).failure() == SourceChanged(str(saved))


async def test_several_threads_read_their_own_windows(saved: Path) -> None:
    """Many layers stream from one descriptor; a shared position would mix them."""
    rng = seeded(2)
    async with _opened(saved) as archive:
        starts = [rng.randrange(len(GOOD) - 300) for _ in range(200)]
        windows = await asyncio.gather(*(asyncio.to_thread(read_window, archive, start, 300) for start in starts))
        assert [window.unwrap() for window in windows] == [GOOD[start : start + 300] for start in starts]


async def test_a_source_is_only_a_value_until_it_is_opened() -> None:
    """A pipeline can be written down, printed and compared before the archive exists."""
    source = docker_save(Path("/nowhere/app.tar"), image="app:1.0")
    assert source == docker_save("/nowhere/app.tar", image="app:1.0")
    assert str(source) == "/nowhere/app.tar"
    assert hash(source) == hash(docker_save("/nowhere/app.tar", image="app:1.0"))


async def test_a_bad_name_is_said_by_the_opening(tmp_path: Path) -> None:
    """The index is made when the archive is opened, so what is wrong with names is known then."""
    reason = await reason_of(tmp_path / "app.tar", member("../x") + GOOD)
    assert reason == InvalidImage("bad name", "../x", "it climbs out of the archive")
