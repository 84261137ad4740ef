"""Streams for these tests: made by the standard tools, taken apart by ours."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Iterable

from returns.pipeline import is_successful

from registry_fp.codec.compressor import new_compressor
from registry_fp.codec.decompressor import BadStream, Decompressor, new_decompressor
from registry_fp.codec.sniff import Encoding
from registry_fp.domain.media_type import Compression

COMPRESSED: tuple[Encoding, ...] = ("gzip", "zstd", "xz", "bzip2")


def seeded(seed: int) -> random.Random:
    """Chance that is the same every time."""
    return random.Random(seed)  # noqa: S311  no secret


CONTENT = seeded(5).randbytes(3000) + b"the same line again\n" * 4000 + bytes(9000)


def packed(encoding: Encoding, content: bytes) -> bytes:
    """One member, frame or stream."""
    match encoding:
        case "none":
            return content
        case "gzip":
            return gzip.compress(content, mtime=0)
        case "zstd":
            return squeezed("zstd", [content])
        case "xz":
            return lzma.compress(content)
        case "bzip2":
            return bz2.compress(content)


def squeezed(compression: Compression, pieces: Iterable[bytes], level: int | None = None) -> bytes:
    """What our compressor makes of the pieces."""
    compressor = new_compressor(compression, level).unwrap()
    return b"".join([*map(compressor.compress, pieces), compressor.flush()])


def unpacked(encoding: Encoding, pieces: Iterable[bytes], max_length: int = 1 << 20) -> bytes | BadStream:
    """What our decompressor makes of the pieces, or why not."""
    stream = new_decompressor(encoding).unwrap()
    out: list[bytes] = []
    for piece in pieces:
        for part in _parts(stream, piece, max_length):
            if isinstance(part, BadStream):
                return part
            assert len(part) <= max_length
            out.append(part)
    ended = stream.finish()
    return b"".join(out) if is_successful(ended) else ended.failure()


def _parts(stream: Decompressor, piece: bytes, max_length: int) -> Iterable[bytes | BadStream]:
    given = piece
    while True:
        part = stream.decompress(given, max_length=max_length)
        if not is_successful(part):
            yield part.failure()
            return
        yield part.unwrap()
        if stream.needs_input:
            return
        given = b""


def cut(content: bytes, sizes: Iterable[int]) -> Iterable[bytes]:
    """The content in pieces of these sizes, and the rest."""
    at = 0
    for size in sizes:
        yield content[at : at + size]
        at += size
    yield content[at:]
