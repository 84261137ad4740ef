"""Decompression, streaming and bounded: a bomb costs the caller no more memory than one `max_length`.

A file may hold several gzip members, zstd frames, or xz or bzip2 streams one after the other; together they are the
content (RFC 1952, 2.2; RFC 8878, 3). Anything else behind the last one is refused: two readers could differ on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, assert_never, final

from returns.result import Failure, Result, Success

from registry_fp.codec.compressor import NO_ZSTD
from registry_fp.codec.engines import ENGINE_ERRORS, ZSTD, Decoder, bzip2_decoder, gzip_decoder, xz_decoder
from registry_fp.codec.sniff import Encoding
from registry_fp.domain.errors import Unsupported

__all__ = ["BadStream", "Decompressor", "new_decompressor"]

# A decoder copies what lies behind its end. Members of a few bytes each, given a megabyte at once, would make that
# quadratic; so after the end of a member the pieces start small, and grow while one member goes on.
_SMALLEST_PIECE: Final = 4 * 1024
_LARGEST_PIECE: Final = 1024 * 1024

# Members that hold nothing give the caller no output to stop at: so many calls of an engine, then it has the word.
_STEPS: Final = 4096

_ZEROS: Final = re.compile(rb"\0*")


@final
@dataclass(frozen=True, slots=True)
class BadStream:
    """A compressed stream that is damaged, cut short, followed by something else, or wants too much memory."""

    why: str


class Decompressor(Protocol):
    """One stream under way; it belongs to one thread at a time, and what it calls gives the interpreter lock back."""

    @property
    def needs_input(self) -> bool:
        """False while more output can be had without more input: call `decompress(b"", max_length)` again."""
        ...

    def decompress(self, data: bytes | memoryview, /, max_length: int) -> Result[bytes, BadStream]:
        """Take in the next bytes; gives at most `max_length` bytes, and perhaps none.

        Give input only while `needs_input`. `data` may be reused when `needs_input` is true again.
        """
        ...

    def finish(self) -> Result[None, BadStream]:
        """After the last input: fails unless the stream ended where it should."""
        ...


def new_decompressor(encoding: Encoding) -> Result[Decompressor, Unsupported]:
    """A fresh decompressor; it takes at most `WINDOW_LIMIT` bytes of memory for what the stream asks.

    Fails with `Unsupported` for zstd where it is not installed.

    >>> import gzip
    >>> stream = new_decompressor("gzip").unwrap()
    >>> stream.decompress(gzip.compress(b"first ") + gzip.compress(b"second"), max_length=100).unwrap()
    b'first second'
    >>> stream.finish()
    <Success: None>
    """
    match encoding:
        case "none":
            return Success(_Plain())
        case "gzip":
            return Success(_Members(gzip_decoder))
        case "zstd":
            return Failure(NO_ZSTD) if ZSTD is None else Success(_Members(ZSTD.decoder))
        case "xz":
            return Success(_Members(xz_decoder, padding=4))
        case "bzip2":
            return Success(_Members(bzip2_decoder))
        case _:
            assert_never(encoding)


class _Plain:
    """Encoding "none": the bytes as they are."""

    def __init__(self) -> None:
        self._left = memoryview(b"")

    @property
    def needs_input(self) -> bool:
        return not self._left

    def decompress(self, data: bytes | memoryview, /, max_length: int) -> Result[bytes, BadStream]:
        held = memoryview(b"".join((self._left, data)) if self._left else data)
        self._left = held[max_length:]
        return Success(bytes(held[:max_length]))

    def finish(self) -> Result[None, BadStream]:
        return Success(None)


class _Members:
    """Members one after the other, each with a decoder of its own.

    `padding`: zero bytes between and behind members belong to the format, in multiples of this (xz format, 2.2).
    """

    def __init__(self, new: Callable[[], Decoder], *, padding: int = 0) -> None:
        self._new = new
        self._padding = padding
        self._zeros = 0
        self._member: Decoder | None = None
        self._complete = 0
        self._blank = True  # the current member has given nothing yet
        self._input = memoryview(b"")
        self._taken = 0  # how much of the input an engine has
        self._piece = _LARGEST_PIECE
        self._fault: BadStream | None = None

    @property
    def needs_input(self) -> bool:
        return self._taken == len(self._input) and (self._member is None or self._member.needs_input)

    def decompress(self, data: bytes | memoryview, /, max_length: int) -> Result[bytes, BadStream]:
        if data:
            self._give(data)
        out: list[bytes] = []
        room = max_length
        for _ in range(_STEPS):
            if self._fault is not None or room <= 0 or self.needs_input:
                break
            part = self._step(room)
            room -= len(part)
            out.append(part)
        return Success(b"".join(out)) if self._fault is None else Failure(self._fault)

    def finish(self) -> Result[None, BadStream]:
        if self._fault is None and (self._member is not None or not self._complete):
            self._fault = BadStream("the compressed stream is cut short")
        if self._fault is None and self._padding and self._zeros % self._padding:
            self._fault = BadStream("the padding behind the compressed stream has a wrong length")
        return Success(None) if self._fault is None else Failure(self._fault)

    def _step(self, room: int) -> bytes:
        """One call of the engine."""
        member = self._member or self._begin()
        if member is None:
            return b""
        end = min(len(self._input), self._taken + self._piece) if member.needs_input else self._taken
        given, self._taken = self._input[self._taken : end], end
        self._piece = min(_LARGEST_PIECE, 2 * self._piece)
        try:
            part = member.decompress(given, room)
            if member.eof:
                self._end(member.unused_data)
        except ENGINE_ERRORS as error:
            self._fault = BadStream(self._told(error))
            return b""
        self._blank = self._blank and not part
        return part

    def _begin(self) -> Decoder | None:
        """The next member; None if nothing but padding is left."""
        if self._padding and self._complete:
            zeros = _ZEROS.match(self._input, self._taken)
            end = self._taken if zeros is None else zeros.end()
            self._zeros += end - self._taken
            self._taken = end
            if end == len(self._input):
                return None
            if self._zeros % self._padding:
                self._fault = BadStream("the padding between compressed streams has a wrong length")
                return None
            self._zeros = 0
        self._member = self._new()
        self._blank = True
        return self._member

    def _end(self, unread: bytes) -> None:
        self._member = None
        self._complete += 1
        self._piece = _SMALLEST_PIECE
        if len(unread) <= self._taken:
            self._taken -= len(unread)
        else:  # input was given before it was asked for
            self._input, self._taken = memoryview(unread + bytes(self._input[self._taken :])), 0

    def _give(self, data: bytes | memoryview) -> None:
        left = self._input[self._taken :]
        self._input, self._taken = memoryview(b"".join((left, data)) if left else data), 0

    def _told(self, error: Exception) -> str:
        if self._complete and self._blank:
            return "something that is not compressed follows the compressed stream"
        return f"{error}"[:200] or type(error).__name__
