"""Where nothing can be written, nothing is asked for; and what is written is what the path says."""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from registry_fp import BadReference, Client, Event, LocalIo, Misconfigured, Unsupported, docker_save, settle, unwrap
from registry_fp.archive.archive_staging import leave_partial, open_partial
from registry_fp.archive.source import ImageSource, any_archive, oci_layout
from registry_fp.domain.errors import Reason
from registry_fp.effect.exits import Err, Ok
from registry_fp.pipelines.pull import PullOptions, pull
from registry_fp.testing import EmbeddedRegistry, Fault, Stall
from tests.acceptance.images import small
from tests.pull.publishing import publish_image
from tests.pull.reading import files_of, names_in, read_saved

Case = tuple[Callable[[Path], ImageSource], PullOptions, type[Reason] | int]
PLAIN = PullOptions()
REFUSED: dict[str, Case] = {
    "a folder that is not there": (lambda at: docker_save(at / "no" / "app.tar"), PLAIN, errno.ENOENT),
    "a folder in the archive's place": (docker_save, PLAIN, errno.EISDIR),
    "a letter in the archive's place": (lambda at: docker_save(at / "letter.txt"), PLAIN, errno.EEXIST),
    "a letter in the layout's place": (lambda at: oci_layout(at / "letter.txt"), PLAIN, errno.EEXIST),
    "a disk image in the archive's place": (lambda at: docker_save(at / "disk.img"), PLAIN, errno.EEXIST),
    "a file of one byte": (lambda at: docker_save(at / "byte"), PLAIN, errno.EEXIST),
    "a file as a folder": (lambda at: oci_layout(at / "file" / "x"), PLAIN, errno.ENOTDIR),
    "a pipe": (lambda at: docker_save(at / "pipe"), PLAIN, Unsupported),
    "a device": (lambda _: docker_save("/dev/null"), PLAIN, Unsupported),
    "no path": (lambda _: docker_save(""), PLAIN, errno.EINVAL),
    "a path with a zero": (lambda _: docker_save("a\0b"), PLAIN, errno.EINVAL),
    "half a character": (lambda _: oci_layout("a\ud800"), PLAIN, errno.EINVAL),
    "a name that is too long": (lambda at: docker_save(at / ("x" * 252)), PLAIN, errno.ENAMETOOLONG),
    "a folder of other things": (lambda at: oci_layout(at / "other"), PLAIN, errno.ENOTEMPTY),
    "a compressed archive": (lambda at: docker_save(at / "app.tar.gz"), PLAIN, Misconfigured),
    "a compressed layout": (lambda at: oci_layout(at / "app.tgz"), PLAIN, Misconfigured),
    "a position": (lambda at: docker_save(at / "app.tar", image=0), PLAIN, Misconfigured),
    "a name that is none": (lambda at: docker_save(at / "app.tar", image="A B"), PLAIN, Misconfigured),
    "an empty name": (lambda at: oci_layout(at / "x", image=""), PLAIN, Misconfigured),
    "every platform": (lambda at: docker_save(at / "app.tar"), PullOptions(platform="all"), Misconfigured),
    "no platform": (lambda at: docker_save(at / "app.tar"), PullOptions(platform="1/2/3/4"), BadReference),
    "no concurrency": (lambda at: docker_save(at / "app.tar"), PullOptions(concurrency=0), Misconfigured),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_written_is_refused_before_any_request(
    case: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Gigabytes are not fetched to find out at the end that they have no place."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "letter.txt").write_bytes(b"Dear " * 200)
    (tmp_path / "byte").write_bytes(b"\0")
    (tmp_path / "disk.img").write_bytes(bytes(1024) + b"superblock")  # an empty tar begins like that
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_bytes(b"Dear")
    os.mkfifo(tmp_path / "pipe")
    before = names_in(tmp_path)
    to, options, expected = REFUSED[case]
    out = await settle(pull(client, f"{embedded_registry.host}/app:1", to(tmp_path), options=options))
    assert isinstance(out, Err)
    reason = out.error.reason
    assert embedded_registry.counts().requests == 0
    assert names_in(tmp_path) == before
    if case == "a folder of other things":
        assert type(reason).__name__ == "InvalidImage"
    elif isinstance(expected, int):
        assert isinstance(reason, LocalIo)
        assert reason.errno == expected
    else:
        assert isinstance(reason, expected)


async def test_a_bad_reference_is_refused_before_anything(client: Client, tmp_path: Path) -> None:
    """A typing error costs nothing, and leaves nothing."""
    out = await settle(pull(client, "HTTP://x", docker_save(tmp_path / "app.tar")))
    assert isinstance(out, Err)
    assert (out.error.doing, type(out.error.reason)) == ("pull", BadReference)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("made_before", [False, True])
async def test_a_path_tells_what_is_written(
    made_before: bool, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """`any_archive` decides as people do: a folder is a layout, and a tar is what `docker load` takes."""
    name = f"{embedded_registry.host}/app:1"
    await publish_image(client, name, small())
    if made_before:
        (tmp_path / "folder.tar").mkdir()
        (tmp_path / "file").write_bytes(b"")
    await unwrap(pull(client, name, any_archive(tmp_path / "folder.tar")))
    await unwrap(pull(client, name, any_archive(tmp_path / "file")))
    layout, saved = ("folder.tar", "file") if made_before else ("file", "folder.tar")
    assert "manifest.json" not in files_of(tmp_path / layout)
    assert (tmp_path / layout).is_dir()
    read_saved(tmp_path / saved)


async def test_what_came_to_lie_there_meanwhile_is_not_replaced(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """A pull takes minutes, and nobody remembers where it goes; what it has fetched waits for the next try."""
    name, path = f"{embedded_registry.host}/app:1", tmp_path / "app.tar"
    await publish_image(client, name, small())

    def write_letter(_: Event) -> None:
        path.write_bytes(b"Dear")

    out = await settle(pull(client, name, docker_save(path), options=PullOptions(on_event=write_letter)))
    assert isinstance(out, Err)
    assert out.error.reason == LocalIo(errno.EEXIST, str(path))
    assert path.read_bytes() == b"Dear"
    path.unlink()
    assert isinstance(await settle(pull(client, name, docker_save(path))), Ok)
    assert names_in(tmp_path) == ["app.tar"]


async def test_half_files_of_a_killed_pull_are_gone_before_the_next_one_begins(tmp_path: Path) -> None:
    """They take the room that it needs: half an archive is as large as what is fetched again."""
    folder = tmp_path / ".app.tar.partial"
    folder.mkdir(mode=0o700)
    for name in ("lock", "archive.part", "sha256-aa.bb.part", "sha256-cc"):
        (folder / name).write_bytes(b"")
    opened = (await open_partial(str(tmp_path / "app.tar"))).unwrap()
    assert names_in(folder) == ["lock", "sha256-cc"]
    await leave_partial(opened, done=True)


async def test_an_archive_is_written_by_one_at_a_time(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Two that write one file would waste each other's work; the second one hears it at once."""
    name, to = f"{embedded_registry.host}/app:1", docker_save(tmp_path / "app.tar")
    await publish_image(client, name, small())
    embedded_registry.set_faults(Fault(Stall(5), "GET", "end-2"))
    begun = asyncio.Event()
    options = PullOptions(on_event=lambda _: begun.set())
    # The configuration is read before anything is told, so only the layer may wait.
    embedded_registry.set_faults(Fault(Stall(5), "GET", "end-2", nth=(2,)))
    first = asyncio.create_task(settle(pull(client, name, to, options=options)))
    await begun.wait()
    second = await settle(pull(client, name, to))
    assert isinstance(second, Err)
    assert second.error.reason == LocalIo(errno.EBUSY, str(tmp_path / ".app.tar.partial"))
    first.cancel()
    await asyncio.wait((first,))
    embedded_registry.set_faults()
    assert isinstance(await settle(pull(client, name, to)), Ok)
    assert names_in(tmp_path) == ["app.tar"]


@pytest.mark.parametrize("way", ["others may write", "a link", "a file"])
async def test_a_hidden_folder_of_somebody_else_is_not_used(
    way: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """In /tmp anybody can make it first, and change what is in it after it was proven."""
    folder = tmp_path / ".app.tar.partial"
    if way == "others may write":
        folder.mkdir()
        folder.chmod(0o777)
    elif way == "a link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to("elsewhere")
    else:
        folder.write_bytes(b"")
    out = await settle(pull(client, f"{embedded_registry.host}/app:1", docker_save(tmp_path / "app.tar")))
    assert isinstance(out, Err)
    assert out.error.reason == LocalIo(errno.EPERM, str(folder))
    assert embedded_registry.counts().requests == 0


async def test_what_was_pulled_is_pinned_and_named(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """A log that says `app:1` says nothing a week later."""
    name = f"{embedded_registry.host}/app:1"
    made = await publish_image(client, name, small())
    events: list[object] = []
    options = PullOptions(on_event=events.append)
    pulled = await unwrap(pull(client, name, docker_save(tmp_path / "app.tar"), options=options))
    assert str(pulled.reference) == f"{name}@{made.digest}"
    assert (pulled.digest, pulled.path) == (made.digest, str(tmp_path / "app.tar"))
    assert pulled.moved == sum(blob.descriptor.size for blob in pulled.blobs)
    done = [event for event in events if type(event).__name__ == "BlobDone"]
    assert len(done) == 2
    assert type(events[-1]).__name__ == "ManifestStored"
    assert replace(pulled, blobs=()).moved == 0


async def test_a_name_that_stands_for_nothing_makes_no_folder(
    client: Client, embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """What fails before anything is fetched leaves nothing, not even an empty layout."""
    before = names_in(tmp_path)
    out = await settle(pull(client, f"{embedded_registry.host}/none:1", oci_layout(tmp_path / "new")))
    assert isinstance(out, Err)
    assert names_in(tmp_path) == before
