"""Tars written byte by byte, so that they can be wrong in one thing at a time; and images to put into them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from registry_fp.domain.digest import digest_of

END = bytes(1024)


def header(
    name: bytes = b"member",
    size: int = 0,
    *,
    kind: bytes = b"0",
    link: bytes = b"",
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    size_field: bytes | None = None,
    tail: bytes = b"",
) -> bytes:
    """One header block with a true checksum, whatever else it says."""
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\x000000000\x000000000\x00"
    block[124:136] = (b"%011o" % size if size_field is None else size_field).ljust(12, b"\0")
    block[136:148] = b"%011o\x00" % 0
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = magic
    block[345 : 345 + len(prefix)] = prefix
    block[512 - len(tail) :] = tail
    return signed(block)


def signed(block: bytearray | bytes) -> bytes:
    """A header with the checksum that it should have."""
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    """Content, up to the next block."""
    return content + bytes(-len(content) % 512)


def member(name: str, content: bytes = b"", **fields: Any) -> bytes:
    """A header and its content."""
    return header(name.encode(), len(content), **fields) + padded(content)


def pax(records: Mapping[str, str] | bytes, kind: bytes = b"x") -> bytes:
    """An extended header; a mapping is written well, bytes as they are."""
    payload = records if isinstance(records, bytes) else b"".join(record(*pair) for pair in records.items())
    return header(b"PaxHeaders/x", len(payload), kind=kind) + padded(payload)


def record(key: str, value: str) -> bytes:
    """One pax record, with the length that counts itself."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + len(str(len(rest)))
    length = len(rest) + len(str(length))
    return str(length).encode() + rest


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """GNU's way of naming the next member (L) or its link (K)."""
    return header(b"././@LongLink", len(name) + 1, kind=kind, magic=b"ustar  \x00") + padded(name + b"\0")


def layer(text: str = "hello") -> bytes:
    """A small layer, as a plain tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("etc/motd")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def config(layers: Sequence[bytes], **changes: Any) -> bytes:
    """A configuration that fits its plain layers."""
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [str(digest_of(one)) for one in layers]},
    }
    return json.dumps({**document, **changes}).encode()


@dataclass(frozen=True)
class Save:
    """An archive of one image, as Docker up to 24 writes it; every test changes one thing."""

    layers: tuple[bytes, ...] = field(default_factory=lambda: (layer("one"), layer("two")))
    tags: Sequence[str] | None = ("app:1.0",)
    config_raw: bytes | None = None
    config_name: str | None = None
    layer_names: tuple[str, ...] | None = None
    manifest: Any = None
    manifest_raw: bytes | None = None
    before: bytes = b""
    after: bytes = b""
    without: frozenset[str] = frozenset()
    end: bytes = END

    @property
    def raw_config(self) -> bytes:
        """The configuration's bytes."""
        return config(self.layers) if self.config_raw is None else self.config_raw

    @property
    def named_config(self) -> str:
        """The configuration's member."""
        return self.config_name or f"{digest_of(self.raw_config).hex}.json"

    @property
    def named_layers(self) -> tuple[str, ...]:
        """The layers' members."""
        return self.layer_names or tuple(f"{number:02}/layer.tar" for number in range(len(self.layers)))

    @property
    def entry(self) -> dict[str, Any]:
        """The image in manifest.json."""
        tags = None if self.tags is None else list(self.tags)
        return {"Config": self.named_config, "RepoTags": tags, "Layers": list(self.named_layers)}

    @property
    def raw_manifest(self) -> bytes:
        """manifest.json."""
        document = [self.entry] if self.manifest is None else self.manifest
        return json.dumps(document).encode() if self.manifest_raw is None else self.manifest_raw

    def members(self) -> bytes:
        """Everything but the end marker."""
        named = dict(zip(self.named_layers, self.layers, strict=True))
        files = {**named, self.named_config: self.raw_config, "manifest.json": self.raw_manifest}
        kept = b"".join(member(name, content) for name, content in files.items() if name not in self.without)
        return self.before + kept + self.after

    def __bytes__(self) -> bytes:
        """The archive."""
        return self.members() + self.end

    def but(self, **changes: Any) -> Save:
        """The same with something else in it."""
        return replace(self, **changes)
