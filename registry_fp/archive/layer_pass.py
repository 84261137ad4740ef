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
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import InvalidImage, Reason, RegistryError
from registry_fp.domain.media_type import Compression

__all__ = ["LayerPass", "LayerProof", "prove"]

_C = TypeVar("_C")

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
        self._compressor: Compressor | None = None
        self._unpacking: Unpacking | None = None
        self._fault: Reason | None = None
        self._stopped = False
        if layer.compression != "none":
            self._unpacking = Unpacking(layer.name, layer.diff_id)
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
        if self._unpacking is not None:
            self._unpack(self._unpacking, raw)
            return self._give(raw)
        self._content.update(raw)
        return self._give(raw if self._compressor is None else self._compressor.compress(raw))

    def _unpack(self, unpacking: Unpacking, raw: bytes, *, last: bool = False) -> None:
        unpacking.give(raw)
        more = True
        while more and not self._stopped:
            done = unpacking.step(last=last)
            if not is_successful(done):
                self._fault = done.failure()
                return
            more = done.unwrap()

    def _give(self, chunk: bytes) -> bytes:
        self._given.update(chunk)
        self._size += len(chunk)
        return chunk

    def _end(self) -> bytes:
        last = b"" if self._compressor is None else self._give(self._compressor.flush())
        if self._unpacking is not None:
            self._unpack(self._unpacking, b"", last=True)
        elif (diff_id := Digest(self._layer.diff_id.algorithm, self._content.hexdigest())) != self._layer.diff_id:
            told = f"expected {self._layer.diff_id}, found {diff_id}"
            self._fault = InvalidImage("diff_id mismatch", self._layer.name, told)
        given = Digest("sha256", self._given.hexdigest())
        if self._fault is None and self._compressor is None and _contradicts(self._layer.digest, given):
            told = f"expected {self._layer.digest}, found {given}"
            self._fault = InvalidImage("digest mismatch", self._layer.name, told)
        if self._fault is None and not self._stopped:
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
