"""Compression, streaming: the same content at the same level gives the same bytes, however it arrives.

gzip has two engines behind its levels. ISA-L gives 1 to 3 at several times zlib's speed (measured on 32 MiB of
binaries: level 1 is 510 MB/s for 2.56:1, zlib's level 1 is 100 MB/s for 2.64:1, its level 6 is 27 MB/s for 2.92:1),
so 1 is the default; 4 to 9 are zlib's. zstd's own default of 3 is kept (255 MB/s for 3.06:1). Other tools, and other
versions of the engines, give other bytes for the same content.
"""

from __future__ import annotations

from typing import Final, Protocol, assert_never

from returns.result import Failure, Result, Success

from registry_fp.codec.engines import ZSTD, Encoder, gzip_encoder
from registry_fp.domain.errors import Misconfigured, Unsupported
from registry_fp.domain.media_type import Compression

__all__ = ["GZIP_LEVELS", "NO_ZSTD", "ZSTD_LEVELS", "Compressor", "new_compressor"]

GZIP_LEVELS: Final = range(1, 10)
"""gzip's levels; 1 is the default."""

ZSTD_LEVELS: Final = range(1, 20)
"""zstd's levels without those that need gigabytes; 3 is the default."""

NO_ZSTD: Final = Unsupported("zstd (the extra registry-fp[zstd] is not installed)")

_PIECE: Final = 256 * 1024


class Compressor(Protocol):
    """One stream under way; it belongs to one thread at a time, and what it calls gives the interpreter lock back."""

    def compress(self, data: bytes | memoryview, /) -> bytes:
        """Take in the next bytes; gives what is ready, which may be nothing. `data` may be reused afterwards."""
        ...

    def flush(self) -> bytes:
        """End the stream; gives its last bytes. The compressor is used up."""
        ...


def new_compressor(
    compression: Compression, level: int | None = None
) -> Result[Compressor, Unsupported | Misconfigured]:
    """A fresh compressor; without a level, the one that suits pushing.

    Fails with `Misconfigured` for a level outside `GZIP_LEVELS` or `ZSTD_LEVELS` and for any level of "none", and with
    `Unsupported` for zstd where it is not installed. Sources: RFC 1952 (mtime 0: no time is given), RFC 8878.

    >>> gzip = new_compressor("gzip").unwrap()
    >>> (gzip.compress(b"tar") + gzip.flush())[:8].hex()
    '1f8b080000000000'
    >>> new_compressor("gzip", 10).failure().why
    'gzip has the levels 1 to 9, not 10'
    """
    match compression:
        case "none":
            return (
                Success(_Plain())
                if level is None
                else Failure(Misconfigured("level", "there is none without compression"))
            )
        case "gzip":
            chosen = 1 if level is None else level
            return _refused(compression, chosen, GZIP_LEVELS) or Success(_gzip(chosen))
        case "zstd":
            chosen = 3 if level is None else level
            return _refused(compression, chosen, ZSTD_LEVELS) or _zstd(chosen)
        case _:
            assert_never(compression)


def _refused(compression: Compression, level: int, levels: range) -> Failure[Misconfigured] | None:
    if level in levels:
        return None
    return Failure(Misconfigured("level", f"{compression} has the levels {levels[0]} to {levels[-1]}, not {level}"))


def _gzip(level: int) -> Compressor:
    encoder, shaped_by_input = gzip_encoder(level)
    return _InPieces(encoder) if shaped_by_input else encoder


def _zstd(level: int) -> Result[Compressor, Unsupported | Misconfigured]:
    return Failure(NO_ZSTD) if ZSTD is None else Success(ZSTD.encoder(level))


class _Plain:
    """Compression "none": the bytes as they are."""

    def compress(self, data: bytes | memoryview, /) -> bytes:
        return bytes(data)

    def flush(self) -> bytes:
        return b""


class _InPieces:
    """Cuts the input into pieces of one size: ISA-L's output depends on where its input is cut."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._held = bytearray()

    def compress(self, data: bytes | memoryview, /) -> bytes:
        view = memoryview(data)
        out: list[bytes] = []
        if self._held:
            missing = _PIECE - len(self._held)
            self._held += view[:missing]
            view = view[missing:]
            if len(self._held) < _PIECE:
                return b""
            out.append(self._encoder.compress(self._held))
            self._held.clear()
        whole = len(view) - len(view) % _PIECE  # all of it, where the caller reads in multiples: nothing is copied
        out.extend(self._encoder.compress(view[start : start + _PIECE]) for start in range(0, whole, _PIECE))
        self._held += view[whole:]
        return b"".join(out)

    def flush(self) -> bytes:
        last = self._encoder.compress(self._held) if self._held else b""
        return last + self._encoder.flush()
