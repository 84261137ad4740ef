"""Archives that are wrong in one thing each, and what is said about each of them.

The outcomes are pinned: a change of one is a change of behaviour that somebody's script may depend on.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest

from registry_fp.archive.docker_save import SavedImage
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, TarUnreadable, Unsupported
from tests.archive.opening import image_of, reason_of
from tests.archive.tars import END, Save, config, header, long_name, member, padded, pax, record
from tests.codec.streams import packed

GOOD = Save()
WHOLE = bytes(GOOD)
ONE, TWO = GOOD.layers
HEX = "0" * 64


def _flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes((content[position] ^ 1,)) + content[position + 1 :]


def _link(name: str, target: str, kind: bytes = b"2") -> bytes:
    return header(name.encode(), kind=kind, link=target.encode())


def _chain(length: int) -> bytes:
    steps = [_link(f"link{number}", f"link{number + 1}") for number in range(length - 1)]
    return b"".join([*steps, _link(f"link{length - 1}", "01/layer.tar")])


def _linked(name: str, *links: bytes) -> Save:
    """The second layer is reached by another name."""
    return GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", name]}], after=b"".join(links))


def _sized(size_field: bytes) -> bytes:
    return bytes(GOOD.but(before=header(b"first", size_field=size_field)))


def _deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def _pax_named(layer_name: str, records: dict[str, str]) -> Save:
    """The second layer has its name from a pax header."""
    renamed = pax(records) + member("ignored", TWO)
    return GOOD.but(layer_names=("00/layer.tar", layer_name), without=frozenset({layer_name}), after=renamed)


ACCEPTED: dict[str, bytes] = {
    "as Docker writes it": WHOLE,
    "without the end marker": GOOD.members(),
    "with one block of end marker": GOOD.members() + bytes(512),
    "with a part of a block of zeros at the end": GOOD.members() + bytes(100),
    "with blocks of padding at the end": WHOLE + bytes(20 * 512),
    "with garbage behind the end": WHOLE + b"garbage",
    "gzip": gzip.compress(WHOLE),
    "gzip in two members": gzip.compress(WHOLE[:2000]) + gzip.compress(WHOLE[2000:]),
    "zstd": packed("zstd", WHOLE),
    "xz": lzma.compress(WHOLE),
    "bzip2": bz2.compress(WHOLE),
    "names that begin with ./": bytes(
        GOOD.but(
            manifest=[{**GOOD.entry, "Config": f"./{GOOD.named_config}"}],
            without=frozenset({"01/layer.tar"}),
            after=header(b"./", kind=b"5") + member("./01//layer.tar", TWO),
        )
    ),
    "a name in two parts": bytes(
        GOOD.but(without=frozenset({"01/layer.tar"}), after=member("layer.tar", TWO, prefix=b"01"))
    ),
    "a long name": bytes(
        GOOD.but(
            layer_names=("00/layer.tar", "n" * 300),
            without=frozenset({"n" * 300}),
            after=long_name(b"n" * 300) + member("short", TWO),
        )
    ),
    "a pax path": bytes(_pax_named("p" * 300, {"path": "p" * 300, "mtime": "1.5"})),
    "a pax size": bytes(
        GOOD.but(
            without=frozenset({"01/layer.tar"}),
            after=pax({"size": str(len(TWO))}) + header(b"01/layer.tar", 0) + padded(TWO),
        )
    ),
    "a harmless pax record twice": bytes(GOOD.but(before=pax(record("comment", "a") + record("comment", "b")))),
    "a global pax header with a comment": bytes(GOOD.but(before=pax({"comment": "made by git archive"}, b"g"))),
    "a size in base 256": bytes(
        GOOD.but(
            without=frozenset({"01/layer.tar"}),
            after=header(b"01/layer.tar", size_field=b"\x80" + len(TWO).to_bytes(11, "big")) + padded(TWO),
        )
    ),
    "a size padded with spaces": bytes(
        GOOD.but(
            without=frozenset({"01/layer.tar"}),
            after=header(b"01/layer.tar", size_field=b"%11o " % len(TWO)) + padded(TWO),
        )
    ),
    "a sparse file that no image needs": bytes(
        GOOD.but(before=header(b"sparse", 512, kind=b"S", magic=b"ustar  \x00") + bytes(512))
    ),
    "an old sparse file with a longer map": bytes(
        GOOD.but(
            before=header(b"sparse", 512, kind=b"S", magic=b"ustar  \x00", tail=b"\x01" + bytes(29))
            + (bytes(504) + b"\x01" + bytes(7))
            + bytes(512)
            + bytes(512)
        )
    ),
    "a device, a pipe and a folder that no image needs": bytes(
        GOOD.but(before=b"".join(header(b"x" + kind, kind=kind) for kind in (b"3", b"4", b"5", b"6", b"Z")))
    ),
    "a folder of the oldest kind": bytes(GOOD.but(before=header(b"old/", kind=b"\0"))),
    "a folder that claims a size": bytes(GOOD.but(before=header(b"00/", 4096, kind=b"5"))),
    "a repeated layer as a symlink": bytes(_linked("02/layer.tar", _link("02/layer.tar", "../01/layer.tar"))),
    "a repeated layer as a hard link": bytes(_linked("02/layer.tar", _link("02/layer.tar", "01/layer.tar", b"1"))),
    "a link that claims a size": bytes(
        _linked("02/layer.tar", header(b"02/layer.tar", 10**9, kind=b"2", link=b"../01/layer.tar"))
    ),
    "a symlink to a later member": bytes(
        GOOD.but(
            manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", "link"]}],
            before=_link("link", "01/layer.tar"),
        )
    ),
    "a chain of 40 links": bytes(_linked("link0", _chain(40))),
    "the same manifest.json twice": bytes(GOOD.but(after=member("manifest.json", GOOD.raw_manifest))),
    "the same configuration twice": bytes(GOOD.but(after=member(GOOD.named_config, GOOD.raw_config))),
    "the same layer twice": bytes(GOOD.but(after=member("01/layer.tar", TWO))),
    "a member that nobody needs twice": bytes(GOOD.but(after=member("a", b"1") + member("a", b"2"))),
    "one layer at two places": bytes(GOOD.but(layers=(ONE, ONE))),
    "one member for two layers": bytes(
        GOOD.but(
            layers=(ONE, ONE),
            manifest=[{**GOOD.but(layers=(ONE, ONE)).entry, "Layers": ["00/layer.tar", "00/layer.tar"]}],
        )
    ),
    "an empty layer": bytes(GOOD.but(layers=(ONE, END))),
    "a layer of nothing at all": bytes(GOOD.but(layers=(ONE, b""))),
    "no tags": bytes(GOOD.but(tags=None)),
    "an empty list of tags": bytes(GOOD.but(tags=())),
    "fields that nobody knows": bytes(GOOD.but(manifest=[{**GOOD.entry, "Parent": "x", "LayerSources": None}])),
    "a configuration whose name is no digest": bytes(GOOD.but(config_name="config.json")),
    "a configuration whose name is a digest with its algorithm": bytes(
        GOOD.but(config_name=str(digest_of(GOOD.raw_config)))
    ),
    "an image without layers": bytes(GOOD.but(layers=(), manifest=[{**GOOD.but(layers=()).entry, "Layers": None}])),
    "a backslash in a name": bytes(GOOD.but(before=member("a\\b"))),
    "names that differ in case": bytes(GOOD.but(before=member("MANIFEST.JSON") + member("01/LAYER.TAR"))),
}

REFUSED: dict[str, tuple[bytes, Reason]] = {
    # The container.
    "nothing": (b"", TarUnreadable("empty")),
    "one byte": (b"x", TarUnreadable("not a tar")),
    "511 bytes": (WHOLE[:511], TarUnreadable("not a tar")),
    "no tar": (b"PK\x03\x04" * 1000, TarUnreadable("not a tar")),
    "no tar, compressed": (gzip.compress(b"just text\n" * 1000), TarUnreadable("not a tar")),
    "nothing, compressed": (gzip.compress(b""), TarUnreadable("empty")),
    "compressed twice": (gzip.compress(gzip.compress(WHOLE)), TarUnreadable("not a tar")),
    "zeros": (bytes(10_240), InvalidImage("no manifest.json")),
    "cut in a header": (WHOLE[: 512 + len(padded(ONE)) + 100], TarUnreadable("truncated")),
    "cut in a content": (WHOLE[: 512 + 600], TarUnreadable("truncated")),
    "cut in the padding": (GOOD.members()[:-1], TarUnreadable("truncated")),
    "cut, compressed": (gzip.compress(WHOLE)[:-4], TarUnreadable("bad compression")),
    "a wrong checksum, compressed": (
        _flipped(gzip.compress(WHOLE), len(gzip.compress(WHOLE)) - 8),
        TarUnreadable("bad compression"),
    ),
    "garbage behind the compressed archive": (gzip.compress(WHOLE) + b"garbage", TarUnreadable("bad compression")),
    # Headers.
    "a header with a wrong checksum": (
        _flipped(WHOLE, 512 + len(padded(ONE))),
        TarUnreadable("bad header"),
    ),
    "a size of letters": (_sized(b"letters"), TarUnreadable("bad header")),
    "a size of Python's octal": (_sized(b"0o1_0"), TarUnreadable("bad header")),
    "a negative size": (_sized(b"\xff" * 12), TarUnreadable("bad header")),
    "a size of 2^63": (_sized(b"\x80" + (2**63).to_bytes(11, "big")), TarUnreadable("bad header")),
    "a size of 2^62": (_sized(b"\x80" + (2**62).to_bytes(11, "big")), TarUnreadable("truncated")),
    "a long name of 2 GiB": (
        header(b"././@LongLink", size_field=b"\x80" + (2**31).to_bytes(11, "big"), kind=b"L") + END,
        TarUnreadable("hostile header"),
    ),
    "a long link of 64 KiB and one": (
        header(b"././@LongLink", 65_537, kind=b"K") + bytes(70_000),
        TarUnreadable("hostile header"),
    ),
    "a pax header of 3 GiB": (
        header(b"pax", size_field=b"\x80" + (3 << 30).to_bytes(11, "big"), kind=b"x") + END,
        TarUnreadable("hostile header"),
    ),
    "a global pax header of 3 GiB": (
        header(b"pax", size_field=b"\x80" + (3 << 30).to_bytes(11, "big"), kind=b"g") + END,
        TarUnreadable("hostile header"),
    ),
    "a cut pax header": (header(b"pax", 2000, kind=b"x") + bytes(512), TarUnreadable("truncated")),
    "a pax record with a wrong length": (pax(b"99 path=x\n") + WHOLE, TarUnreadable("bad header")),
    "a pax record without a length": (pax(b"path=x\n") + WHOLE, TarUnreadable("bad header")),
    "a pax record without a value": (pax(b"7 path\n") + WHOLE, TarUnreadable("bad header")),
    "two pax paths": (pax(record("path", "a") + record("path", "b")) + WHOLE, TarUnreadable("bad header")),
    "two pax headers": (pax({"path": "a"}) + pax({"path": "b"}) + WHOLE, TarUnreadable("bad header")),
    "a pax size that is negative": (pax({"size": "-1"}) + WHOLE, TarUnreadable("bad header")),
    "a pax size of 2^63": (pax({"size": str(2**63)}) + WHOLE, TarUnreadable("bad header")),
    "a pax size that is no digits": (pax({"size": "1٣"}) + WHOLE, TarUnreadable("bad header")),
    "a pax path with NUL": (pax({"path": "a\0b"}) + WHOLE, TarUnreadable("bad header")),
    "a global pax path": (pax({"path": "manifest.json"}, b"g") + WHOLE, TarUnreadable("bad header")),
    "two long names": (long_name(b"a") + long_name(b"b") + WHOLE, TarUnreadable("bad header")),
    "an empty long name": (long_name(b"") + WHOLE, TarUnreadable("bad header")),
    "a long name and a pax path": (long_name(b"a") + pax({"path": "b"}) + WHOLE, TarUnreadable("bad header")),
    "a long name before the end": (GOOD.members() + long_name(b"a") + END, TarUnreadable("bad header")),
    "a sparse map without end": (
        header(b"sparse", kind=b"S", tail=b"\x01" + bytes(29)) + (bytes(504) + b"\x01" + bytes(7)) * 200,
        TarUnreadable("hostile header"),
    ),
    "a sparse map that is cut": (
        header(b"sparse", kind=b"S", tail=b"\x01" + bytes(29)),
        TarUnreadable("truncated"),
    ),
    # Names.
    "an absolute name": (member("/etc/passwd") + WHOLE, InvalidImage("bad name", "/etc/passwd")),
    "a name that climbs out": (member("a/../../b") + WHOLE, InvalidImage("bad name", "a/../../b")),
    "a name that only climbs": (member("..") + WHOLE, InvalidImage("bad name", "..")),
    "a name that is not UTF-8": (header(b"caf\xe9") + WHOLE, InvalidImage("bad name", "caf\\xe9")),
    "a name with an escape sequence": (member("a\x1b[2J") + WHOLE, InvalidImage("bad name", "a\\x1b[2J")),
    "an empty name": (member("") + WHOLE, InvalidImage("bad name", "")),
    "a file named .": (member("./.") + WHOLE, InvalidImage("bad name", "./.")),
    "a link target that is not UTF-8": (
        header(b"link", kind=b"2", link=b"\xff") + WHOLE,
        InvalidImage("bad name", "link"),
    ),
    "a layer name that climbs out": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", "../01/layer.tar"]}])),
        InvalidImage("bad name", "../01/layer.tar"),
    ),
    "an absolute layer name": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", "/01/layer.tar"]}])),
        InvalidImage("bad name", "/01/layer.tar"),
    ),
    "a layer name with NUL": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", "01/layer.tar\0"]}])),
        InvalidImage("bad name", "01/layer.tar\\x00"),
    ),
    # Links and types.
    "an absolute symlink": (
        bytes(_linked("link", _link("link", "/etc/passwd"))),
        InvalidImage("link leaves the archive", "link"),
    ),
    "a symlink that climbs out": (
        bytes(_linked("a/link", _link("a/link", "../../etc/passwd"))),
        InvalidImage("link leaves the archive", "a/link"),
    ),
    "an absolute hard link": (
        bytes(_linked("link", _link("link", "/etc/passwd", b"1"))),
        InvalidImage("link leaves the archive", "link"),
    ),
    "a hard link that climbs out": (
        bytes(_linked("a/link", _link("a/link", "../01/layer.tar", b"1"))),
        InvalidImage("link leaves the archive", "a/link"),
    ),
    "a link to itself": (bytes(_linked("link", _link("link", "link"))), InvalidImage("link cycle", "link")),
    "two links to each other": (
        bytes(_linked("a", _link("a", "b"), _link("b", "a"))),
        InvalidImage("link cycle", "a"),
    ),
    "a chain of 41 links": (bytes(_linked("link0", _chain(41))), InvalidImage("link cycle", "link0")),
    "a link to nothing": (bytes(_linked("link", _link("link", "nowhere"))), InvalidImage("broken link", "link")),
    "a link to its own folder": (bytes(_linked("link", _link("link", "."))), InvalidImage("broken link", "link")),
    "a hard link to a later member": (
        bytes(_linked("link").but(before=_link("link", "01/layer.tar", b"1"))),
        InvalidImage("broken link", "link"),
    ),
    **{
        f"a layer that is {what}": (
            bytes(GOOD.but(without=frozenset({"01/layer.tar"}), after=header(b"01/layer.tar", kind=kind))),
            InvalidImage("not a regular file", "01/layer.tar"),
        )
        for what, kind in {"a device": b"3", "a pipe": b"6", "a folder": b"5", "sparse": b"S"}.items()
    },
    **{
        f"a layer that is a pax sparse file, {version}": (
            bytes(
                GOOD.but(
                    without=frozenset({"01/layer.tar"}),
                    after=pax({**records, "GNU.sparse.name": "01/layer.tar"}) + member("GNUSparseFile.0/x", TWO),
                )
            ),
            InvalidImage("not a regular file", "01/layer.tar"),
        )
        for version, records in {
            "0.0": {"GNU.sparse.size": "512", "GNU.sparse.numblocks": "1"},
            "0.1": {"GNU.sparse.size": "512", "GNU.sparse.map": "0,512"},
            "1.0": {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "512"},
        }.items()
    },
    # Duplicates, and what is missing.
    "two different manifest.json": (
        bytes(GOOD.but(after=member("manifest.json", GOOD.raw_manifest + b" "))),
        InvalidImage("duplicate member", "manifest.json"),
    ),
    "two different configurations": (
        bytes(GOOD.but(after=member(GOOD.named_config, b"{}"))),
        InvalidImage("duplicate member", GOOD.named_config),
    ),
    "two different layers of one name": (
        bytes(GOOD.but(after=member("01/layer.tar", _flipped(TWO, 600)))),
        InvalidImage("duplicate member", "01/layer.tar"),
    ),
    "a layer that is also a link": (
        bytes(GOOD.but(after=_link("01/layer.tar", "../00/layer.tar"))),
        InvalidImage("duplicate member", "01/layer.tar"),
    ),
    "a layer a hundred times": (
        bytes(GOOD.but(after=member("01/layer.tar", TWO) * 100)),
        InvalidImage("duplicate member", "01/layer.tar"),
    ),
    "one member for two diff_ids": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar", "00/layer.tar"]}])),
        InvalidImage("diff_id mismatch", "00/layer.tar"),
    ),
    "no manifest.json": (
        bytes(GOOD.but(without=frozenset({"manifest.json"}))),
        InvalidImage("no manifest.json", "manifest.json"),
    ),
    "no configuration": (
        bytes(GOOD.but(without=frozenset({GOOD.named_config}))),
        InvalidImage("missing config", GOOD.named_config),
    ),
    "no layer": (
        bytes(GOOD.but(without=frozenset({"01/layer.tar"}))),
        InvalidImage("missing layer", "01/layer.tar"),
    ),
    # manifest.json.
    "manifest.json is null": (bytes(GOOD.but(manifest_raw=b"null")), InvalidImage("bad manifest.json")),
    "manifest.json is {}": (bytes(GOOD.but(manifest_raw=b"{}")), InvalidImage("bad manifest.json")),
    "manifest.json is []": (bytes(GOOD.but(manifest_raw=b"[]")), InvalidImage("no images")),
    "manifest.json is empty": (bytes(GOOD.but(manifest_raw=b"")), InvalidImage("bad manifest.json")),
    "manifest.json holds null": (bytes(GOOD.but(manifest_raw=b"[null]")), InvalidImage("bad manifest.json")),
    "manifest.json has no configuration": (
        bytes(GOOD.but(manifest=[{"RepoTags": None, "Layers": []}])),
        InvalidImage("bad manifest.json"),
    ),
    "manifest.json spells a field in another case": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "layers": []}])),
        InvalidImage("bad manifest.json"),
    ),
    "manifest.json is cut": (bytes(GOOD.but(manifest_raw=GOOD.raw_manifest[:-1])), InvalidImage("bad manifest.json")),
    "manifest.json has a name twice": (
        bytes(GOOD.but(manifest_raw=GOOD.raw_manifest.replace(b'{"Config"', b'{"Config": "x", "Config"'))),
        InvalidImage("bad manifest.json"),
    ),
    "manifest.json has a byte order mark": (
        bytes(GOOD.but(manifest_raw=b"\xef\xbb\xbf" + GOOD.raw_manifest)),
        InvalidImage("bad manifest.json"),
    ),
    "manifest.json is not UTF-8": (bytes(GOOD.but(manifest_raw=b'["\xff"]')), InvalidImage("bad manifest.json")),
    "manifest.json is 100 deep": (bytes(GOOD.but(manifest_raw=_deep(100))), LimitExceeded("levels of JSON", 64)),
    "manifest.json is 10,000 deep": (bytes(GOOD.but(manifest_raw=_deep(10_000))), LimitExceeded("levels of JSON", 64)),
    "manifest.json is large": (
        bytes(GOOD.but(manifest_raw=b" " * (5 << 20))),
        LimitExceeded("bytes in manifest.json", 4 << 20),
    ),
    "a tag of two words": (bytes(GOOD.but(tags=["not a tag"])), InvalidImage("bad tag", "not a tag")),
    "a tag in capitals": (bytes(GOOD.but(tags=["App:1.0"])), InvalidImage("bad tag", "App:1.0")),
    "a tag with a digest": (
        bytes(GOOD.but(tags=[f"app@sha256:{HEX}"])),
        InvalidImage("bad tag", f"app@sha256:{HEX}"),
    ),
    "a tag with an escape sequence": (bytes(GOOD.but(tags=["a\x1b[2J"])), InvalidImage("bad tag", "a\\x1b[2J")),
    # Contents.
    "more layers than diff_ids": (
        bytes(GOOD.but(config_raw=config([ONE]))),
        InvalidImage("layer count", GOOD.but(config_raw=config([ONE])).named_config),
    ),
    "fewer layers than diff_ids": (
        bytes(GOOD.but(manifest=[{**GOOD.entry, "Layers": ["00/layer.tar"]}])),
        InvalidImage("layer count", GOOD.named_config),
    ),
    "a configuration that its name does not fit": (
        bytes(GOOD.but(config_name=f"{HEX}.json")),
        InvalidImage("digest mismatch", f"{HEX}.json"),
    ),
    "a configuration that is no JSON": (bytes(GOOD.but(config_raw=b"hello")), InvalidImage("bad config")),
    "a configuration without rootfs": (
        bytes(GOOD.but(config_raw=json.dumps({"architecture": "amd64", "os": "linux"}).encode())),
        InvalidImage("bad config"),
    ),
    "a configuration with a diff_id that is none": (
        bytes(GOOD.but(config_raw=config([], rootfs={"type": "layers", "diff_ids": ["sha256:../../x"]}))),
        InvalidImage("bad config"),
    ),
    "a large configuration": (
        bytes(GOOD.but(config_raw=config([ONE, TWO], author="x" * (9 << 20)), config_name="config.json")),
        LimitExceeded("bytes in config.json", 8 << 20),
    ),
    "a layer that is text": (
        bytes(GOOD.but(layers=(ONE, b"hello " * 1000))),
        InvalidImage("bad layer", "01/layer.tar"),
    ),
    "a layer of less than a block": (bytes(GOOD.but(layers=(ONE, b"x"))), InvalidImage("bad layer", "01/layer.tar")),
    "a layer of nothing where something was promised": (
        bytes(GOOD.but(layers=(ONE, b""), config_raw=config([ONE, TWO]))),
        InvalidImage("bad layer", "01/layer.tar"),
    ),
    "a layer in xz": (
        bytes(GOOD.but(layers=(ONE, lzma.compress(TWO)))),
        Unsupported("a layer compressed with xz (01/layer.tar)"),
    ),
    "a layer in bzip2": (
        bytes(GOOD.but(layers=(ONE, bz2.compress(TWO)))),
        Unsupported("a layer compressed with bzip2 (01/layer.tar)"),
    ),
}


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_an_unusual_archive_that_means_one_thing_is_read(content: bytes, tmp_path: Path) -> None:
    """Tools write many shapes, and people compress, join and pad what the tools write."""
    image = await image_of(tmp_path / "image.tar", content)
    assert isinstance(image, SavedImage)
    assert len(image.layers) == len(image.config.rootfs.diff_ids)


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED.keys())
async def test_an_archive_that_is_broken_or_hostile_is_refused_by_name(
    content: bytes, expected: Reason, tmp_path: Path
) -> None:
    """The refusal says what is wrong and where, before any registry is asked, and the same every time."""
    reason = await reason_of(tmp_path / "image.tar", content)
    assert type(reason) is type(expected)
    match reason, expected:
        case (TarUnreadable(kind=kind), TarUnreadable(kind=pinned)):
            assert kind == pinned
        case (InvalidImage() as found, InvalidImage() as pinned):
            assert (found.kind, found.member if pinned.member is not None else None) == (pinned.kind, pinned.member)
        case _:
            assert reason == expected


def test_the_corpus_is_as_large_as_it_was() -> None:
    """A file that drops out of the table is a promise that drops out of sight."""
    assert len(ACCEPTED) >= 40
    assert len(REFUSED) >= 85
