"""Hard links: every name keeps the content that it was made for, whatever newer layers do to the others."""

from pathlib import Path

import pytest

from registry_fp import Client, InvalidImage, unwrap
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
