"""What goes wrong: nothing is at the path then, or what was there before."""

import asyncio
import errno
import gzip
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from registry_fp import (
    Client,
    ConnectionLost,
    DigestMismatch,
    InvalidImage,
    LimitExceeded,
    LocalIo,
    Misconfigured,
    NoSuchPlatform,
    Reason,
    TarUnreadable,
    Unsupported,
    explain,
    oci_layout,
    unwrap,
)
from registry_fp.archive import export_plan, export_writer, image_tree
from registry_fp.archive.source import any_archive
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op
from registry_fp.pipelines.export import export_files
from registry_fp.testing import Corrupt, DropAfter, EmbeddedRegistry, Fault, Stall, running_registry
from tests.copy.made import Made, image, index, put, sha256
from tests.export.trees import members, write_layout
from tests.inspect.layers import file, folder, hardlink, member, saved, symlink, tar

T = TypeVar("T")

NOISE = os.urandom(300_000)
LAYERS = (tar(file("early", b"early"), file("noise", NOISE)), tar(file("late", b"late" * 50_000)))


async def _reason(op: Op[T]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    assert explain(out.error)
    return out.error.reason


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "cache")


def _packed() -> Made:
    return image(*(gzip.compress(layer, 1, mtime=0) for layer in LAYERS))


@pytest.mark.parametrize("old", [None, tar(file("old", b"old"))])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("what", [Corrupt(150_000), DropAfter(100_000)])
async def test_a_damaged_layer_leaves_nothing(
    what: Corrupt | DropAfter, nth: int, old: bytes | None, client: Client, tmp_path: Path
) -> None:
    """Whether it is found out before anything is written, or after most of it; an older tar is still there."""
    if old is not None:
        (tmp_path / "root.tar").write_bytes(old)
    made = _packed()
    large = max(made.blobs, key=lambda digest: len(made.blobs[digest]))
    with running_registry() as registry:
        put(registry.host, "app", made, "1.0")
        registry.set_faults(Fault(what, "GET", "end-2", large, nth=(nth,)))
        reason = await _reason(export_files(client, f"{registry.host}/app:1.0", tmp_path / "root.tar"))
    assert isinstance(reason, DigestMismatch | InvalidImage | ConnectionLost)
    assert _names(tmp_path) == ([] if old is None else ["root.tar"])
    assert old is None or (tmp_path / "root.tar").read_bytes() == old


async def test_a_layer_that_is_no_tar_leaves_nothing(client: Client, tmp_path: Path) -> None:
    """An artifact's file is a layer too, by name; and a layer may be cut."""
    for position, content in enumerate((b"just some text " * 100, LAYERS[0][:100_000])):
        source = saved(tmp_path / f"{position}.tar", LAYERS[1], content)
        reason = await _reason(export_files(client, source, tmp_path / "root.tar"))
        assert isinstance(reason, TarUnreadable | InvalidImage)
    assert _names(tmp_path) == ["0.tar", "1.tar"]


@pytest.mark.parametrize("form", ["gnu", "pax"])
async def test_a_sparse_file_is_refused_by_name(form: str, client: Client, tmp_path: Path) -> None:
    """Its content is stored without its holes, and a tar of the parts would be another file."""
    info = member("disk.img", tarfile.REGTYPE, size=512)
    if form == "gnu":
        info.type = tarfile.GNUTYPE_SPARSE
    else:
        info.pax_headers = {"GNU.sparse.size": "4096", "GNU.sparse.map": "0,512"}
    sparse = tar((info, bytes(512)))
    reason = await _reason(export_files(client, saved(tmp_path / "app.tar", LAYERS[1], sparse), tmp_path / "root.tar"))
    assert isinstance(reason, Unsupported)
    assert "disk.img" in reason.what
    assert _names(tmp_path) == ["app.tar"]
    hidden = saved(tmp_path / "app.tar", sparse, tar(file(".wh.disk.img"), file("f")))
    await unwrap(export_files(client, hidden, tmp_path / "root.tar"))
    assert list(members(tmp_path / "root.tar")) == ["f"]


async def test_links_that_go_round_are_refused(client: Client, tmp_path: Path) -> None:
    """A folder that is a link to itself has nothing beneath it."""
    layers = (tar(symlink("a", "b"), symlink("b", "a")), tar(file("a/f")))
    reason = await _reason(export_files(client, saved(tmp_path / "app.tar", *layers), tmp_path / "root.tar"))
    assert isinstance(reason, InvalidImage)
    assert (reason.kind, reason.member) == ("link cycle", "a/f")


async def test_what_is_no_tar_is_not_replaced(client: Client, tmp_path: Path) -> None:
    """It was named by mistake; a tar, or an empty file, is replaced."""
    source, target = saved(tmp_path / "app.tar", *LAYERS), tmp_path / "root"
    target.write_text("my notes")
    assert await _reason(export_files(client, source, target)) == LocalIo(errno.EEXIST, str(target))
    assert target.read_text() == "my notes"
    for old in (b"", bytes(1024), tar(file("old"))):
        target.write_bytes(old)
        await unwrap(export_files(client, source, target))
        assert list(members(target)) == ["early", "noise", "late"]


async def test_a_path_that_cannot_be_written_is_refused_before_any_request(client: Client, tmp_path: Path) -> None:
    """Not after the layers have been streamed."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes").write_text("my notes")
    wrong = {
        str(tmp_path / "folder"): errno.EISDIR,
        str(tmp_path / "notes"): errno.EEXIST,
        str(tmp_path / "none" / "root.tar"): errno.ENOENT,
        "": errno.EINVAL,
        "a\0b": errno.EINVAL,
    }
    with running_registry() as registry:
        for path, number in wrong.items():
            reason = await _reason(export_files(client, f"{registry.host}/app:1.0", path))
            assert isinstance(reason, LocalIo), path
            assert reason.errno == number, path
        reason = await _reason(export_files(client, f"{registry.host}/app:1.0", tmp_path / "root.tar.gz"))
        assert isinstance(reason, Misconfigured)
        assert registry.requests == ()
    assert _names(tmp_path) == ["folder", "notes"]


async def test_an_archive_is_not_replaced_by_its_own_files(client: Client, tmp_path: Path) -> None:
    """One name given twice would cost the image."""
    source = saved(tmp_path / "app.tar", *LAYERS)
    (tmp_path / "link.tar").symlink_to("app.tar")
    before = (tmp_path / "app.tar").read_bytes()
    for path in ("app.tar", "link.tar"):
        reason = await _reason(export_files(client, source, tmp_path / path))
        assert reason == LocalIo(errno.EEXIST, str(tmp_path / path))
    assert (tmp_path / "app.tar").read_bytes() == before


async def test_of_an_index_the_image_for_a_platform_is_taken(client: Client, tmp_path: Path) -> None:
    """And a platform that is not there leaves nothing."""
    many = index(*(image(gzip.compress(tar(file(name))), platform=f"plan9/{name}") for name in ("mips", "sparc64")))
    with running_registry() as registry:
        put(registry.host, "app", many, "1.0")
        name = f"{registry.host}/app:1.0"
        await unwrap(export_files(client, name, tmp_path / "root.tar", platform="plan9/sparc64"))
        assert list(members(tmp_path / "root.tar")) == ["sparc64"]
        refused = export_files(client, name, tmp_path / "none.tar", platform="linux/s390x")
        assert isinstance(await _reason(refused), NoSuchPlatform)
    assert _names(tmp_path) == ["root.tar"]


async def test_a_full_disk_is_said_of_the_tar(tmp_path: Path) -> None:
    """Not of the layer that was being read; and nothing is left."""
    source = saved(tmp_path / "app.tar", *LAYERS)
    command = [sys.executable, "-m", "tests.export.limited", "100000", source.path, str(tmp_path / "root.tar")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: ASYNC221  nobody else waits
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{errno.EFBIG} {tmp_path / 'root.tar'}\n"
    assert _names(tmp_path) == ["app.tar"]


async def _asked(registry: EmbeddedRegistry, path: str, times: int, ended: Callable[[], bool]) -> None:
    """Wait until the registry was asked for something so often; whoever asks must not have ended before."""
    while sum(path in request.path for request in registry.requests) < times:
        assert not ended()
        await asyncio.sleep(0)


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_cancelled_export_leaves_nothing(nth: int, client: Client, tmp_path: Path) -> None:
    """While it reads, and while it writes."""
    made = _packed()
    large = max(made.blobs, key=lambda digest: len(made.blobs[digest]))
    with running_registry() as registry:
        put(registry.host, "app", made, "1.0")
        registry.set_faults(Fault(Stall(after=200_000), "GET", "end-2", large, nth=(nth,)))
        registry.reset_counts()
        job = asyncio.ensure_future(settle(export_files(client, f"{registry.host}/app:1.0", tmp_path / "root.tar")))
        await _asked(registry, large, nth, job.done)
        assert _names(tmp_path) == [".root.tar.partial"]
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert _names(tmp_path) == []


async def test_after_a_kill_nothing_has_the_name_and_the_next_export_is_whole(client: Client, tmp_path: Path) -> None:
    """Power fails, and build machines are taken away."""
    made = _packed()
    last = list(made.blobs)[-1]
    with running_registry() as registry:
        put(registry.host, "app", made, "1.0")
        registry.set_faults(Fault(Stall(after=100), "GET", "end-2", last, nth=(2,)))
        command = [sys.executable, "-m", "tests.export.program", f"{registry.host}/app:1.0", str(tmp_path / "root.tar")]
        with subprocess.Popen(command) as process:  # noqa: ASYNC220  the registry has a thread of its own
            await _asked(registry, last, 4, lambda: process.poll() is not None)
            assert _names(tmp_path) == [".root.tar.partial"]
            os.kill(process.pid, signal.SIGKILL)
        assert _names(tmp_path) == [".root.tar.partial"]
        registry.set_faults()
        await unwrap(export_files(client, f"{registry.host}/app:1.0", tmp_path / "root.tar"))
    assert _names(tmp_path) == ["root.tar"]
    assert list(members(tmp_path / "root.tar")) == ["early", "noise", "late"]


async def test_a_blob_that_is_another_in_a_layout_leaves_nothing(client: Client, tmp_path: Path) -> None:
    """Disks rot."""
    made = _packed()
    layout = write_layout(tmp_path / "layout", made)
    large = max(made.blobs, key=lambda digest: len(made.blobs[digest]))
    path = layout / "blobs" / "sha256" / large.partition(":")[2]
    rotten = bytearray(path.read_bytes())
    rotten[-100] ^= 1
    path.write_bytes(rotten)
    for source in (oci_layout(layout), any_archive(layout)):
        reason = await _reason(export_files(client, source, tmp_path / "root.tar"))
        assert isinstance(reason, DigestMismatch | InvalidImage)
    assert sha256(bytes(rotten)) != large
    assert _names(tmp_path) == ["layout"]


async def test_links_to_deep_folders_do_not_make_gigabytes_of_names(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short names in the layer, long ones in the image: a bomb of another kind."""
    deep = "/".join(["d" * 200] * 15)
    links = tar(file(f"{deep}/f"), symlink("s", deep))
    flood = tar(*(file(f"s/{number}") for number in range(100)))
    source = saved(tmp_path / "app.tar", links, flood)
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    assert len(members(tmp_path / "root.tar")) == 15 + 102
    monkeypatch.setattr(export_plan, "_NAMES", 200_000)
    assert await _reason(export_files(client, source, tmp_path / "none.tar")) == LimitExceeded(
        "characters of names in an image", 200_000
    )


async def test_links_to_a_long_name_do_not_make_gigabytes_of_it(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every link has the name that it links to."""
    layer = tar(file("n" * 3_000), *(hardlink(f"l{number}", "n" * 3_000) for number in range(100)))
    monkeypatch.setattr(export_plan, "_NAMES", 200_000)
    reason = await _reason(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    assert reason == LimitExceeded("characters of names in an image", 200_000)


async def test_links_are_not_followed_for_hours(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of a layer can lie beneath forty links of four thousand characters."""
    layer = tar(folder("d"), symlink("s", "./" * 500 + "d"), *(file(f"s/{number}") for number in range(30)))
    source = saved(tmp_path / "app.tar", layer)
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    monkeypatch.setattr(image_tree, "_FOLLOWED", 20_000)
    assert await _reason(export_files(client, source, tmp_path / "none.tar")) == LimitExceeded(
        "characters of links that are followed", 20_000
    )


async def test_paths_that_no_layer_has_an_entry_for_count(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry makes as many folders as its name has slashes."""
    source = saved(tmp_path / "app.tar", tar(*(file(f"{number}/a/b/c/d/e/f/g/h/i") for number in range(10))))
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    monkeypatch.setattr(image_tree, "ENTRIES_LIMIT", 99)
    assert await _reason(export_files(client, source, tmp_path / "none.tar")) == LimitExceeded(
        "paths in the layers of an image", 99
    )


async def test_folders_that_wait_for_the_end_are_bounded(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said of them is held until then."""
    said = [os.urandom(500).hex() for _ in range(20)]
    folders = [folder(f"d{at}", pax_headers={"SCHILY.xattr.user.x": each}) for at, each in enumerate(said)]
    source = saved(tmp_path / "app.tar", tar(*folders), tar(*(file(f"d{at}/f") for at in range(20))))
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    monkeypatch.setattr(export_writer, "_HELD", 10_000)
    reason = await _reason(export_files(client, source, tmp_path / "none.tar"))
    assert reason == LimitExceeded("bytes of what is said of folders, compressed", 10_000)
    assert _names(tmp_path) == ["app.tar", "root.tar"]
