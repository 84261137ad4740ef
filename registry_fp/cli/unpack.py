"""Unpacking: gzip and zstd, streaming, in pieces of bounded size."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, final

__all__ = ["Unpack", "new_unpack"]

_PIECE: Final = 1024 * 1024
_GZIP: Final = 31  # zlib's name for a gzip header and the largest window

Unpack: TypeAlias = Callable[[bytes], Iterator[bytes]]
"""From the next bytes to what they unpack to; raises `ValueError` where they are not what they should be."""


def new_unpack(media_type: str) -> Unpack:
    """A fresh stream that unpacks a layer of this media type.

    >>> b"".join(new_unpack("application/vnd.oci.image.layer.v1.tar")(b"plain"))
    b'plain'
    """
    if media_type.endswith("gzip"):
        return _Gzip().unpack
    return _Zstd().unpack if media_type.endswith("zstd") else _as_it_is


def _as_it_is(packed: bytes) -> Iterator[bytes]:
    yield packed


@final
class _Gzip:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            while packed:
                if self._member.eof:  # one member may follow another (RFC 1952)
                    self._member = zlib.decompressobj(_GZIP)
                part = self._member.decompress(packed, _PIECE)
                packed = self._member.unconsumed_tail or self._member.unused_data
                while part:  # a full piece may leave some behind that needs no more input
                    yield part
                    part = b"" if packed or len(part) < _PIECE else self._member.decompress(b"", _PIECE)
        except zlib.error as error:
            raise ValueError(str(error)) from error


@final
class _Zstd:
    def __init__(self) -> None:
        # In the standard library from 3.14 on; a push of such a layer has already needed it.
        self._library: Any = importlib.import_module(
            "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
        )
        self._frame = self._library.ZstdDecompressor()

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            while packed or not (self._frame.needs_input or self._frame.eof):
                if self._frame.eof:  # one frame may follow another (RFC 8878)
                    self._frame = self._library.ZstdDecompressor()
                yield self._frame.decompress(packed, _PIECE)
                packed = self._frame.unused_data if self._frame.eof else b""
        except self._library.ZstdError as error:
            raise ValueError(str(error)) from error
