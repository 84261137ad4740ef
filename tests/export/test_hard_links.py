"""Hard links: every name keeps the content that it was made for, whatever newer layers do to the others."""

import tracemalloc
from pathlib import Path

import pytest

from registry_fp import Client, InvalidImage, Unsupported, unwrap
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.export import export_files
from tests.export.trees import lay, members, tree, unpacked
from tests.inspect.layers import OPAQUE, file, folder, hardlink, saved, symlink, tar

BASE = tar(
    folder("bin"),
    file("bin/sh", b"#!shell\n" * 1000, mode=0o755),
    hardlink("bin/bash", "bin/sh"),
    hardlink("bin/zsh", "bin/sh"),
)

CASES = {
    "one that survives with its target stays one": ((), {"bin/sh": "", "bin/bash": "bin/sh", "bin/zsh": "bin/sh"}),
    "one whose target is removed has the content": (
        (tar(folder("bin"), file("bin/.wh.sh")),),
        {"bin/bash": "", "bin/zsh": "bin/bash"},
    ),
    "one whose target is replaced has the old content": (
        (tar(folder("bin"), file("bin/sh", b"new")),),
        {"bin/sh": "", "bin/bash": "", "bin/zsh": "bin/bash"},
    ),
    "one whose target became a folder has the content": (
        (tar(folder("bin"), folder("bin/sh"), file("bin/sh/f", b"f")),),
        {"bin/sh/f": "", "bin/bash": "", "bin/zsh": "bin/bash"},
    ),
    "one in a newer layer than its target links to it": (
        (tar(folder("bin"), hardlink("bin/a", "bin/zsh")),),
        {"bin/sh": "", "bin/a": "bin/sh", "bin/bash": "bin/sh", "bin/zsh": "bin/sh"},
    ),
    "one in a newer layer than its target, which is then replaced": (
        (tar(hardlink("other", "bin/bash")), tar(folder("bin"), file(f"bin/{OPAQUE}"), file("bin/sh", b"new"))),
        {"bin/sh": "", "other": ""},
    ),
    "one that is all that is left of its folder": ((tar(hardlink("kept", "bin/sh"), file(".wh.bin")),), None),
    "one that is replaced by a file is none": (
        (tar(folder("bin"), file("bin/bash", b"own")),),
        {"bin/sh": "", "bin/bash": "", "bin/zsh": "bin/sh"},
    ),
    "one to a file that its own layer replaces": (
        (tar(folder("bin"), file("bin/sh", b"new"), hardlink("bin/bash", "bin/sh")),),
        {"bin/sh": "", "bin/bash": "bin/sh", "bin/zsh": ""},
    ),
    "one to what its own layer replaces after it": (
        (tar(folder("bin"), hardlink("bin/a", "bin/sh"), file("bin/sh", b"new")),),
        {"bin/sh": "", "bin/a": "", "bin/bash": "bin/a", "bin/zsh": "bin/a"},
    ),
    "one to a symbolic link": (
        (tar(symlink("s", "bin/sh"), hardlink("t", "s")), tar(file(".wh.s"))),
        {"t": "", "bin/sh": "", "bin/bash": "bin/sh", "bin/zsh": "bin/sh"},
    ),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1] is not None])
async def test_a_hard_link(name: str, client: Client, tmp_path: Path) -> None:
    """Content is there once, first under a name that is left, and every name is the file that a container has."""
    newer, expected = CASES[name]
    layers = (BASE, *newer)
    await unwrap(export_files(client, saved(tmp_path / "app.tar", *layers), tmp_path / "root.tar"))
    (tmp_path / "truth").mkdir()
    for layer in layers:
        lay(tmp_path / "truth", layer)
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours") == tree(tmp_path / "truth")
    found = members(tmp_path / "root.tar")
    assert {path: each.linkname if each.islnk() else "" for path, each in found.items() if not each.isdir()} == expected


async def test_links_have_what_their_file_has(client: Client, tmp_path: Path) -> None:
    """An unpacker gives the file its owner again for each name, and capabilities do not outlive that."""
    said = {"pax_headers": {"SCHILY.xattr.security.capability": "\x01"}, "uid": 7, "mode": 0o4755}
    layer = tar(file("f", b"1", **said), hardlink("g", "f"))
    source = saved(tmp_path / "app.tar", layer, tar(file(".wh.f")), tar(hardlink("h", "g")))
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    found = members(tmp_path / "root.tar")
    assert list(found) == ["g", "h"]
    for each in found.values():
        assert (each.uid, each.mode) == (7, 0o4755)
        assert each.pax_headers["SCHILY.xattr.security.capability"] == "\x01"


@pytest.mark.parametrize("size", [1_000, 500_000])
async def test_links_do_not_repeat_what_only_their_file_needs(size: int, client: Client, tmp_path: Path) -> None:
    """A megabyte of attributes, once for each of a thousand names, would be a gigabyte made of some kilobytes."""
    said = {"pax_headers": {"SCHILY.xattr.user.x": "A" * size, "SCHILY.xattr.security.capability": "A" * size}}
    layer = tar(file("f", b"1", **said), *(hardlink(f"l{number}", "f") for number in range(1_000)))
    tracemalloc.start()
    try:
        await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()
    assert (tmp_path / "root.tar").stat().st_size < 2 * size + 1_000 * 512 + 8 * 1024
    assert len(members(tmp_path / "root.tar")) == 1_001


AMBIGUOUS = {
    "to a file that then changes": (file("f", b"1"), hardlink("g", "f"), file("f", b"2")),
    "to a file that then is a folder": (file("f", b"1"), hardlink("g", "f"), folder("f")),
    "to a file that stands there twice by another way": (
        *(folder("d"), symlink("s", "d"), file("d/f", b"1"), hardlink("g", "s/f"), file("d/f", b"2")),
    ),
    "in the place of a file": (file("f", b"1"), file("g", b"2"), hardlink("h", "g"), hardlink("g", "f")),
    "beneath a link that leads to two folders": (
        *(folder("d"), folder("e"), symlink("g", "d"), file("g/f", b"1"), symlink("g", "e")),
    ),
    "in a folder that is a file in between": (folder("g"), file("g/f", b"1"), file("g", b"2"), folder("g")),
    "beneath a link that then is a folder": (folder("d"), symlink("g", "d"), file("g/f", b"1"), folder("g")),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_a_link_that_depends_on_the_order_in_its_layer_is_refused(
    name: str, client: Client, tmp_path: Path
) -> None:
    """Of a path that stands in a layer twice only the last member is known, and what was linked is the first."""
    layers = (tar(file("f", b"old")), tar(*AMBIGUOUS[name]))
    out = await settle(export_files(client, saved(tmp_path / "app.tar", *layers), tmp_path / "root.tar"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)
    assert out.error.reason.what.partition(": ")[2] in {"g", "g/f", "h"}
    assert not (tmp_path / "root.tar").exists()


async def test_a_link_beside_a_folder_that_stands_there_twice_is_as_usual(client: Client, tmp_path: Path) -> None:
    """Builders write folders again and again."""
    layer = tar(folder("d"), file("d/f", b"1"), folder("d"), hardlink("d/g", "d/f"), folder("d", mode=0o700))
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert (found["d"].mode, found["d/g"].names) == (0o700, frozenset({"d/f", "d/g"}))


async def test_a_link_before_its_target_has_its_content(client: Client, tmp_path: Path) -> None:
    """Some builders sort their members by name."""
    layer = tar(hardlink("a", "b"), hardlink("b", "c"), file("c", b"content"))
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert {seen.content for seen in found.values()} == {b"content"}
    assert {seen.names for seen in found.values()} == {frozenset("abc")}


@pytest.mark.parametrize("target", ["nothing", "d", "d/../../nothing", "a"])
async def test_a_link_to_nothing_is_refused(target: str, client: Client, tmp_path: Path) -> None:
    """No runtime unpacks such an image."""
    source = saved(tmp_path / "app.tar", tar(folder("d"), hardlink("a", target)))
    out = await settle(export_files(client, source, tmp_path / "root.tar"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert (out.error.reason.kind, out.error.reason.member) == ("broken link", "a")
    assert not (tmp_path / "root.tar").exists()
