"""The compressors that this installation has, behind two small types.

ISA-L and zstd have wheels for most platforms and not for all; where one is missing, gzip falls back to zlib, and zstd
is not there. This is the only file that imports them.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from importlib import import_module
from typing import Any, Final, Protocol, final

__all__ = [
    "ENGINE_ERRORS",
    "WINDOW_LIMIT",
    "ZSTD",
    "Decoder",
    "Encoder",
    "Zstd",
    "bzip2_decoder",
    "gzip_decoder",
    "gzip_encoder",
    "xz_decoder",
]

WINDOW_LIMIT: Final = 128 * 1024 * 1024
"""The most memory, in bytes, that a stream may ask of its decoder: zstd's window, xz's dictionary and state."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_ISAL_BEST: Final = 3  # ISA-L has levels 0 to 3
# Of zlib's memory levels. Measured over 300 MiB: as fast and as small as the default of 8, which costs 30 MiB more.
_ISAL_MEMORY: Final = 3


def _installed(*names: str) -> Any:
    """The first of these modules that can be imported; their stubs are loose, so the types are the wrappers' below."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


_igzip: Final = _installed("isal.igzip_lib")
_isal_zlib: Final = _installed("isal.isal_zlib")
_zstd: Final = _installed("compression.zstd", "backports.zstd")

ENGINE_ERRORS: Final[tuple[type[Exception], ...]] = (
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    *((_igzip.error,) if _igzip else ()),
    *((_zstd.ZstdError,) if _zstd else ()),
)
"""What an engine raises when its input is not what it should be; bzip2 says OSError."""


class Encoder(Protocol):
    """A compressing stream of some engine."""

    def compress(self, data: bytes | bytearray | memoryview, /) -> bytes:
        """Take in bytes; gives what is ready."""
        ...

    def flush(self) -> bytes:
        """End the stream."""
        ...


class Decoder(Protocol):
    """One member (gzip), frame (zstd) or stream (xz, bzip2) of some engine, with bounded output."""

    @property
    def eof(self) -> bool:
        """The end of the member has been seen, and its checksum was right."""
        ...

    @property
    def needs_input(self) -> bool:
        """False while more output can be had without more input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        ...

    def decompress(self, data: bytes | memoryview, /, max_length: int) -> bytes:
        """Take in bytes; gives at most `max_length` bytes."""
        ...


def gzip_encoder(level: int) -> tuple[Encoder, bool]:
    """A gzip stream whose header names no file and no time; and whether its bytes depend on how the input is cut.

    Levels 1 to 3 are ISA-L's where it is installed, and zlib's otherwise.
    """
    if _isal_zlib is None or level > _ISAL_BEST:
        return zlib.compressobj(level, zlib.DEFLATED, _GZIP), False
    encoder: Encoder = _isal_zlib.compressobj(level, zlib.DEFLATED, _GZIP, _ISAL_MEMORY)
    return encoder, True


def gzip_decoder() -> Decoder:
    """One gzip member."""
    if _igzip is None:
        return _ZlibDecoder()
    decoder: Decoder = _igzip.IgzipDecompressor(flag=_igzip.DECOMP_GZIP)
    return decoder


@final
class Zstd:
    """zstd, where it is installed."""

    @staticmethod
    def encoder(level: int) -> Encoder:
        """One frame with a checksum."""
        option = _zstd.CompressionParameter
        encoder: Encoder = _zstd.ZstdCompressor(options={option.compression_level: level, option.checksum_flag: 1})
        return encoder

    @staticmethod
    def decoder() -> Decoder:
        """One frame, with a window of at most `WINDOW_LIMIT`."""
        option = _zstd.DecompressionParameter
        decoder: Decoder = _zstd.ZstdDecompressor(options={option.window_log_max: WINDOW_LIMIT.bit_length() - 1})
        return decoder


ZSTD: Final = Zstd() if _zstd else None
"""zstd, or None where it is not installed."""


def xz_decoder() -> Decoder:
    """One xz stream, in at most `WINDOW_LIMIT` bytes of memory."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=WINDOW_LIMIT)


def bzip2_decoder() -> Decoder:
    """One bzip2 stream."""
    return bz2.BZ2Decompressor()


class _ZlibDecoder:
    """zlib's own object keeps its unread input where the others do not; this one is like the others."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._starved = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return self._starved and not self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes | memoryview, /, max_length: int) -> bytes:
        tail = self._stream.unconsumed_tail
        out = self._stream.decompress(b"".join((tail, data)) if tail else data, max_length)
        # A full output buffer may hide more that zlib holds inside itself, with no input left unread.
        self._starved = not self._stream.unconsumed_tail and len(out) < max_length
        return out
