"""A compressed archive, unpacked once into a file that has no name.

Random access into a compressed stream is not possible, so it is spent disk space, and never memory. The file is
unlinked from the beginning: nothing is left behind, even by a process that is killed.
"""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from errno import ENOSPC
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.off_loop import local_io, off_loop
from registry_fp.archive.tar_header import BLOCK, END_BLOCK, parse_header
from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.codec.sniff import Encoding
from registry_fp.domain.errors import LimitExceeded, LocalIo, Reason, TarUnreadable

__all__ = ["SPOOL_LIMIT", "SPOOL_RESERVE", "SpoolLimits", "spool"]

SPOOL_LIMIT: Final = 64 * 1024**3
"""The most that a compressed archive may unpack to, in bytes."""

SPOOL_RESERVE: Final = 256 * 1024**2
"""How much free space, in bytes, unpacking leaves to others."""

_CHUNK: Final = 1024 * 1024
_CHUNKS_A_STEP: Final = 4


@final
@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much unpacking may write, and how much free space it must leave, in bytes."""

    size: int = SPOOL_LIMIT
    reserve: int = SPOOL_RESERVE


async def spool(
    file: io.FileIO, path: str, encoding: Encoding, held: ExitStack, limits: SpoolLimits
) -> Result[io.FileIO, Reason]:
    """What `file` unpacks to, as a nameless file in TMPDIR that `held` closes.

    Fails with `TarUnreadable` ("bad compression", "not a tar"), `LimitExceeded` beyond `limits.size`, `LocalIo` with
    ENOSPC when less than `limits.reserve` would stay free, and `Unsupported` for zstd where it is not installed.
    """
    decompressor = new_decompressor(encoding)
    if not is_successful(decompressor):
        return Failure(decompressor.failure())
    made = await off_loop("TMPDIR", lambda: _nameless(held))
    if not is_successful(made):
        return made
    target = made.unwrap()
    work = _Unpacking(file, target, decompressor.unwrap(), limits)
    while True:
        done = await off_loop(path, work.step)
        if not is_successful(done):
            return Failure(done.failure())
        if done.unwrap():
            return made


def _nameless(held: ExitStack) -> Result[io.FileIO, Reason]:
    folder = tempfile.gettempdir()
    try:
        return Success(held.enter_context(tempfile.TemporaryFile(buffering=0, dir=folder)))
    except OSError as error:
        return Failure(local_io(error, folder))


@final
class _Unpacking:
    """The work under way; a step is a few megabytes of output, so that a cancellation does not wait long."""

    def __init__(self, source: io.FileIO, target: io.FileIO, decompressor: Decompressor, limits: SpoolLimits) -> None:
        self._source = source
        self._target = target
        self._decompressor = decompressor
        self._limits = limits
        self._read = 0
        self._written = 0

    def step(self) -> Result[bool, Reason]:
        """True when the stream has ended as it should."""
        for _ in range(_CHUNKS_A_STEP):
            piece = b""
            if self._decompressor.needs_input:
                piece = os.pread(self._source.fileno(), _CHUNK, self._read)
                self._read += len(piece)
                if not piece:
                    return self._decompressor.finish().map(lambda _: True).alt(lambda bad: self._bad(bad.why))
            out = self._decompressor.decompress(piece, max_length=_CHUNK)
            if not is_successful(out):
                return Failure(self._bad(out.failure().why))
            fault = self._refusal(out.unwrap()) or self._write(out.unwrap())
            if fault is not None:
                return Failure(fault)
        return Success(False)

    def _refusal(self, out: bytes) -> Reason | None:
        if self._written + len(out) > self._limits.size:
            return LimitExceeded("bytes in the unpacked archive", self._limits.size)
        # A bomb that holds no archive is not unpacked to its end to find that out.
        head = out[:BLOCK] if self._written == 0 else b""
        if len(head) == BLOCK and head != END_BLOCK and not is_successful(parse_header(head)):
            return TarUnreadable("not a tar", detail="what is compressed is no tar")
        return None

    def _write(self, out: bytes) -> LocalIo | None:
        try:
            room = os.fstatvfs(self._target.fileno())
            # Some file systems do not count blocks.
            if room.f_blocks and room.f_bavail * room.f_frsize - len(out) < self._limits.reserve:
                return LocalIo(ENOSPC, tempfile.gettempdir())
            view = memoryview(out)
            while view:
                view = view[self._target.write(view) :]
        except OSError as error:
            return local_io(error, tempfile.gettempdir())
        self._written += len(out)
        return None

    def _bad(self, why: str) -> TarUnreadable:
        return TarUnreadable("bad compression", offset=self._read, detail=why)
