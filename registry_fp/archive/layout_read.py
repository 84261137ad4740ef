"""The bytes of one blob of a layout, read ahead in a thread and proven on the way.

The last of them are given only with the proof, so that whoever counts them never has a whole blob that is wrong.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.archive.ahead import ahead
from registry_fp.archive.layout_files import LayoutFiles, Window
from registry_fp.archive.layout_index import blob_name
from registry_fp.archive.off_loop import local_io
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, new_hasher
from registry_fp.domain.errors import DigestMismatch, LocalIo, MissingContent, Reason, SizeMismatch

__all__ = ["proven_chunks"]

_PIECE: Final = 512 * 1024


async def proven_chunks(files: LayoutFiles, wanted: Descriptor) -> AsyncGenerator[Result[bytes, Reason], None]:
    """The bytes that a descriptor names; they end in a failure where they are not its own.

    Fails with `MissingContent`, `SizeMismatch` before anything is given, `DigestMismatch` before the last bytes are,
    and as the files do.
    """
    with ExitStack() as held:
        found = await files.window(blob_name(wanted), held)
        if not is_successful(found):
            yield Failure(found.failure())
            return
        window = found.unwrap()
        if window is None:
            yield Failure(MissingContent((wanted.digest,)))
            return
        if window.size != wanted.size:
            yield Failure(SizeMismatch(wanted.size, window.size))
            return
        reading = _Reading(window, wanted, files.path)
        async with aclosing(ahead(reading.step, None)) as steps:
            async for chunk in steps:
                if not is_successful(chunk):
                    yield chunk
                    return
                if chunk.unwrap():
                    yield chunk


@final
class _Reading:
    """A pass over a window; a step is one piece."""

    def __init__(self, window: Window, wanted: Descriptor, path: str) -> None:
        self._window = window
        self._wanted = wanted
        self._path = path
        self._hasher = new_hasher(wanted.digest.algorithm)
        self._at = 0

    def step(self) -> tuple[Result[bytes, Reason], bool]:
        """In a thread: the next bytes, and whether there is more."""
        length = min(_PIECE, self._window.size - self._at)
        try:
            piece = self._window.read(self._at, length)
        except OSError as error:
            failed: LocalIo = local_io(error, self._path)
            return Failure(failed), False
        if not is_successful(piece):
            return piece, False
        self._hasher.update(piece.unwrap())
        self._at += length
        if self._at < self._window.size:
            return piece, True
        actual = Digest(self._wanted.digest.algorithm, self._hasher.hexdigest())
        if actual != self._wanted.digest:
            return Failure(DigestMismatch(self._wanted.digest, actual)), False
        return piece, False
