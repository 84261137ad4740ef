"""Archives that must not be pushed, each with the one thing that is wrong with it.

`SEEN` is wrong in a way that can be told without reading whole layers, so no registry may hear of it; what is wrong
with `READ` only a pass over a layer shows, when the registry may have been asked, and must have stored nothing.
"""

import gzip
import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry_fp import InvalidImage, LimitExceeded, LocalIo, Reason, TarUnreadable, Unsupported, digest_of
from registry_fp.testing import sample_layer
from tests.archive.tars import Save, header, member, pax

ONE, TWO = (sample_layer({f"etc/{name}": name.encode() * 4000}) for name in ("one", "two"))
GOOD = Save(layers=(ONE, TWO))
LAYER = "01/layer.tar"
PACKED = gzip.compress(TWO, mtime=0)


@dataclass(frozen=True, slots=True)
class Bad:
    """What is at the path, why it is refused, and the exit code of that."""

    write: Callable[[Path], object]
    reason: Reason
    code: int = 65


def _file(content: bytes | Save) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(bytes(content))


def _sparse(path: Path, head: bytes, size: int) -> None:
    path.write_bytes(head)
    os.truncate(path, size)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    # The address has a short limit, so it is bound by its name alone; the file stays when the socket is closed.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(before)


def _link(target: str, kind: bytes = b"2") -> Save:
    """The second layer is a link."""
    return GOOD.but(without=frozenset({LAYER}), after=header(LAYER.encode(), kind=kind, link=target.encode()))


def _layout(layers: Mapping[str, bytes], diff_ids: list[str]) -> Save:
    """An archive whose layers are blobs with these names."""
    raw = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    return Save(layers=tuple(layers.values()), layer_names=tuple(layers), config_raw=raw.encode())


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{digest_of(content).hex}"


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _image(kind: Any, member: str | None = None) -> InvalidImage:
    return InvalidImage(kind, member)


_TWICE = {_blob(PACKED): PACKED}

SEEN: dict[str, Bad] = {
    "a file that is not there": Bad(lambda path: None, LocalIo(2, ""), 66),
    "a path through a file": Bad(lambda path: None, LocalIo(20, ""), 74),
    "a folder": Bad(lambda path: path.mkdir(), LocalIo(21, ""), 74),
    "a named pipe": Bad(os.mkfifo, Unsupported("a named pipe"), 76),
    "a device": Bad(_device, Unsupported("a device"), 76),
    "a socket": Bad(_socket, Unsupported("a socket"), 76),
    "an empty file": Bad(_file(b""), TarUnreadable("empty")),
    "a text": Bad(_file(b"hello\n" * 1000), TarUnreadable("not a tar")),
    "an archive cut in a header": Bad(_file(bytes(GOOD)[: 512 + len(ONE) + 100]), TarUnreadable("truncated")),
    "an archive cut in a layer": Bad(_file(bytes(GOOD)[:2000]), TarUnreadable("truncated")),
    "a damaged header": Bad(_file(_flipped(bytes(GOOD), 512 + len(ONE) + 3)), TarUnreadable("bad header")),
    "a pax header of 3 GiB": Bad(
        lambda path: _sparse(path, header(b"x", 3 << 30, kind=b"x"), (3 << 30) + 8192), TarUnreadable("hostile header")
    ),
    "a damaged gzip archive": Bad(
        _file(_flipped(gzip.compress(bytes(GOOD)), -6 % len(gzip.compress(bytes(GOOD))))),
        TarUnreadable("bad compression"),
    ),
    "half a gzip archive": Bad(_file(gzip.compress(bytes(GOOD))[:-100]), TarUnreadable("bad compression")),
    "no manifest.json": Bad(_file(GOOD.but(without=frozenset({"manifest.json"}))), _image("no manifest.json")),
    "a manifest.json that is no JSON": Bad(_file(GOOD.but(manifest_raw=b"{")), _image("bad manifest.json")),
    "a manifest.json of 64 MiB": Bad(
        lambda path: _sparse(path, header(b"manifest.json", 64 << 20), (64 << 20) + 2048),
        LimitExceeded("bytes in manifest.json", 4 << 20),
    ),
    "two different manifest.json": Bad(
        _file(GOOD.but(after=member("manifest.json", b"[]"))), _image("duplicate member", "manifest.json")
    ),
    "a manifest.json without images": Bad(_file(GOOD.but(manifest_raw=b"[]")), _image("no images")),
    "a missing configuration": Bad(_file(GOOD.but(without=frozenset({GOOD.named_config}))), _image("missing config")),
    "a configuration of 9 MiB": Bad(
        _file(GOOD.but(config_raw=b" " * (9 << 20), config_name="config.json")),
        LimitExceeded("bytes in config.json", 8 << 20),
    ),
    "a configuration that is no configuration": Bad(_file(GOOD.but(config_raw=b"[]")), _image("bad config")),
    "a configuration that is not what its name says": Bad(
        _file(GOOD.but(config_name=f"{'0' * 64}.json")), _image("digest mismatch")
    ),
    "a missing layer": Bad(_file(GOOD.but(without=frozenset({LAYER}))), _image("missing layer", LAYER)),
    "a layer too many": Bad(_file(_layout({"a.tar": ONE, "b.tar": TWO}, [str(digest_of(ONE))])), _image("layer count")),
    "a layer that is a text": Bad(_file(GOOD.but(layers=(ONE, b"hello\n" * 900))), _image("bad layer", LAYER)),
    "a link out of the archive": Bad(_file(_link("../../etc/shadow")), _image("link leaves the archive", LAYER)),
    "a link to a file of this machine": Bad(_file(_link("/etc/shadow")), _image("link leaves the archive", LAYER)),
    "a link to itself": Bad(_file(_link("layer.tar")), _image("link cycle", LAYER)),
    "a hard link to nothing": Bad(_file(_link("nothing", b"1")), _image("broken link", LAYER)),
    "a name that climbs out": Bad(_file(GOOD.but(before=member("../x"))), _image("bad name", "../x")),
    "a tag that is none": Bad(_file(GOOD.but(tags=["app:not a tag"])), _image("bad tag")),
    "a layer that its name contradicts": Bad(
        _file(_layout({_blob(ONE): ONE}, [str(digest_of(TWO))])), _image("digest mismatch", _blob(ONE))
    ),
    "a layout that is another image": Bad(
        _file(GOOD.but(after=member("index.json", b'{"schemaVersion":2,"manifests":{}}'))), _image("bad index.json")
    ),
    "pax names that differ": Bad(_file(pax(b"9 path=a\n9 path=b\n") + bytes(GOOD)), TarUnreadable("bad header")),
}

READ: dict[str, Bad] = {
    "a layer that is not its diff_id's": Bad(
        _file(GOOD.but(layers=(ONE, _flipped(TWO, 600)), config_raw=GOOD.raw_config)),
        _image("diff_id mismatch", LAYER),
    ),
    "a small layer that is not its diff_id's": Bad(
        _file(GOOD.but(layers=(TWO[:512] + bytes(1024), TWO), config_raw=GOOD.raw_config)),
        _image("diff_id mismatch", "00/layer.tar"),
    ),
    "a compressed layer with a wrong checksum": Bad(
        _file(GOOD.but(layers=(ONE, _flipped(PACKED, len(PACKED) - 6)), config_raw=GOOD.raw_config)),
        _image("bad layer", LAYER),
    ),
    "a compressed layer that is cut": Bad(
        _file(GOOD.but(layers=(ONE, PACKED[:-20]), config_raw=GOOD.raw_config)), _image("bad layer", LAYER)
    ),
    "a compressed layer with something behind it": Bad(
        _file(GOOD.but(layers=(ONE, PACKED + b"garbage"), config_raw=GOOD.raw_config)), _image("bad layer", LAYER)
    ),
    "a blob that is not what its name says": Bad(
        _file(_layout({_blob(PACKED): gzip.compress(TWO, 1, mtime=9)}, [str(digest_of(TWO))])),
        _image("digest mismatch", _blob(PACKED)),
    ),
    "one blob that claims to be two layers": Bad(
        _file(
            _layout(_TWICE, [str(digest_of(TWO)), str(digest_of(ONE))]).but(
                manifest=[{"Config": "config.json", "RepoTags": ["app:1.0"], "Layers": [*_TWICE, *_TWICE]}],
                config_name="config.json",
            )
        ),
        _image("diff_id mismatch", _blob(PACKED)),
    ),
}
