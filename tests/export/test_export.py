"""The file system of an image, as one tar."""

import gzip
import tarfile
import tempfile
from pathlib import Path

import pytest

from registry_fp import Client, docker_save, list_files, oci_layout, pull, unwrap
from registry_fp.archive.source import any_archive
from registry_fp.pipelines.export import export_files
from registry_fp.pipelines.image_view import ImageNoun
from registry_fp.testing import running_registry
from tests.copy.made import image, put
from tests.export.trees import content, lay, members, tree, unpacked, unpacked_by_nobody, write_layout
from tests.inspect.layers import OPAQUE, file, folder, hardlink, member, saved, symlink, tar, zipped
from tests.place import Place
from tests.real.tool import Tool

BASE = tar(
    folder("etc"),
    file("etc/os-release", b"ID=one\n", mode=0o600),
    folder("usr", mode=0o700),
    folder("usr/bin"),
    file("usr/bin/sh", b"#!shell\n" * 1000, mode=0o755),
    hardlink("usr/bin/bash", "usr/bin/sh"),
    symlink("bin", "usr/bin"),
    folder("var"),
    folder("var/cache"),
    file("var/cache/old", b"old"),
    folder("kind"),
    file("kind/was-a-folder", b"beneath"),
    file("gone", b"gone"),
)
CHANGE = tar(
    folder("etc"),
    file("etc/os-release", b"ID=two\n"),
    file("etc/.wh.missing"),
    file(".wh.gone"),
    folder("usr", mode=0o755),
    folder("var"),
    folder("var/cache"),
    file(f"var/cache/{OPAQUE}"),
    file("var/cache/new", b"new" * 700),
    symlink("kind", "etc"),
    symlink("up", "../../../etc"),
)


def _truth(root: Path, *layers: bytes) -> Path:
    root.mkdir()
    for layer in layers:
        lay(root, layer)
    return root


async def test_the_tar_is_what_a_container_sees(place: Place, client: Client, tmp_path: Path) -> None:
    """Newer layers replace and remove; marks, and what they are about, are not in it."""
    put(place.host, place.path, image(*zipped(BASE, CHANGE)), "1.0")
    done = await unwrap(export_files(client, f"{place.repository}:1.0", tmp_path / "root.tar"))
    truth = tree(_truth(tmp_path / "truth", BASE, CHANGE))
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours") == truth
    assert (done.entries, done.size) == (len(truth), (tmp_path / "root.tar").stat().st_size)
    assert done.path == str(tmp_path / "root.tar")
    assert done.name.startswith(place.repository)
    listed = {entry.path for entry in await unwrap(list_files(client, f"{place.repository}:1.0"))}
    assert set(members(tmp_path / "root.tar")) == listed


async def test_every_source_gives_the_same_bytes(client: Client, skopeo: Tool, tmp_path: Path) -> None:
    """Wherever the image lies and however its layers are packed; and again."""
    made = image(*zipped(BASE, CHANGE))
    layout = write_layout(tmp_path / "layout", made)
    await skopeo("copy", f"oci:{layout}:1.0", f"docker-archive:{tmp_path / 'skopeo.tar'}:app:1.0")
    with running_registry() as registry:
        put(registry.host, "app", made, "1.0")
        name = f"{registry.host}/app:1.0"
        await unwrap(pull(client, name, oci_layout(tmp_path / "pulled.tar")))
        sources: list[ImageNoun] = [
            *(name, name, saved(tmp_path / "plain.tar", BASE, CHANGE), oci_layout(layout)),
            *(saved(tmp_path / "packed.tar", BASE, CHANGE, compressed=True), docker_save(tmp_path / "skopeo.tar")),
            any_archive(tmp_path / "pulled.tar"),
        ]
        found = set()
        for source in sources:
            await unwrap(export_files(client, source, tmp_path / "root.tar"))
            found.add((tmp_path / "root.tar").read_bytes())
    assert len(found) == 1


async def test_everything_that_is_said_of_a_file_is_kept(client: Client, tmp_path: Path) -> None:
    """Owners by number and by name, times with fractions, extended attributes of any bytes, devices, pipes."""
    capability = b"\x01\x00\x00\x02\x00\x20\xff\x00".decode("utf-8", "surrogateescape")
    pax = {
        "mtime": "1700000000.123456789",
        "SCHILY.xattr.security.capability": capability,
        "LIBARCHIVE.xattr.user.x": "eA==",
    }
    owned = {"uid": 1000, "gid": 50, "uname": "user", "gname": "staff"}
    layer = tar(
        folder("d", mode=0o1777, pax_headers={"SCHILY.xattr.user.a": "b"}, **owned),
        file("d/run", b"#!", mode=0o4750, pax_headers=pax, **owned),
        (member("d/null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), b""),
        (member("d/disk", tarfile.BLKTYPE, devmajor=259, devminor=70_000, mode=0o660), b""),
        (member("d/pipe", tarfile.FIFOTYPE, mode=0o600), b""),
        symlink("d/link", "caf\udce9/" + "x" * 200),
        file("d/caf\udce9", b"latin"),
        file("d/café", b"utf-8"),
        file("d/" + "n" * 180, b"long"),
        file("d/rich", uid=3_000_000_000, gid=2_097_152, uname="ü" * 20),
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    (tmp_path / "layer.tar").write_bytes(layer)
    ours, theirs = members(tmp_path / "root.tar"), members(tmp_path / "layer.tar")
    assert list(ours) == list(theirs)
    for name, their in theirs.items():
        facts = ("type", "mode", "uid", "gid", "uname", "gname", "mtime", "size", "linkname", "devmajor", "devminor")
        assert [getattr(ours[name], fact) for fact in facts] == [getattr(their, fact) for fact in facts]
    assert {key: ours["d/run"].pax_headers[key] for key in pax} == pax
    assert ours["d"].pax_headers["SCHILY.xattr.user.a"] == "b"
    assert content(tmp_path / "root.tar", "d/caf\udce9") == b"latin"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
async def test_every_form_of_a_layer_becomes_the_same_one(form: int, client: Client, tmp_path: Path) -> None:
    """What one form says in base 256, or in a member of its own, the standard form says in records."""
    early = {"mtime": -5_000} if form == tarfile.GNU_FORMAT else {}
    deep = "/".join(["a-folder-with-a-long-name"] * 5)
    layer = tar(
        file(f"{deep}/file", b"deep", **early),
        symlink("link", "t" * 90),
        *(() if form == tarfile.USTAR_FORMAT else (file("n" * 300, b"", uid=3_000_000_000), symlink("l", "t" * 300))),
        form=form,
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    ours = members(tmp_path / "root.tar")
    assert ours[f"{deep}/file"].mtime == early.get("mtime", 1_700_000_000)
    assert ours["link"].linkname == "t" * 90
    assert b"././@LongLink" not in (tmp_path / "root.tar").read_bytes()
    if form != tarfile.USTAR_FORMAT:
        assert (ours["n" * 300].uid, ours["l"].linkname) == (3_000_000_000, "t" * 300)


async def test_names_stay_in_the_image(client: Client, tmp_path: Path) -> None:
    """Whoever unpacks the tar writes below one folder, whatever the layers say."""
    layer = tar(
        *(file("../../climbs", b"1"), file("/absolute", b"2"), folder("d"), symlink("d/out", "/etc")),
        *(file("d/out/passwd", b"3"), hardlink("second", "/../climbs")),
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    assert list(members(tmp_path / "root.tar")) == ["etc", "climbs", "second", "absolute", "d", "d/out", "etc/passwd"]
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours")["etc/passwd"].content == b"3"


async def test_a_folder_has_what_the_newest_layer_says_and_none_is_left_out(client: Client, tmp_path: Path) -> None:
    """Builders write folders again and again, or never; an unpacker must not have to guess."""
    old = tar(folder("a", mode=0o700, uid=1), file("a/f", b"1"), file("b/c/f", b"2"), folder(".", mode=0o711))
    new = tar(folder("a", mode=0o755, uid=2), file("a/g", b"3"), file("d/.wh.none"))
    await unwrap(export_files(client, saved(tmp_path / "app.tar", old, new), tmp_path / "root.tar"))
    ours = members(tmp_path / "root.tar")
    assert list(ours) == ["b", "b/c", "a/f", "b/c/f", "a", "a/g", "."]
    assert (ours["a"].mode, ours["a"].uid, ours["b/c"].mode, ours["."].mode) == (0o755, 2, 0o755, 0o711)
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours")["a"].mode == 0o755


async def test_of_a_path_that_stands_twice_in_a_layer_the_last_counts(client: Client, tmp_path: Path) -> None:
    """As for whoever unpacks the layer."""
    layer = tar(
        *(file("f", b"first" * 200), file("f", b"second"), file("g", b"other"), file("f", b"third")),
        *(folder("k"), file("k/below"), file("k", b"a file")),
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert {name: seen.content for name, seen in found.items()} == {"f": b"third", "g": b"other", "k": b"a file"}


@pytest.mark.parametrize("mode", [0o755, 0o555])
async def test_a_folder_that_newer_layers_write_into_stands_behind_what_they_write(
    mode: int, client: Client, tmp_path: Path
) -> None:
    """Who is not root cannot write into a folder once it is read-only, and the folder would lose its time."""
    layers = (
        tar(*(folder(name, mode=mode) for name in ("a", "a/b", "a/b/c", "d")), file("d/f", b"1"), file("z", b"2")),
        tar(file("a/b/c/f", b"3"), hardlink("e/z", "z"), folder("e", mode=mode)),
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", *layers), tmp_path / "root.tar"))
    assert list(members(tmp_path / "root.tar")) == [
        *("d", "d/f", "z", "e/z", "a/b/c/f"),
        *("e", "a/b/c", "a/b", "a"),
    ]
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert {name: found[name].mode for name in ("a", "a/b", "a/b/c", "d", "e")} == dict.fromkeys(
        ("a", "a/b", "a/b/c", "d", "e"), mode
    )
    assert {(tmp_path / "ours" / name).stat().st_mtime for name in found} == {1_700_000_000}


async def test_anyone_can_unpack_folders_that_nobody_may_write_into(client: Client, tmp_path: Path) -> None:
    """As in a build that runs without root."""
    source = saved(
        tmp_path / "app.tar", tar(folder("a", mode=0o555), folder("a/b", mode=0o555)), tar(file("a/b/f", b"1"))
    )
    await unwrap(export_files(client, source, tmp_path / "root.tar"))
    with tempfile.TemporaryDirectory() as place:
        assert unpacked_by_nobody(tmp_path / "root.tar", Path(place)) == ""
        assert (Path(place) / "a/b/f").read_bytes() == b"1"


async def test_what_no_unpacker_can_take_is_left_out(client: Client, tmp_path: Path) -> None:
    """A number that no system has, an attribute without a name, a word that only its writer knew."""
    odd = {
        "uid": "9" * 40,
        "gid": "4294967295",
        "mtime": "9" * 40,
        "atime": "-9223372036854775809",
        "ctime": "x",
        "hdrcharset": "foo",
        "SCHILY.xattr.": "q",
        "LIBARCHIVE.creationtime": "1",
        "VENDOR.word": "1",
        "SCHILY.xattr.user.kept": "yes",
        "comment": "kept",
    }
    junk = member("dev", tarfile.CHRTYPE, mode=0o600)
    raw = bytearray(junk.tobuf(tarfile.USTAR_FORMAT))
    raw[329:345] = b"zzzzzzz\0\x80\xff\xff\xff\xff\xff\xff\xff"
    raw[148:156] = b"%06o\0 " % (256 + sum(raw[:148]) + sum(raw[156:]))
    layer = bytes(raw) + tar(file("f", b"1", pax_headers=odd), file("g", b"2", pax_headers={"uid": "4294967294"}))
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    found = members(tmp_path / "root.tar")
    assert found["f"].pax_headers == {"SCHILY.xattr.user.kept": "yes", "comment": "kept"}
    assert (found["f"].uid, found["f"].gid, found["g"].uid) == (0, 0, 4294967294)
    assert (found["dev"].devmajor, found["dev"].devminor) == (0, 0)
    with tempfile.TemporaryDirectory() as place:
        nodes = tar(file(".wh.dev"))  # only root can make one
        await unwrap(export_files(client, saved(tmp_path / "app.tar", layer, nodes), tmp_path / "root.tar"))
        assert unpacked_by_nobody(tmp_path / "root.tar", Path(place)) == ""


@pytest.mark.parametrize("at", [(108, 116, b"\x80\x40"), (136, 148, b"\xff\x80")])
async def test_numbers_of_base_256_that_no_system_has_are_0(
    at: tuple[int, int, bytes], client: Client, tmp_path: Path
) -> None:
    """An owner of 2^62, or a time before there was a world."""
    begin, end, first = at
    raw = bytearray(tar(file("f", b"1")))
    raw[begin:end] = first.ljust(end - begin, b"\0")
    raw[148:156] = b"%06o\0 " % (256 + sum(raw[:148]) + sum(raw[156:512]))
    await unwrap(export_files(client, saved(tmp_path / "app.tar", bytes(raw)), tmp_path / "root.tar"))
    found = members(tmp_path / "root.tar")["f"]
    assert (found.uid, found.pax_headers) == (0, {})
    assert found.mtime in {0, 1_700_000_000}


async def test_an_image_without_files_is_an_empty_tar(client: Client, tmp_path: Path) -> None:
    """There are such images, and they are sound."""
    source = saved(tmp_path / "app.tar", tar(file("f")), tar(file(".wh.f")))
    done = await unwrap(export_files(client, source, tmp_path / "root.tar"))
    assert (done.entries, (tmp_path / "root.tar").read_bytes()) == (0, bytes(1024))


@pytest.mark.parametrize("name", ["umoci-oci", "skopeo.tar", "skopeo-zstd-oci"])
async def test_umoci_unpacks_the_same_tree(
    name: str, client: Client, sample_archives: dict[str, Path], umoci: Tool, tmp_path: Path
) -> None:
    """An image of somebody else, unpacked by somebody else."""
    await umoci("unpack", "--rootless", "--image", f"{sample_archives['umoci-oci']}:1.0", tmp_path / "bundle")
    await unwrap(export_files(client, any_archive(sample_archives[name]), tmp_path / "root.tar"))
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours") == tree(tmp_path / "bundle" / "rootfs")


async def test_umoci_follows_the_same_links_to_folders(client: Client, umoci: Tool, tmp_path: Path) -> None:
    """A newer layer may speak of `lib` where an older one made it a link: then it is where the link leads."""
    layers = [
        tar(
            *(folder("usr"), folder("usr/lib"), symlink("lib", "usr/lib"), symlink("lib64", "/lib")),
            *(file("usr/lib/old", b"1"), file("usr/lib/gone", b"2"), folder("x"), symlink("y", "x"), file("x/f")),
        ),
        tar(file("lib/new", b"3"), file("lib/.wh.gone"), hardlink("lib64/also", "lib/old")),
        tar(file("lib64/new", b"4"), folder("y"), file("y/g", b"5"), symlink("usr/lib/s", "../../none")),
    ]
    layout = write_layout(tmp_path / "layout", image(*(gzip.compress(each, mtime=0) for each in layers)))
    await umoci("unpack", "--rootless", "--image", f"{layout}:1.0", tmp_path / "bundle")
    await unwrap(export_files(client, oci_layout(layout), tmp_path / "root.tar"))
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert found == tree(tmp_path / "bundle" / "rootfs")
    assert {"usr/lib/new", "usr/lib/also", "y/g", "x/f"} <= set(found)
    assert "usr/lib/gone" not in found
