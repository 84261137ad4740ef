"""Unpacking: the bytes of a layer as it lies, compressed or not, on their way to its content.

How they are compressed is seen from the first of them. The content is looked at piece by piece and not kept. A few
bytes can unpack to gigabytes: so the work is done in steps, and what one layer may give is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.codec.sniff import SNIFF_LENGTH, sniff
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, Unsupported

__all__ = ["UNPACKED_LIMIT", "Unpacking"]

UNPACKED_LIMIT: Final = 64 * 1024**3
"""The most bytes that the content of a layer may have, compressed or not; what has more is taken for a bomb."""

# Measured with four layers at once: pieces of 1 MiB are no faster, and cost three times the memory.
_PIECE: Final = 256 * 1024
_PIECES: Final = 32  # of a step: a cancellation waits for no more


@final
class Unpacking:
    """One layer under way: `give` it bytes, and call `step` until there is no more to do with them.

    It has to unpack to `content` (a diff_id), if that is known. The layer itself is `packed`, as far as whoever gives
    its bytes proves it: then one that is not compressed is not hashed again. `look` sees the content, piece by piece,
    and tells what is wrong with it. `name` is what failures call the layer.
    """

    def __init__(
        self,
        name: str,
        content: Digest | None = None,
        *,
        packed: Digest | None = None,
        look: Callable[[bytes], Reason | None] = lambda _content: None,
    ) -> None:
        self.size: int = 0
        self._name = name
        self._content = content
        self._packed = packed
        self._look = look
        self._hasher = None if content is None else new_hasher(content.algorithm)
        self._decompressor: Decompressor | None = None
        self._given: deque[bytes] = deque()

    def give(self, *data: bytes) -> None:
        """The next bytes; no step is under way."""
        self._given.extend(data)

    def step(self, *, last: bool = False) -> Result[bool, Reason]:
        """A part of the work, for a thread; True while there is more to do with what was given.

        Where that was the `last` of it, False means that the content is whole, and proven. `size` is how many bytes of
        content there were. Fails with `InvalidImage` ("bad layer", "diff_id mismatch"), `LimitExceeded`, `Unsupported`
        where a codec is not installed, and as `look`.

        >>> import gzip
        >>> unpacking = Unpacking("layer", look=lambda content: print(content))
        >>> unpacking.give(gzip.compress(b"content"))
        >>> unpacking.step(last=True)
        b'content'
        <Success: False>
        """
        if self._decompressor is None:
            head = b"".join(self._given)
            self._given = deque((head,))
            if len(head) < SNIFF_LENGTH and not last:
                return Success(False)
            made = self._begun(head)
            if not is_successful(made):
                return Failure(made.failure())
            self._decompressor = made.unwrap()
        for _ in range(_PIECES):
            given = self._given.popleft() if self._given and self._decompressor.needs_input else b""
            if not given and not self._given and self._decompressor.needs_input:
                return self._ended(self._decompressor) if last else Success(False)
            fault = self._unpacked(self._decompressor, given)
            if fault is not None:
                return Failure(fault)
        return Success(True)

    def _begun(self, head: bytes) -> Result[Decompressor, Unsupported]:
        encoding = sniff(head)
        if encoding == "none" and self._content == self._packed:
            self._hasher = None
        return new_decompressor(encoding)

    def _unpacked(self, decompressor: Decompressor, given: bytes) -> Reason | None:
        part = decompressor.decompress(given, _PIECE)
        if not is_successful(part):
            return InvalidImage("bad layer", self._name, part.failure().why)
        content = part.unwrap()
        self.size += len(content)
        if self.size > UNPACKED_LIMIT:
            return LimitExceeded("bytes in an unpacked layer", UNPACKED_LIMIT)
        if self._hasher is not None:
            self._hasher.update(content)
        return self._look(content)

    def _ended(self, decompressor: Decompressor) -> Result[bool, Reason]:
        finished = decompressor.finish()
        if not is_successful(finished):
            return Failure(InvalidImage("bad layer", self._name, finished.failure().why))
        if self._content is not None and self._hasher is not None:
            found = Digest(self._content.algorithm, self._hasher.hexdigest())
            if found != self._content:
                told = f"expected {self._content}, found {found}"
                return Failure(InvalidImage("diff_id mismatch", self._name, told))
        return Success(False)
