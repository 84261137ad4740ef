"""The file system of an image, as one tar."""

import gzip
import tarfile
from pathlib import Path

import pytest

from registry_fp import Client, docker_save, list_files, oci_layout, pull, unwrap
from registry_fp.archive.source import any_archive
from registry_fp.pipelines.export import export_files
from registry_fp.pipelines.image_view import ImageNoun
from registry_fp.testing import running_registry
from tests.copy.made import image, put
from tests.export.trees import content, lay, members, tree, unpacked, write_layout
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
    assert list(ours) == ["b", "b/c", "a/f", "b/c/f", ".", "a", "a/g"]
    assert (ours["a"].mode, ours["a"].uid, ours["b/c"].mode, ours["."].mode) == (0o755, 2, 0o755, 0o711)
    assert unpacked(tmp_path / "root.tar", tmp_path / "ours")["a"].mode == 0o755


async def test_of_a_path_that_stands_twice_in_a_layer_the_last_counts(client: Client, tmp_path: Path) -> None:
    """As for whoever unpacks the layer; what it links to is also the last."""
    layer = tar(
        *(file("f", b"first" * 200), hardlink("g", "f"), file("f", b"second"), file("f", b"third")),
        *(folder("k"), file("k/below"), file("k", b"a file")),
    )
    await unwrap(export_files(client, saved(tmp_path / "app.tar", layer), tmp_path / "root.tar"))
    found = unpacked(tmp_path / "root.tar", tmp_path / "ours")
    assert {name: seen.content for name, seen in found.items()} == {"f": b"third", "g": b"third", "k": b"a file"}


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
