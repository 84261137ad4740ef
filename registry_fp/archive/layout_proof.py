"""A blob of a layout read to its end, keeping nothing: its digest, and of a layer the digest of what it unpacks to."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_pass import UNPACKED_LIMIT
from registry_fp.archive.layout_files import LayoutFiles
from registry_fp.archive.layout_index import blob_name
from registry_fp.archive.layout_read import proven_chunks
from registry_fp.archive.off_loop import off_loop
from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.codec.sniff import sniff
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason

__all__ = ["prove_blob"]

_PIECE: Final = 1024 * 1024
_PIECES: Final = 16  # a few bytes can unpack to gigabytes: so many of these, then the loop has the word


async def prove_blob(files: LayoutFiles, blob: Descriptor, diff_id: Digest | None = None) -> Result[None, Reason]:
    """Whether a blob's bytes are what its descriptor says, and unpack to `diff_id` where one is given.

    Fails as `proven_chunks`; with `InvalidImage` ("bad layer", "diff_id mismatch"), `LimitExceeded` and `Unsupported`.
    """
    unpacking = None if diff_id is None else _Unpacking(blob_name(blob), diff_id)
    async with aclosing(proven_chunks(files, blob)) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            given = chunk.unwrap()
            more = unpacking is not None
            while unpacking is not None and more:
                taken = await off_loop(files.path, partial(unpacking.take, given))
                if not is_successful(taken):
                    return Failure(taken.failure())
                given, more = b"", taken.unwrap()
    return Success(None) if unpacking is None else unpacking.finish()


@final
class _Unpacking:
    """What a layer unpacks to, hashed; it is a layer of a few gigabytes at most."""

    def __init__(self, name: str, diff_id: Digest) -> None:
        self._name = name
        self._diff_id = diff_id
        self._hasher = new_hasher(diff_id.algorithm)
        self._decompressor: Decompressor | None = None
        self._begun = False
        self._size = 0

    def take(self, chunk: bytes) -> Result[bool, Reason]:
        """In a thread: the next bytes; True while there is more to be had of them."""
        if not self._begun:
            self._begun = True
            found = new_decompressor(sniff(chunk))
            if not is_successful(found):
                return Failure(found.failure())
            self._decompressor = found.unwrap()
        return Success(False) if self._decompressor is None else self._unpack(self._decompressor, chunk)

    def _unpack(self, decompressor: Decompressor, chunk: bytes) -> Result[bool, Reason]:
        for _ in range(_PIECES):
            part = decompressor.decompress(chunk, _PIECE)
            chunk = b""
            if not is_successful(part):
                return Failure(InvalidImage("bad layer", self._name, part.failure().why))
            self._hasher.update(part.unwrap())
            self._size += len(part.unwrap())
            if self._size > UNPACKED_LIMIT:
                return Failure(LimitExceeded("bytes in an unpacked layer", UNPACKED_LIMIT))
            if decompressor.needs_input:
                return Success(False)
        return Success(True)

    def finish(self) -> Result[None, Reason]:
        """After the last bytes: whether it was all, and what it should be."""
        ended = Success(None) if self._decompressor is None else self._decompressor.finish()
        if not is_successful(ended):
            return Failure(InvalidImage("bad layer", self._name, ended.failure().why))
        found = Digest(self._diff_id.algorithm, self._hasher.hexdigest())
        if found != self._diff_id:
            return Failure(InvalidImage("diff_id mismatch", self._name, f"expected {self._diff_id}, found {found}"))
        return Success(None)
