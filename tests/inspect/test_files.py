"""The files of an image, as a container sees them."""

import asyncio
import gzip
import json
import os
import posixpath
import shutil
import tarfile
import tempfile
import tracemalloc
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp import (
    BadReference,
    Client,
    Digest,
    DigestMismatch,
    Err,
    InvalidImage,
    LimitExceeded,
    Misconfigured,
    NoSuchPlatform,
    NotFound,
    Ok,
    Op,
    Reason,
    Settings,
    TarUnreadable,
    connect,
    parse_digest,
    settle,
    unwrap,
)
from registry_fp.archive.layer_scan import LayerScan
from registry_fp.archive.source import DockerSave, any_archive
from registry_fp.pipelines.files import list_files, read_file
from registry_fp.testing import Corrupt, Fault, running_registry
from tests.copy.made import Made, image, index, put, sha256
from tests.inspect.layers import OPAQUE, file, folder, hardlink, member, saved, symlink, tar, zipped
from tests.place import Place
from tests.real.tool import Tool

T = TypeVar("T")

BASE = tar(
    folder("etc"),
    file("etc/os-release", b"ID=one\n", mode=0o600, uid=1000, gid=50),
    folder("usr"),
    folder("usr/bin"),
    file("usr/bin/sh", b"#!shell\n" * 1000),
    hardlink("usr/bin/bash", "usr/bin/sh"),
    symlink("bin", "usr/bin"),
    folder("var"),
    folder("var/cache"),
    file("var/cache/old", b"old"),
    file("gone", b"gone"),
)
CHANGE = tar(
    file("etc/os-release", b"ID=two\n"),
    file("etc/.wh.missing"),
    file(".wh.gone"),
    folder("var/cache"),
    file(f"var/cache/{OPAQUE}"),
    file("var/cache/new", b"new"),
    file("usr/bin/sh", b"#!another\n"),
    symlink("usr/bin/os", "/etc/os-release"),
    symlink("up", "../../../etc"),
)


async def _reason(op: Op[T]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_newer_layers_hide_what_is_beneath_them(client: Client, tmp_path: Path) -> None:
    """What was removed or replaced is in the image's bytes, and no container ever sees it."""
    source = saved(tmp_path / "app.tar", BASE, CHANGE)
    seen = {entry.path: entry for entry in await unwrap(list_files(client, source))}
    programs = ["usr/bin/bash", "usr/bin/os", "usr/bin/sh"]
    etc, var = ["etc", "etc/os-release"], ["var", "var/cache", "var/cache/new"]
    assert list(seen) == ["bin", *etc, "up", "usr", "usr/bin", *programs, *var]
    assert (seen["etc/os-release"].layer, seen["usr/bin/bash"].layer) == (1, 0)
    assert (seen["bin"].kind, seen["bin"].target) == ("symlink", "usr/bin")
    assert (seen["usr/bin/bash"].kind, seen["usr/bin/bash"].target) == ("hardlink", "usr/bin/sh")
    assert (seen["usr"].kind, seen["usr"].size) == ("folder", 0)


async def test_one_layer_is_shown_as_it_is(client: Client, tmp_path: Path) -> None:
    """With its owners, permissions and times, and with the marks by which it removes."""
    source = saved(tmp_path / "app.tar", BASE, CHANGE, compressed=True)
    old = {entry.path: entry for entry in await unwrap(list_files(client, source, layer=0))}
    release = old["etc/os-release"]
    assert (release.size, release.mode, release.uid, release.gid) == (7, 0o600, 1000, 50)
    assert (release.modified, release.layer, release.kind) == (1_700_000_000, 0, "file")
    new = await unwrap(list_files(client, source, layer=-1))
    assert [(entry.path, entry.kind) for entry in new if entry.kind in {"removed", "emptied"}] == [
        ("etc/missing", "removed"),
        ("gone", "removed"),
        ("var/cache", "emptied"),
    ]
    diff_id = parse_digest(sha256(CHANGE)).unwrap()
    assert await unwrap(list_files(client, source, layer=diff_id)) == new


@pytest.mark.parametrize("layer", [2, -3, parse_digest(sha256(b"")).unwrap()])
async def test_a_layer_that_is_not_there_is_refused(layer: int | Digest, client: Client, tmp_path: Path) -> None:
    """Instead of the listing of another one."""
    source = saved(tmp_path / "app.tar", BASE, CHANGE)
    assert isinstance(await _reason(list_files(client, source, layer=layer)), BadReference)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("etc/os-release", b"ID=two\n"),
        ("/etc/os-release", b"ID=two\n"),
        ("//etc/./os-release", b"ID=two\n"),
        ("usr/bin/sh", b"#!another\n"),
        ("usr/bin/bash", b"#!shell\n" * 1000),  # a second name keeps the content that it was made for
        ("bin/bash", b"#!shell\n" * 1000),
        ("bin/os", b"ID=two\n"),
        ("up/os-release", b"ID=two\n"),  # above the root is the root
        ("../../etc/os-release", b"ID=two\n"),
        ("bin/../bin/sh", b"#!another\n"),  # from where the link leads, as a container has it
        ("var/cache/new", b"new"),
    ],
)
async def test_a_file_is_read_as_a_container_reads_it(
    path: str, content: bytes, client: Client, tmp_path: Path
) -> None:
    """Links lead to files of the image, and never to those of this machine."""
    source = saved(tmp_path / "app.tar", BASE, CHANGE, compressed=True)
    assert await unwrap(read_file(client, source, path)) == content


@pytest.mark.parametrize("path", ["gone", "var/cache/old", "etc/missing", "etc/os-release/x", "nowhere/at/all", "a\0b"])
async def test_what_no_container_sees_is_not_found(path: str, client: Client, tmp_path: Path) -> None:
    """Even where its bytes are in an older layer."""
    assert isinstance(await _reason(read_file(client, saved(tmp_path / "app.tar", BASE, CHANGE), path)), NotFound)


async def test_what_has_no_content_is_named(client: Client, tmp_path: Path) -> None:
    """A folder, a device, a link that leads nowhere, and links that lead to each other."""
    device = member("dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3)
    odd = tar(folder("dev"), (device, b""), symlink("lost", "nowhere"), symlink("a", "b"), symlink("b", "a"))
    source = saved(tmp_path / "app.tar", BASE, odd)
    kinds = {"etc": "not a regular file", "/": "not a regular file", "dev/null": "not a regular file"}
    for path, kind in {**kinds, "lost": "broken link", "a": "link cycle"}.items():
        reason = await _reason(read_file(client, source, path))
        assert isinstance(reason, InvalidImage)
        assert reason.kind == kind


async def test_a_file_that_is_too_large_is_not_held(client: Client, tmp_path: Path) -> None:
    """The caller says how much memory a stranger's image may take."""
    source = saved(tmp_path / "app.tar", BASE)
    assert len(await unwrap(read_file(client, source, "usr/bin/sh", limit=8000))) == 8000
    assert await _reason(read_file(client, source, "usr/bin/sh", limit=7999)) == LimitExceeded("bytes in a file", 7999)
    assert await unwrap(read_file(client, saved(tmp_path / "e.tar", tar(file("e"))), "e", limit=0)) == b""
    assert isinstance(await _reason(read_file(client, source, "usr/bin/sh", limit=-1)), Misconfigured)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
async def test_every_form_of_a_tar_is_read(form: int, client: Client, tmp_path: Path) -> None:
    """Long names, large numbers, names that are absolute, climb out or are no UTF-8: as runtimes take them."""
    deep = "/".join(["a-folder-with-a-long-name"] * 8)
    members = [
        file(f"./{deep}/file", b"deep"),
        file("../../climbs", b"climbs"),
        file("twice", b"first"),
        file("twice", b"second"),
        file("empty"),
        file(b"caf\xe9".decode("utf-8", "surrogateescape"), b"latin"),
        symlink("link", "x" * 90),
    ]
    if form != tarfile.USTAR_FORMAT:
        members += [file("/absolute", b"absolute", uid=3_000_000_000), symlink("long", "y" * 300)]
    source = saved(tmp_path / "app.tar", tar(*members, form=form))
    found = {entry.path: entry for entry in await unwrap(list_files(client, source, layer=0))}
    assert await unwrap(read_file(client, source, f"{deep}/file")) == b"deep"
    assert await unwrap(read_file(client, source, "climbs")) == b"climbs"
    assert await unwrap(read_file(client, source, "twice")) == b"second"
    assert await unwrap(read_file(client, source, "caf\udce9")) == b"latin"
    assert found["link"].target == "x" * 90
    if form != tarfile.USTAR_FORMAT:
        assert await unwrap(read_file(client, source, "absolute")) == b"absolute"
        assert (found["absolute"].uid, found["long"].target) == (3_000_000_000, "y" * 300)


async def test_a_tar_without_padding_or_end_is_whole(client: Client, tmp_path: Path) -> None:
    """Some builders leave both away, and every runtime takes it."""
    whole = tar(file("first", b"1"), file("last", b"content"))
    short = whole[: whole.rindex(b"content") + len(b"content")]
    source = saved(tmp_path / "app.tar", short, b"")
    assert await unwrap(read_file(client, source, "last")) == b"content"
    assert [entry.path for entry in await unwrap(list_files(client, source))] == ["first", "last"]


@pytest.mark.parametrize("at", [20, 150_000])
async def test_a_damaged_layer_gives_no_file(at: int, client: Client) -> None:
    """What stands in a layer is believed when all of it is proven, and not before."""
    layer = gzip.compress(tar(file("early", b"early"), file("late", os.urandom(200_000))), 1, mtime=0)
    with running_registry() as registry:
        put(registry.host, "team/app", image(layer), "1.0")
        registry.set_faults(Fault(Corrupt(at), endpoint="end-2", path=sha256(layer)))
        reason = await _reason(read_file(client, f"{registry.host}/team/app:1.0", "early"))
        assert isinstance(reason, DigestMismatch | InvalidImage)
        registry.set_faults()
        assert await unwrap(read_file(client, f"{registry.host}/team/app:1.0", "early")) == b"early"


async def test_a_layer_that_is_another_than_the_configuration_says_is_refused(client: Client) -> None:
    """The digest proves what the registry keeps; the diff_id, what the image's builder meant."""
    meant, other = (gzip.compress(tar(file(name)), 1, mtime=0) for name in ("meant", "other"))
    made = image(meant)
    document = json.loads(made.raw)
    document["layers"] = [{**document["layers"][0], "digest": sha256(other), "size": len(other)}]
    with running_registry() as registry:
        lying = Made(made.media_type, json.dumps(document).encode(), {**made.blobs, sha256(other): other})
        put(registry.host, "team/app", lying, "1.0")
        reason = await _reason(list_files(client, f"{registry.host}/team/app:1.0"))
        assert isinstance(reason, InvalidImage)
        assert reason.kind == "diff_id mismatch"


async def test_what_is_no_tar_is_refused(client: Client) -> None:
    """An artifact's file is a layer too, by name; and a layer may be cut, or hostile."""
    name = tarfile.TarInfo("x" * 2_000_000)
    whole = tar(file("a", b"content" * 100))
    kinds = {
        b"just some text, and a lot of it " * 40: "not a tar",
        whole[:700]: "truncated",
        whole[:100]: "truncated",
        whole[:1536] + b"x" * 512: "bad header",
        name.tobuf(tarfile.GNU_FORMAT) + whole: "hostile header",
    }
    with running_registry() as registry:
        for position, (content, kind) in enumerate(kinds.items()):
            layer = gzip.compress(content, 1, mtime=0)
            put(registry.host, "team/app", image(layer), f"v{position}")
            reason = await _reason(list_files(client, f"{registry.host}/team/app:v{position}"))
            assert isinstance(reason, TarUnreadable), (kind, reason)
            assert reason.kind == kind


async def test_a_file_of_a_remote_image_is_read_without_the_layers_beneath_it(place: Place, client: Client) -> None:
    """Newest first: what is in the last layer costs that layer, however large the others are."""
    base, change = zipped(BASE, CHANGE)
    machine = {"amd64": "linux/amd64", "arm64": "linux/arm64"}
    other = image(*zipped(tar(file("etc/os-release", b"ID=plan9\n"))), platform="plan9/sparc64")
    many = index(other, *(image(base, change, platform=name) for name in machine.values()))
    put(place.host, place.path, many, "1.0")
    name = f"{place.repository}:1.0"
    if place.embedded is not None:
        place.embedded.reset_counts()
    assert await unwrap(read_file(client, name, "etc/os-release", platform="linux/amd64")) == b"ID=two\n"
    if place.embedded is not None:
        asked = [request.path for request in place.embedded.requests]
        assert not any(sha256(base) in path for path in asked)
        assert len(asked) == 4  # the index, the manifest, the configuration, one layer
    assert await unwrap(read_file(client, name, "bin/bash", platform="linux/amd64")) == b"#!shell\n" * 1000
    assert await unwrap(read_file(client, name, "etc/os-release", platform="plan9/sparc64")) == b"ID=plan9\n"
    seen = await unwrap(list_files(client, name, platform="linux/arm64", layer=parse_digest(sha256(change)).unwrap()))
    assert "usr/bin/os" in [entry.path for entry in seen]
    refused = await _reason(list_files(client, name, platform="linux/s390x"))
    assert isinstance(refused, NoSuchPlatform)
    assert refused.available == ("plan9/sparc64", "linux/amd64", "linux/arm64")


async def test_a_large_layer_costs_no_memory(client: Client, tmp_path: Path) -> None:
    """A listing holds names, and a file's content holds that file."""
    layer = tar(file("large", b"\0" * 64_000_000), file("small", b"small"))
    source = saved(tmp_path / "app.tar", layer, compressed=True)
    del layer
    tracemalloc.start()
    try:
        assert await unwrap(read_file(client, source, "small")) == b"small"
        assert [entry.size for entry in await unwrap(list_files(client, source))] == [64_000_000, 5]
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["umoci-oci", "skopeo.tar", "skopeo-oci.tar", "skopeo-zstd-oci"])
async def test_umoci_sees_the_same_files(
    name: str, client: Client, sample_archives: dict[str, Path], umoci: Tool, tmp_path: Path
) -> None:
    """An image of three layers with a removed file, unpacked by somebody else."""
    bundle = tmp_path / "bundle"
    await umoci("unpack", "--rootless", "--image", f"{sample_archives['umoci-oci']}:1.0", bundle)
    theirs = _unpacked(bundle / "rootfs")
    source = any_archive(sample_archives[name])
    ours = {entry.path: entry for entry in await unwrap(list_files(client, source))}
    assert set(ours) - {"."} == set(theirs)
    for path, their in theirs.items():
        if their.is_symlink():
            assert ours[path].target == str(their.readlink())
        elif their.is_file():
            assert await unwrap(read_file(client, source, path)) == their.read_bytes()
            assert ours[path].mode & 0o111 == their.stat().st_mode & 0o111


# A model of our own: each layer is unpacked into one folder of this machine over what is there, oldest first.
_NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
_THINGS = st.one_of(
    st.binary(max_size=8).map(lambda content: ("file", content)),
    st.just(("folder", b"")),
    st.sampled_from(["a", "b", "a/b", "/a/b", "/c"]).map(lambda target: ("symlink", target.encode())),
    st.just(("removed", b"")),
    st.just(("emptied", b"")),
)
_LAYERS = st.lists(st.dictionaries(_NAMES, _THINGS, max_size=6), min_size=1, max_size=4)


def _sound(layer: dict[str, tuple[str, bytes]]) -> dict[str, tuple[str, bytes]]:
    """Every entry has its folders, and nothing lies in what is no folder."""
    made: dict[str, tuple[str, bytes]] = {}
    for path in sorted(layer):
        above = [path.rsplit("/", count)[0] for count in range(path.count("/"), 0, -1)]
        if all(made.get(folder, ("folder", b""))[0] in {"folder", "emptied"} for folder in above):
            for folder in above:
                made.setdefault(folder, ("folder", b""))
            made[path] = layer[path]
    return made


def _tar_of(layer: dict[str, tuple[str, bytes]]) -> bytes:
    members = []
    for path, (kind, content) in layer.items():
        above, _, name = path.rpartition("/")
        match kind:
            case "file":
                members.append(file(path, content))
            case "symlink":
                members.append(symlink(path, content.decode()))
            case "removed":
                members.append(file(posixpath.join(above, f".wh.{name}")))
            case "emptied":
                members += [folder(path), file(f"{path}/{OPAQUE}")]
            case _:
                members.append(folder(path))
    return tar(*members)


def _unpack(root: Path, layer: dict[str, tuple[str, bytes]]) -> None:
    def clear(path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    for path, (kind, content) in layer.items():
        at = root / path
        if kind in {"folder", "emptied"}:
            if not at.is_dir() or at.is_symlink() or kind == "emptied":
                clear(at)
            at.mkdir(exist_ok=True)
            continue
        clear(at)
        if kind == "file":
            at.write_bytes(content)
        elif kind == "symlink":
            text = content.decode()
            at.symlink_to(root / text[1:] if text.startswith("/") else text)


@given(layers=_LAYERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_layers_are_seen_as_they_unpack(layers: list[dict[str, tuple[str, bytes]]], tmp_path: Path) -> None:
    """The operating system's own view of the unpacked layers, paths and links, is what we give."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as place:
        root = Path(place) / "1" / "2" / "3" / "root"  # where `..` leads out, there is nothing on this machine either
        root.mkdir(parents=True)
        sound = [_sound(layer) for layer in layers]
        for layer in sound:
            _unpack(root, layer)
        source = saved(Path(place) / "app.tar", *(_tar_of(layer) for layer in sound))
        asyncio.run(_compare(root, source))


def _unpacked(root: Path) -> dict[str, Path]:
    return {str(path.relative_to(root)): path for path in root.rglob("*")}


def _content(root: Path, path: str) -> bytes | None:
    """What opening a path gives on this machine; None where it gives no file."""
    at = root / path
    return at.read_bytes() if at.is_file() else None


async def _compare(root: Path, source: DockerSave) -> None:
    theirs = _unpacked(root)
    async with connect(Settings(cache=False)) as client:
        assert {entry.path for entry in await unwrap(list_files(client, source))} == set(theirs)
        for path in sorted({*theirs, "a/b/c", "c/a", "b"}):
            expected = _content(root, path)
            match await settle(read_file(client, source, path)):
                case Ok(content):
                    assert content == expected
                case Err(error):
                    assert isinstance(error.reason, NotFound | InvalidImage)
                    assert expected is None


@given(data=st.binary(max_size=2000), cut=st.integers(0, 4096), flip=st.integers(0, 4095))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_layer_or_are_refused(data: bytes, cut: int, flip: int) -> None:
    """Nothing in a layer raises, in whatever pieces it comes."""
    sound = bytearray(tar(folder("d"), file("d/f", b"content"), symlink("l" * 120, "t" * 200)))
    sound[flip % len(sound)] ^= 0x55
    for raw in (data, bytes(sound[:cut]), bytes(sound)):
        whole, pieces = LayerScan(0), LayerScan(0)
        first = whole.feed(raw)
        parts = (raw[at : at + 7] for at in range(0, len(raw), 7))
        assert first == next((fault for part in parts if (fault := pieces.feed(part)) is not None), None)
        if first is None:
            ends = whole.finish(), pieces.finish()
            assert is_successful(ends[0]) == is_successful(ends[1])
            assert not is_successful(ends[0]) or ends[0].unwrap().entries == ends[1].unwrap().entries
