"""One pass over a layer: read, hash, compress, hash, and give out, in threads.

The content's digest (diff_id) and the digest of what is given out come from the same pass, so that nothing is read
twice. A thread makes the next chunks while the last ones are being sent: neither the socket nor the compressor waits
for the other, and a few chunks are the memory that it costs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.ahead import ahead
from registry_fp.archive.docker_save import SavedLayer
from registry_fp.archive.opened import OpenArchive, read_window
from registry_fp.codec.compressor import Compressor, new_compressor
from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, RegistryError
from registry_fp.domain.media_type import Compression

__all__ = ["UNPACKED_LIMIT", "LayerPass", "LayerProof", "prove"]

_C = TypeVar("_C")

UNPACKED_LIMIT: Final = 64 * 1024**3
"""How many bytes a compressed layer may unpack to before it is taken for a bomb."""

# Measured with four layers at once: pieces of 1 MiB are no faster, and cost three times the memory.
_PIECE: Final = 256 * 1024
_ENOUGH: Final = 512 * 1024  # give a chunk out when it has this many bytes ...
_PIECES_PER_HOP: Final = 8  # ... or after this many pieces, so that a cancellation never waits long


@final
@dataclass(frozen=True, slots=True)
class LayerProof:
    """What a complete pass has shown: the content is the diff_id's, and what was given out has this digest and size."""

    digest: Digest
    size: int


@final
class LayerPass:
    """One pass over one layer; to go over it again, make another. The archive stays open until `chunks` has ended."""

    def __init__(
        self, archive: OpenArchive, layer: SavedLayer, *, doing: str, compression: Compression, level: int | None = None
    ) -> None:
        self.proof: LayerProof | None = None
        self.read: int = 0
        self._archive = archive
        self._layer = layer
        self._doing = doing
        self._content = new_hasher(layer.diff_id.algorithm)
        self._given = new_hasher()
        self._size = 0
        self._unpacked = 0
        self._compressor: Compressor | None = None
        self._decompressor: Decompressor | None = None
        self._fault: Reason | None = None
        self._stopped = False
        if layer.compression != "none":
            self._decompressor = self._kept(new_decompressor(layer.compression))
        elif compression != "none":
            self._compressor = self._kept(new_compressor(compression, level))

    async def chunks(self) -> AsyncGenerator[Result[bytes, RegistryError], None]:
        """What is given out; the last item is a failure if the layer is not what it claims to be.

        Fails with `InvalidImage` (diff_id mismatch, digest mismatch, bad layer), `SourceChanged`, `LimitExceeded` or
        `Unsupported`. When it has ended without a failure, `proof` is there.
        """
        async with aclosing(ahead(self._hop, self._archive.threads)) as hops:
            try:
                async for chunk in hops:
                    if chunk:
                        yield Success(chunk)
                if self._fault is not None:
                    yield Failure(RegistryError(self._doing, str(self._archive.source), self._fault))
            finally:
                self._stopped = True

    def _hop(self) -> tuple[bytes, bool]:
        """In a thread: the next chunk, and whether there is more; the last one is given only with its proof."""
        out: list[bytes] = []
        size = 0
        for _ in range(_PIECES_PER_HOP):
            left = self._layer.length - self.read
            if not left or self._fault is not None or self._stopped:
                break
            out.append(self._piece(min(_PIECE, left)))
            size += len(out[-1])
            if size >= _ENOUGH:
                break
        more = self.read < self._layer.length
        if not more and self._fault is None and not self._stopped:
            out.append(self._end())
        if self._fault is not None or self._stopped:
            return b"", False
        return b"".join(out), more

    def _piece(self, length: int) -> bytes:
        window = read_window(self._archive, self._layer.offset + self.read, length)
        if not is_successful(window):
            self._fault = window.failure()
            return b""
        raw = window.unwrap()
        self.read += len(raw)
        if self._decompressor is not None:
            self._unpack(self._decompressor, raw)
            return self._give(raw)
        self._content.update(raw)
        return self._give(raw if self._compressor is None else self._compressor.compress(raw))

    def _unpack(self, decompressor: Decompressor, raw: bytes) -> None:
        given = raw
        while not self._stopped and (given or not decompressor.needs_input):  # a few bytes can unpack to gigabytes
            part = decompressor.decompress(given, _PIECE)
            given = b""
            if not is_successful(part):
                self._fault = InvalidImage("bad layer", self._layer.name, part.failure().why)
                return
            content = part.unwrap()
            self._content.update(content)
            self._unpacked += len(content)
            if self._unpacked > UNPACKED_LIMIT:
                self._fault = LimitExceeded("bytes in an unpacked layer", UNPACKED_LIMIT)
                return

    def _give(self, chunk: bytes) -> bytes:
        self._given.update(chunk)
        self._size += len(chunk)
        return chunk

    def _end(self) -> bytes:
        last = b"" if self._compressor is None else self._give(self._compressor.flush())
        finished = None if self._decompressor is None else self._decompressor.finish()
        layer = self._layer
        diff_id = Digest(layer.diff_id.algorithm, self._content.hexdigest())
        given = Digest("sha256", self._given.hexdigest())
        if finished is not None and not is_successful(finished):
            self._fault = InvalidImage("bad layer", layer.name, finished.failure().why)
        elif diff_id != layer.diff_id:
            self._fault = InvalidImage("diff_id mismatch", layer.name, f"expected {layer.diff_id}, found {diff_id}")
        elif self._compressor is None and _contradicts(layer.digest, given):
            self._fault = InvalidImage("digest mismatch", layer.name, f"expected {layer.digest}, found {given}")
        else:
            self.proof = LayerProof(given, self._size)
        return last

    def _kept(self, made: Result[_C, Reason]) -> _C | None:
        if is_successful(made):
            return made.unwrap()
        self._fault = made.failure()
        return None


def _contradicts(claimed: Digest | None, given: Digest) -> bool:
    return claimed is not None and claimed.algorithm == given.algorithm and claimed != given


async def prove(archive: OpenArchive, layer: SavedLayer, *, doing: str) -> Result[LayerProof, RegistryError]:
    """Read a layer to its end, keeping nothing: what its bytes are as they lie. Fails as `LayerPass.chunks` does."""
    one = LayerPass(archive, layer, doing=doing, compression=layer.compression)
    async with aclosing(one.chunks()) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
    assert one.proof is not None  # noqa: S101  a pass that ended without a failure has its proof
    return Success(one.proof)
