"""Pulling files: all of them as they were pushed, or none; and never a byte outside the folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    Client,
    ConnectionLost,
    Descriptor,
    DigestMismatch,
    Err,
    InvalidImage,
    LocalIo,
    Settings,
    SizeMismatch,
    connect,
    parse_manifest,
    put_blob,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.errors import Misconfigured, Unsupported
from registry_fp.pipelines.artifact import push_artifact
from registry_fp.pipelines.artifact_file import ArtifactFile
from registry_fp.pipelines.artifact_pull import PullArtifactOptions, pull_artifact
from registry_fp.pipelines.event import BlobDone, Event
from registry_fp.testing import Answer, Corrupt, Drop, Fault
from tests.acceptance.reader import OCI
from tests.artifacts.conftest import INDEX, Site
from tests.artifacts.test_titles import HOSTILE
from tests.real.tool import Tool

TITLE = "org.opencontainers.image.title"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


async def artifact(client: Client, repository: str, layers: Sequence[tuple[str | None, bytes]], **more: Any) -> None:
    """An artifact, tagged `odd`, with any titles at all; the content of each layer is stored."""
    config = await unwrap(put_blob(client, repository, b"{}"))
    listed = []
    for title, content in layers:
        blob = await unwrap(put_blob(client, repository, content))
        entry = {"mediaType": "text/plain", "digest": str(blob.digest), "size": blob.size}
        listed.append(entry if title is None else {**entry, "annotations": {TITLE: title}})
    document = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(config.digest), "size": 2},
        "layers": listed,
        **more,
    }
    raw = json.dumps(document).encode()
    await unwrap(put_manifest(client, f"{repository}:odd", parse_manifest(raw).unwrap()))


async def test_the_files_come_back_as_they_were(site: Site, client: Client, files: list[Path], tmp_path: Path) -> None:
    """Under their titles, with the folders in between; what is hidden while it is fetched is gone."""
    named = [ArtifactFile(file, title=f"out/{number}/{file.name}") for number, file in enumerate(files)]
    pushed = await unwrap(push_artifact(client, named, f"{site.repository}:1"))
    seen: list[Event] = []
    options = PullArtifactOptions(on_event=seen.append)
    pulled = await unwrap(pull_artifact(client, f"{site.repository}:1", tmp_path / "new/folder", options=options))
    assert tree(tmp_path / "new/folder") == {
        f"out/{number}/{file.name}": file.read_bytes() for number, file in enumerate(files)
    }
    assert pulled.digest == pushed.digest
    assert [file.path for file in pulled.files] == [tmp_path / "new/folder" / str(name.title) for name in named]
    assert {event.outcome for event in seen if isinstance(event, BlobDone)} == {"fetched"}


async def test_what_a_killed_pull_left_is_removed_by_the_next(
    site: Site, client: Client, files: list[Path], tmp_path: Path
) -> None:
    """The kernel lets go of a killed process's lock; what another process still works on stays as it is."""
    await unwrap(push_artifact(client, files, f"{site.repository}:1.0"))
    folder = tmp_path / "folder"
    alive, killed = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.artifacts.held", str(folder), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        for process in (alive, killed):
            assert process.stdout is not None
            assert await process.stdout.readline() == b"staged\n"
        assert len(list(folder.iterdir())) == 2
        killed.kill()
        await killed.wait()
        await unwrap(pull_artifact(client, f"{site.repository}:1.0", folder))
        assert len([path for path in folder.iterdir() if path.name.endswith(".partial")]) == 1
    finally:
        alive.kill()
        await alive.wait()
    await unwrap(pull_artifact(client, f"{site.repository}:1.0", folder))
    assert tree(folder) == {file.name: file.read_bytes() for file in files}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


async def test_what_oras_pushed_comes_back_as_it_was(  # noqa: PLR0917  fixtures
    site: Site, client: Client, files: list[Path], tmp_path: Path, oras: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most artifacts were pushed by it."""
    monkeypatch.chdir(tmp_path / "files")
    names = [str(file.relative_to(tmp_path / "files")) for file in files]
    await oras("push", "--plain-http", f"{site.repository}:1", *names)
    await unwrap(pull_artifact(client, f"{site.repository}:1", tmp_path / "back"))
    assert tree(tmp_path / "back") == tree(tmp_path / "files")


async def test_files_that_are_there_are_replaced_and_others_stay(
    gated: Site, client: Client, files: list[Path], tmp_path: Path
) -> None:
    """A second pull is an update; a link in the place of a file is replaced itself, and what it led to stays."""
    await unwrap(push_artifact(client, files, f"{gated.repository}:1"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside").write_bytes(b"mine")
    (folder / "report.json").symlink_to(tmp_path / "outside")
    (folder / "empty").write_bytes(b"old")
    (folder / "other").write_bytes(b"other")
    await unwrap(pull_artifact(client, f"{gated.repository}:1", folder))
    assert tree(folder) == {"other": b"other", **{file.name: file.read_bytes() for file in files}}
    assert (tmp_path / "outside").read_bytes() == b"mine"


@pytest.mark.parametrize("title", HOSTILE[:-1], ids=ascii)
async def test_one_bad_title_and_nothing_is_fetched(title: str, gated: Site, client: Client, tmp_path: Path) -> None:
    """An artifact is a stranger's: it is judged as a whole, before a byte of it is on the disk."""
    assert gated.embedded is not None
    await artifact(client, gated.repository, [("good", b"1"), (title, b"2")])
    gated.embedded.reset_counts()
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert [seen.endpoint for seen in gated.embedded.requests] == ["end-3"]
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("titles", [("a", "a"), ("a", "./a"), ("a", "a/b")])
async def test_two_files_for_one_place_are_refused(
    titles: tuple[str, str], gated: Site, client: Client, tmp_path: Path
) -> None:
    """Which one it would be is nobody's to guess."""
    await artifact(client, gated.repository, [(titles[0], b"1"), (titles[1], b"2")])
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)


@pytest.mark.parametrize("depth", ["link/a", "real/link/deep/a"])
async def test_a_link_on_the_way_is_not_followed(depth: str, gated: Site, client: Client, tmp_path: Path) -> None:
    """Whoever can put a link into the folder would otherwise choose where the files go."""
    assert gated.embedded is not None
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    (folder / "real").mkdir(parents=True)
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "real/link").symlink_to(outside)
    await artifact(client, gated.repository, [("good", b"1"), (depth, b"2")])
    gated.embedded.reset_counts()
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", folder))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert "symbolic link" in out.error.reason.detail
    assert {seen.endpoint for seen in gated.embedded.requests} == {"end-3"}
    assert (tree(folder), tree(outside)) == ({}, {})


async def test_a_link_that_comes_during_the_pull_is_not_followed(gated: Site, client: Client, tmp_path: Path) -> None:
    """What was checked before may be something else when it is written."""
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    outside.mkdir()
    await artifact(client, gated.repository, [("deep/a", b"1")])

    async def exchanged(method: str, path: str) -> None:
        if "/blobs/" in path:
            (folder / "deep").symlink_to(outside)

    assert gated.gate is not None
    gated.gate.before = exchanged
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", folder))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert (tree(folder), tree(outside)) == ({}, {})


async def test_a_folder_or_a_file_in_the_way_is_told_before_anything_is_fetched(
    gated: Site, client: Client, tmp_path: Path
) -> None:
    """A folder is not replaced by a file, nor a file by a folder."""
    assert gated.embedded is not None
    (tmp_path / "folder/a").mkdir(parents=True)
    (tmp_path / "folder/b").write_bytes(b"")
    for title in ("a", "b/c"):
        await artifact(client, gated.repository, [(title, b"1")])
        gated.embedded.reset_counts()
        out = await settle(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "folder"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, LocalIo)
        assert {seen.endpoint for seen in gated.embedded.requests} == {"end-3"}
    assert tree(tmp_path / "folder") == {"b": b""}


@pytest.mark.parametrize("action", [Corrupt(3), Drop()], ids=["corrupt", "dropped"])
async def test_after_a_failure_nothing_is_seen_of_any_file(
    action: Corrupt | Drop, files: list[Path], gated: Site, tmp_path: Path
) -> None:
    """One file that is wrong, or cannot be had, takes the others with it: half an artifact is none."""
    assert gated.embedded is not None
    name = f"{gated.embedded.host}/{gated.path}:1"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/report.json").write_bytes(b"old")
    async with connect(Settings(retries=0)) as client:
        pushed = await unwrap(push_artifact(client, files, name))
        large = max(pushed.blobs, key=lambda blob: blob.descriptor.size)
        gated.embedded.set_faults(Fault(action, method="GET", path=large.descriptor.digest.hex))
        out = await settle(pull_artifact(client, name, tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, DigestMismatch if isinstance(action, Corrupt) else ConnectionLost)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["report.json"]
    assert tree(tmp_path / "folder") == {"report.json": b"old"}


@pytest.mark.parametrize("lie", [-1, +1])
async def test_a_size_that_is_not_true_is_found(lie: int, gated: Site, client: Client, tmp_path: Path) -> None:
    """A manifest that promises less than there is, or more, is not believed."""
    assert gated.embedded is not None
    await artifact(client, gated.repository, [("a", b"12345678")])
    shown = await gated.get("manifests/odd", Accept=OCI)
    lying = json.loads(shown.body)
    lying["layers"][0]["size"] += lie
    name = f"/v2/{gated.path}/manifests/odd"
    headers = {"Content-Type": OCI}
    gated.embedded.set_faults(Fault(Answer(200, headers, json.dumps(lying).encode()), method="GET", path=name))
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SizeMismatch), out
    assert tree(tmp_path / "folder") == {}


async def test_what_has_no_files_is_no_success(gated: Site, client: Client, tmp_path: Path) -> None:
    """An image pulled as an artifact would give an empty folder, and nobody would know why."""
    await artifact(client, gated.repository, [(None, b"1")])
    out = await settle(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    index = parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()).unwrap()
    await unwrap(put_manifest(client, f"{gated.repository}:index", index))
    out = await settle(pull_artifact(client, f"{gated.repository}:index", tmp_path / "folder"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)
    out = await settle(
        pull_artifact(client, f"{gated.repository}:odd", tmp_path, options=PullArtifactOptions(concurrency=0))
    )
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)


async def test_an_artifact_without_files_gives_none(gated: Site, client: Client, tmp_path: Path) -> None:
    """Some say all that they have to say in their annotations; a blob without a title beside others is told."""
    await unwrap(push_artifact(client, [], f"{gated.repository}:1"))
    assert (await unwrap(pull_artifact(client, f"{gated.repository}:1", tmp_path / "a"))).files == ()
    await artifact(client, gated.repository, [("a", b"1"), (None, b"2")])
    pulled = await unwrap(pull_artifact(client, f"{gated.repository}:odd", tmp_path / "b"))
    assert [file.title for file in pulled.files] == ["a"]
    assert [(type(blob), blob.size) for blob in pulled.untitled] == [(Descriptor, 1)]


async def test_a_cancelled_pull_leaves_nothing(gated: Site, client: Client, files: list[Path], tmp_path: Path) -> None:
    """Neither a file, nor what was hidden while it was fetched."""
    assert gated.gate is not None
    await unwrap(push_artifact(client, files, f"{gated.repository}:1"))
    begun = asyncio.Event()

    async def stop(method: str, path: str) -> None:
        if "/blobs/" in path:
            begun.set()
            await asyncio.Event().wait()

    gated.gate.before = stop
    job = asyncio.ensure_future(settle(pull_artifact(client, f"{gated.repository}:1", tmp_path / "folder")))
    await begun.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert list((tmp_path / "folder").iterdir()) == []


async def test_a_folder_that_cannot_be_had_is_told(gated: Site, client: Client, tmp_path: Path) -> None:
    """A file in its place, a name that is none."""
    await artifact(client, gated.repository, [("a", b"1")])
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file/below", "a\0b", ""):
        out = await settle(pull_artifact(client, f"{gated.repository}:odd", os.fspath(folder)))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, LocalIo)
