"""Layers that cost a few kilobytes on the wire, and gigabytes or minutes to whoever looks into them unprepared."""

import tarfile
from pathlib import Path

import pytest

from registry_fp import Client, settle, unwrap
from registry_fp.archive import layer_scan
from registry_fp.archive.source import DockerSave
from registry_fp.domain.errors import InvalidImage, LimitExceeded, TarUnreadable
from registry_fp.effect.exits import Err
from registry_fp.effect.operation import Op
from registry_fp.pipelines import file_lookup
from registry_fp.pipelines.export import export_files
from registry_fp.pipelines.files import list_files, read_file
from tests.inspect.layers import file, folder, saved, symlink, tar


async def _reason(op: Op[object]) -> object:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _pax(key: str, size: int) -> bytes:
    """An extended header with one record that says nothing about files."""
    body = f" {key}=".encode() + b"v" * size + b"\n"
    record = str(len(body) + 6).encode() + body  # the length counts itself: six digits
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(record)
    return header.tobuf(tarfile.USTAR_FORMAT) + record + bytes(-len(record) % 512)


async def test_one_name_does_not_make_gigabytes_of_folders(client: Client, tmp_path: Path) -> None:
    """Each folder above a file has a name of its own, so that they grow with the square of the name's length."""
    source = saved(tmp_path / "app.tar", tar(file("a/" * 250_000 + "x", b"1")), compressed=True)
    for op in (list_files(client, source, layer=0), read_file(client, source, "x")):
        assert isinstance(await _reason(op.map(lambda found: found)), LimitExceeded)


async def test_what_stands_before_one_member_is_bounded(client: Client, tmp_path: Path) -> None:
    """All of it is kept until the member comes, and there can be any number of headers before it."""
    flood = b"".join(_pax(f"k{number}", 900_000) for number in range(5))
    reason = await _reason(list_files(client, saved(tmp_path / "app.tar", flood + tar(file("f")))))
    assert isinstance(reason, TarUnreadable)
    assert reason.kind == "hostile header"


async def test_several_headers_before_one_member_are_no_attack(client: Client, tmp_path: Path) -> None:
    """The limit is for one member: many that have a long header each are as usual."""
    many = b"".join(_pax("comment", 900_000) + tar(file(f"f{number}"))[:512] for number in range(6))
    found = await settle(list_files(client, saved(tmp_path / "app.tar", many)))
    assert not isinstance(found, Err)
    assert len(found.value) == 6


async def test_a_link_that_no_kernel_follows_is_not_followed(client: Client, tmp_path: Path) -> None:
    """A target of a megabyte, followed forty times, keeps a process busy for minutes."""
    layer = tar(folder("b"), symlink("a", "b/../" * 1_000 + "a"), file("b/x", b"1"))
    reason = await _reason(read_file(client, saved(tmp_path / "app.tar", layer), "a/x"))
    assert reason == InvalidImage("broken link", "a/x", "a target of 5001 characters")


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "./.wh..", "d/.wh.", "d/.wh..", "d/.wh..."])
async def test_a_mark_that_names_nothing_hides_nothing(name: str, client: Client, tmp_path: Path) -> None:
    """What is left of its name is the folder itself, or the one above it: no builder means that."""
    source = saved(tmp_path / "app.tar", tar(folder("d"), file("d/kept", b"1")), tar(file(name), file("new", b"2")))
    assert [entry.path for entry in await unwrap(list_files(client, source))] == ["d", "d/kept", "new"]
    assert [entry.path for entry in await unwrap(list_files(client, source, layer=1))] == ["new"]
    assert await unwrap(read_file(client, source, "d/kept")) == b"1"
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    with tarfile.open(tmp_path / "root.tar") as root:
        assert sorted(root.getnames()) == ["d", "d/kept", "new"]


_FLOODS = {
    "entries": [[file(f"{layer}-{number}") for number in range(40)] for layer in range(3)],
    "marks": [[file(f".wh.{number}") for number in range(40)] for _ in range(3)],
    "repeats": [[file("same") for _ in range(40)] for _ in range(3)],
}


@pytest.mark.parametrize("kind", _FLOODS)
async def test_all_layers_together_have_so_many_entries(
    kind: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks and repeats cost memory, too, and an image has any number of layers."""
    source = saved(tmp_path / "app.tar", tar(file("first")), *(tar(*each) for each in _FLOODS[kind]))
    assert await _asked(client, source, tmp_path) == []
    for module in (layer_scan, file_lookup):
        monkeypatch.setattr(module, "ENTRIES_LIMIT", 100)
    found = LimitExceeded("entries in the layers of an image", 100)
    assert await _asked(client, source, tmp_path) == [found] * 3


async def test_all_layers_together_have_so_many_characters(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long name packs well: a hundred layers of them are a few megabytes."""
    source = saved(tmp_path / "app.tar", tar(file("first")), *(tar(file(f"{at}" + "n" * 4_000)) for at in range(3)))
    assert await _asked(client, source, tmp_path) == []
    for module in (layer_scan, file_lookup):
        monkeypatch.setattr(module, "NAMES_LIMIT", 10_000)
    found = LimitExceeded("characters of names in the layers of an image", 10_000)
    assert await _asked(client, source, tmp_path) == [found] * 3


async def _asked(client: Client, source: DockerSave, tmp_path: Path) -> list[object]:
    """What is wrong with an image for each that looks into it; it has the file `first`, in its oldest layer."""
    outs = [
        await settle(list_files(client, source)),
        await settle(read_file(client, source, "first")),
        await settle(export_files(client, source, tmp_path / "root.tar")),
    ]
    return [out.error.reason for out in outs if isinstance(out, Err)]
