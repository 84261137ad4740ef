"""`tree`, `ls` and `cat`, as they are seen."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from registry_fp.cli.files import ImageChoice, ask_file, ask_files
from registry_fp.cli.options import ANY_REGISTRY, AS_TEXT, ShowOptions
from registry_fp.cli.tree import ask_tree
from registry_fp.testing import running_registry
from tests.copy.made import artifact, image, index, layer, put
from tests.inspect.layers import file, folder, hardlink, saved, symlink, tar

Capture = pytest.CaptureFixture[bytes]
JSON, NDJSON, QUIET = (ShowOptions(output=form) for form in ("json", "ndjson", "quiet"))


def test_a_tree_is_drawn(capfdbinary: Capture) -> None:
    """What belongs to what is seen at a glance, and every digest is there for whoever asks."""
    one = image(layer("one"), platform="linux/amd64")
    many = index(one, image(layer("two"), platform="linux/arm64/v8"))
    bill = artifact(one, "application/spdx+json", b"a bill of materials")
    with running_registry() as registry:
        name = f"{registry.host}/team/app:1.0"
        put(registry.host, "team/app", many, "1.0")
        put(registry.host, "team/app", bill)
        assert ask_tree(name, ANY_REGISTRY, AS_TEXT) == 0
        lines = capfdbinary.readouterr().out.decode().splitlines()
        assert lines[0].startswith(f"{name}  ")
        starts = ["index sha256:", "├── image linux/amd64 sha256:", "│   ├── config ", "│   ├── layer "]
        starts += ["│   └── <- artifact application/spdx+json ", "│       ├── config ", "│       └── layer "]
        starts += ["└── image linux/arm64/v8 ", "    ├── config ", "    └── layer "]
        assert [line.startswith(start) for line, start in zip(lines[1:], starts, strict=True)] == [True] * 10
        assert ask_tree(name, ANY_REGISTRY, QUIET, referrers=False) == 0
        digests = capfdbinary.readouterr().out.decode().split()
        assert digests == [many.digest, *dict.fromkeys(d for made in many.listed for d in (made.digest, *made.blobs))]
        assert ask_tree(f"{registry.host}/team/app:none", ANY_REGISTRY, JSON) == 66


def test_files_are_listed_and_shown(tmp_path: Path, capfdbinary: Capture) -> None:
    """As `ls` and `cat` would inside the container, and nothing in a name reaches the terminal raw."""
    old = tar(folder("etc"), file("etc/motd", b"hello\n", mode=0o640, uid=7), file("gone"))
    new = tar(symlink("m", "etc/motd"), hardlink("n", "m"), file(".wh.gone"), file("\x1b[2J", b"\x00\xff"))
    source = saved(tmp_path / "app.tar", old, new)
    choice = ImageChoice(source.path)
    assert ask_files(choice, None, ANY_REGISTRY, AS_TEXT) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0].endswith("            2 \\x1b[2J")
    assert lines[1].split() == ["drwxr-xr-x", "0:0", "0", "etc"]
    assert lines[2].split() == ["-rw-r-----", "7:0", "6", "etc/motd"]
    assert lines[3].split()[3:] == ["m", "->", "etc/motd"]
    assert lines[4].split()[3:] == ["n", "=", "m"]
    assert ask_files(choice, "-1", ANY_REGISTRY, NDJSON) == 0
    found = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [(each["path"], each["kind"], each["layer"]) for each in found][1] == ("gone", "removed", 1)
    assert ask_files(choice, "0", ANY_REGISTRY, QUIET) == 0
    assert capfdbinary.readouterr().out == b"etc\netc/motd\ngone\n"
    for layer_name, code in (("9", 2), ("newest", 2)):
        assert ask_files(choice, layer_name, ANY_REGISTRY, JSON) == code
        assert capfdbinary.readouterr().out == b""
    assert ask_file(choice, "\x1b[2J", ANY_REGISTRY, AS_TEXT) == 0
    assert capfdbinary.readouterr().out == b"\x00\xff"
    assert ask_file(choice, "/m", ANY_REGISTRY, JSON) == 0
    shown = json.loads(capfdbinary.readouterr().out)
    assert (b64decode(shown["base64"]), shown["size"], shown["path"]) == (b"hello\n", 6, "/m")
    assert ask_file(choice, "gone", ANY_REGISTRY, AS_TEXT) == 66
