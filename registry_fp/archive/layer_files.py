"""The files of a layer, read from its bytes as they arrive: unpacked and looked at in a thread, and not kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_listing import LayerListing
from registry_fp.archive.layer_pass import UNPACKED_LIMIT
from registry_fp.archive.layer_scan import LayerScan
from registry_fp.archive.off_loop import off_loop
from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.codec.sniff import SNIFF_LENGTH, sniff
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, RegistryError

__all__ = ["read_layer"]

_PIECE: Final = 256 * 1024
_HOP: Final = 8 * 1024 * 1024  # bytes unpacked before the loop is asked again: a cancellation waits for no more


async def read_layer(
    chunks: AsyncIterator[Result[bytes, RegistryError]], scan: LayerScan, *, target: str, diff_id: Digest | None
) -> Result[LayerListing, RegistryError]:
    """What a layer has, when all its bytes have come and the plain tar is the one that `diff_id` names (if known).

    How it is compressed is seen from the bytes. Fails as `chunks` does, with `TarUnreadable`, `InvalidImage` ("bad
    layer", "diff_id mismatch"), `LimitExceeded`, and `Unsupported` where a codec is not installed.
    """
    reading = _Reading(scan, target, diff_id)
    async for chunk in chunks:
        if not is_successful(chunk):
            return Failure(chunk.failure())
        fault = await reading.take(chunk.unwrap())
        if fault is not None:
            return Failure(RegistryError("read_layer", target, fault))
    listing = await reading.end()
    return listing.alt(lambda reason: RegistryError("read_layer", target, reason))


@final
class _Reading:
    """A layer under way from its bytes to its files."""

    def __init__(self, scan: LayerScan, target: str, diff_id: Digest | None) -> None:
        self._scan = scan
        self._target = target
        self._diff_id = diff_id
        self._hasher = None if diff_id is None else new_hasher(diff_id.algorithm)
        self._decompressor: Decompressor | None = None
        self._head = b""
        self._unpacked = 0

    async def take(self, data: bytes) -> Reason | None:
        """The next bytes of the layer as it lies; gives what is wrong with them."""
        if self._decompressor is None:  # its first bytes say how it is compressed
            self._head += data
            if len(self._head) < SNIFF_LENGTH:
                return None
        return await self._taken(data if self._decompressor is not None else self._head)

    async def end(self) -> Result[LayerListing, Reason]:
        """What was found, after the last bytes."""
        if self._decompressor is None:
            fault = await self._taken(self._head)
            if fault is not None:
                return Failure(fault)
        return await off_loop(self._target, self._finished)

    async def _taken(self, data: bytes) -> Reason | None:
        given, more = data, True
        while more:
            done = await off_loop(self._target, partial(self._hop, given))
            if not is_successful(done):
                return done.failure()
            given, more = b"", done.unwrap()
        return None

    def _hop(self, data: bytes) -> Result[bool, Reason]:
        """In a thread: unpack and look at a bounded part; gives whether there is more without more input."""
        decompressor = self._decompressor
        if decompressor is None:
            made = new_decompressor(sniff(data))
            if not is_successful(made):
                return Failure(made.failure())
            decompressor = self._decompressor = made.unwrap()
        given = data
        for _ in range(_HOP // _PIECE):
            part = decompressor.decompress(given, _PIECE)
            if not is_successful(part):
                return Failure(InvalidImage("bad layer", self._target, part.failure().why))
            given = b""
            fault = self._look(part.unwrap())
            if fault is not None:
                return Failure(fault)
            if decompressor.needs_input:
                return Success(False)
        return Success(True)

    def _look(self, plain: bytes) -> Reason | None:
        self._unpacked += len(plain)
        if self._unpacked > UNPACKED_LIMIT:
            return LimitExceeded("bytes in an unpacked layer", UNPACKED_LIMIT)
        if self._hasher is not None:
            self._hasher.update(plain)
        return self._scan.feed(plain)

    def _finished(self) -> Result[LayerListing, Reason]:
        ended = None if self._decompressor is None else self._decompressor.finish()
        if ended is not None and not is_successful(ended):
            return Failure(InvalidImage("bad layer", self._target, ended.failure().why))
        if self._diff_id is not None and self._hasher is not None:
            actual = Digest(self._diff_id.algorithm, self._hasher.hexdigest())
            if actual != self._diff_id:
                detail = f"expected {self._diff_id}, found {actual}"
                return Failure(InvalidImage("diff_id mismatch", self._target, detail))
        return self._scan.finish()
