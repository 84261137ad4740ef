"""Placing: files get their names all together or not at all, and no two of them get one name on any system."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from registry_fp import Client, Err, InvalidImage, LocalIo, PullArtifactOptions, pull_artifact, settle, unwrap
from registry_fp.archive.artifact_folder import OpenFolder, place_staged, stage, with_folder
from registry_fp.domain.title import distinct_titles
from registry_fp.effect.operation import Op
from registry_fp.effect.traverse import traverse
from registry_fp.pipelines.event import BlobDone, Event
from registry_fp.protocol.message import held_body
from registry_fp.testing import EmbeddedRegistry
from tests.artifacts.test_pull_artifact import artifact, tree

ONE_ON_SOME_SYSTEMS = [
    ("README", "readme"),
    ("a/B", "A/b"),
    ("caf\u00e9", "cafe\u0301"),  # the accent as its own character, as macOS writes it
    ("stra\u00dfe", "STRASSE"),
    ("\u212b", "\u00e5"),  # the sign of a unit, and the letter
    ("x", "X/y"),  # a file, and a folder
]


@pytest.mark.parametrize("titles", ONE_ON_SOME_SYSTEMS, ids=ascii)
async def test_titles_that_some_system_takes_for_one_are_refused_before_anything_is_fetched(
    titles: tuple[str, str], client: Client, tmp_path: Path
) -> None:
    """Elsewhere the second would replace the first, and what was checked is not what is there."""
    async with EmbeddedRegistry() as registry:
        repository = f"{registry.host}/team/app"
        await artifact(client, repository, [(title, title.encode()) for title in titles])
        registry.reset_counts()
        out = await settle(pull_artifact(client, f"{repository}:odd", tmp_path / "out"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, InvalidImage)
        assert out.error.reason.kind == "bad name"
        assert "\u0301" not in f"{out.error.reason.member} {out.error.reason.detail}"
        assert registry.counts().blob_bytes_out == 0
        assert not (tmp_path / "out").exists()


def test_titles_that_only_look_alike_are_two() -> None:
    """Other letters, other widths, other folders: no file system takes them for one."""
    titles = ("a", "\u0430", "\uff41", "b/a", "B/c", "i", "\u0131")
    assert distinct_titles(titles).unwrap() == titles


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A folder with things that an artifact has names for."""
    folder = tmp_path / "out"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "kept").write_bytes(b"what was there")
    (folder / "link").symlink_to("old/kept")
    return folder


def _looked_at(folder: Path) -> dict[str, tuple[int, str]]:
    """Every name below a folder, with what it is: its kind and mode, and its inode or target."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            str(path.readlink()) if path.is_symlink() else str(path.lstat().st_ino),
        )
        for path in sorted(folder.rglob("*"))
    }


async def test_where_the_last_name_cannot_be_given_nothing_has_changed(client: Client, standing: Path) -> None:
    """A folder came to be in the way while the files were fetched; who sees half an artifact has none."""
    layers = [("old/kept", b"new"), ("link", b"no link"), ("fresh/deep/file", b"x"), ("old/two", b"y"), ("last", b"z")]
    before = _looked_at(standing)
    async with EmbeddedRegistry() as registry:
        repository = f"{registry.host}/team/app"
        await artifact(client, repository, layers)

        def on_event(event: Event) -> None:
            if isinstance(event, BlobDone):
                (standing / "last").mkdir(exist_ok=True)

        options = PullArtifactOptions(on_event=on_event)
        out = await settle(pull_artifact(client, f"{repository}:odd", standing, options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, LocalIo)
        assert (standing / "last").is_dir()
        (standing / "last").rmdir()
        assert _looked_at(standing) == before
        assert (standing / "old/kept").read_bytes() == b"what was there"
        await unwrap(pull_artifact(client, f"{repository}:odd", standing))
        assert tree(standing) == dict(layers)


async def test_one_file_under_two_names_is_replaced_under_one(client: Client, standing: Path) -> None:
    """The other name belongs to somebody else, and keeps what it had."""
    os.link(standing / "old/kept", standing / "old/other")
    async with EmbeddedRegistry() as registry:
        repository = f"{registry.host}/team/app"
        await artifact(client, repository, [("old/kept", b"new")])
        await unwrap(pull_artifact(client, f"{repository}:odd", standing))
    assert tree(standing) == {"old/kept": b"new", "old/other": b"what was there"}


async def test_what_another_writer_put_there_meanwhile_stays(standing: Path) -> None:
    """Who gives up takes back its own files, and not those of whoever came after it."""
    names = [str(number) for number in range(200)]
    (standing / "in the way").mkdir()

    def placed(folder: OpenFolder) -> Op[None]:
        places = [*((name, f"placed/{name}") for name in names[:-1]), (names[-1], "in the way")]
        return traverse(names, lambda name: stage(folder, name, held_body(b"ours").open()), limit=1).bind(
            lambda _: place_staged(folder, places)
        )

    def other() -> None:
        (standing / "theirs").write_bytes(b"theirs")
        while not (standing / "placed/0").exists() and not placing.done():
            pass
        (standing / "placed").mkdir(exist_ok=True)
        (standing / "theirs").replace(standing / "placed/0")

    placing = asyncio.ensure_future(settle(with_folder(str(standing), placed)))
    await asyncio.to_thread(other)
    out = await placing
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, LocalIo)
    assert tree(standing / "placed") == {"0": b"theirs"}
