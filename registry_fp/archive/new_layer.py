"""A new layer: a tar on disk, on its way to become the topmost layer of an image.

What the layer will be called is known before a byte of it is sent, so that it is sent only where it is missing. What a
tar is compressed to is kept in memory as long as it is small; a larger one is compressed again while it is sent, which
costs time and neither memory nor disk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layer_pass import UNPACKED_LIMIT
from registry_fp.archive.local_file import LocalFile, file_body, measure_file
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.tar_header import BLOCK, END_BLOCK, parse_header
from registry_fp.codec.compressor import Compressor, new_compressor
from registry_fp.codec.decompressor import Decompressor, new_decompressor
from registry_fp.codec.sniff import sniff
from registry_fp.domain.digest import Digest, Hasher, new_hasher
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, RegistryError, Unsupported
from registry_fp.domain.media_type import Compression
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.protocol.message import Body

__all__ = ["NewLayer", "read_new_layer"]

_HELD: Final = 16 * 1024 * 1024  # bytes of a compressed layer that are kept until they are sent
_PIECE: Final = 1024 * 1024
_PIECES_A_STEP: Final = 16


@final
@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer that can be sent: its content's digest (`diff_id`), and its bytes as they travel, `size` of them."""

    diff_id: Digest
    digest: Digest
    size: int
    compression: Compression
    body: Body = field(repr=False, compare=False)


@operation
async def read_new_layer(
    path: str, compression: Compression, level: int | None = None
) -> Result[NewLayer, RegistryError]:
    """What a tar becomes as a layer; one that is compressed already stays as it is.

    Fails with `LocalIo`, `InvalidImage` "bad layer" for what is no tar, `Unsupported` (xz, bzip2, a pipe; zstd where it
    is not installed), `Misconfigured` for a level that there is not, `SourceChanged`, and `LimitExceeded`.
    """
    measured = await settle(measure_file(path))
    if isinstance(measured, Err):
        return Failure(measured.error)
    file = measured.value
    head = await _head(file)
    if not is_successful(head):
        return Failure(head.failure())
    match sniff(head.unwrap()):
        case "none":
            if not _begins_a_tar(head.unwrap()):
                return Failure(_failed(file, InvalidImage("bad layer", path, "it is no tar")))
            return await _packed(file, compression, level)
        case ("xz" | "bzip2") as encoding:
            return Failure(_failed(file, Unsupported(f"a layer compressed with {encoding}")))
        case encoding:
            return await _as_it_is(file, encoding)


async def _head(file: LocalFile) -> Result[bytes, RegistryError]:
    async with aclosing(_chunks(file)) as chunks:
        async for chunk in chunks:
            return chunk.map(lambda first: first[:BLOCK])
    return Success(b"")


async def _as_it_is(file: LocalFile, encoding: Compression) -> Result[NewLayer, RegistryError]:
    """A compressed tar: its bytes have a digest already, and what they unpack to needs one."""
    made = new_decompressor(encoding)
    if not is_successful(made):
        return Failure(_failed(file, made.failure()))
    unpacking = _Unpacking(file.path, made.unwrap())
    async with aclosing(_chunks(file)) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            unpacking.give(chunk.unwrap())
            more = True
            while more:
                done = await off_loop(file.path, unpacking.step)
                if not is_successful(done):
                    return Failure(_failed(file, done.failure()))
                more = done.unwrap()
    diff_id = unpacking.end()
    if not is_successful(diff_id):
        return Failure(_failed(file, diff_id.failure()))
    return Success(NewLayer(diff_id.unwrap(), file.digest, file.size, encoding, file_body(file)))


async def _packed(file: LocalFile, compression: Compression, level: int | None) -> Result[NewLayer, RegistryError]:
    """A plain tar: its bytes are its content, and what they are packed to needs a digest."""
    sound = new_compressor(compression, level)
    if not is_successful(sound):
        return Failure(_failed(file, sound.failure()))
    if compression == "none":
        return Success(NewLayer(file.digest, file.digest, file.size, compression, file_body(file)))
    hasher, size, held = new_hasher(), 0, list[bytes]()
    async with aclosing(_packing(file, sound.unwrap(), hasher)) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            size += len(chunk.unwrap())
            held.append(chunk.unwrap())
            if size > _HELD:
                held.clear()
    body = Body(lambda: _again(file, compression, level), size) if size > _HELD else _kept(b"".join(held))
    return Success(NewLayer(file.digest, Digest("sha256", hasher.hexdigest()), size, compression, body))


async def _packing(
    file: LocalFile, compressor: Compressor, hasher: Hasher
) -> AsyncGenerator[Result[bytes, RegistryError], None]:
    async with aclosing(_chunks(file)) as chunks:
        async for chunk in chunks:
            if not is_successful(chunk):
                yield chunk
                return
            yield (await off_loop(file.path, partial(_compressed, compressor, hasher, chunk.unwrap()))).alt(
                partial(_failed, file)
            )
    yield (await off_loop(file.path, partial(_compressed, compressor, hasher, None))).alt(partial(_failed, file))


def _compressed(compressor: Compressor, hasher: Hasher, piece: bytes | None) -> Result[bytes, Reason]:
    out = compressor.flush() if piece is None else compressor.compress(piece)
    hasher.update(out)
    return Success(out)


async def _again(
    file: LocalFile, compression: Compression, level: int | None
) -> AsyncGenerator[Result[bytes, RegistryError], None]:
    """The same bytes once more: a compressor is deterministic, and the file is not another one."""
    async with aclosing(_packing(file, new_compressor(compression, level).unwrap(), new_hasher())) as chunks:
        async for chunk in chunks:
            yield chunk


def _kept(content: bytes) -> Body:
    async def chunks() -> AsyncGenerator[Result[bytes, RegistryError], None]:
        yield Success(content)

    return Body(chunks, len(content))


async def _chunks(file: LocalFile) -> AsyncGenerator[Result[bytes, RegistryError], None]:
    opened = file_body(file).open()
    assert isinstance(opened, AsyncGenerator)  # noqa: S101  a file's body is one, and has to be closed
    async with aclosing(opened) as chunks:
        async for chunk in chunks:
            yield chunk


@final
class _Unpacking:
    """A compressed tar under way to its diff_id; a step is a few megabytes of content."""

    def __init__(self, path: str, decompressor: Decompressor) -> None:
        self._path = path
        self._decompressor = decompressor
        self._content = new_hasher()
        self._first = b""
        self._unpacked = 0
        self._given = b""

    def give(self, raw: bytes) -> None:
        """The next bytes of the file; all steps of those before are done."""
        self._given = raw

    def step(self) -> Result[bool, Reason]:
        """True while there is more to do with what was given."""
        for _ in range(_PIECES_A_STEP):
            if not self._given and self._decompressor.needs_input:
                return Success(False)
            part = self._decompressor.decompress(self._given, _PIECE)
            self._given = b""
            if not is_successful(part):
                return Failure(InvalidImage("bad layer", self._path, part.failure().why))
            self._content.update(part.unwrap())
            self._unpacked += len(part.unwrap())
            self._first += part.unwrap()[: BLOCK - len(self._first)]
            if self._unpacked > UNPACKED_LIMIT:
                return Failure(LimitExceeded("bytes in an unpacked layer", UNPACKED_LIMIT))
        return Success(True)

    def end(self) -> Result[Digest, Reason]:
        """The digest of the content, where the stream ended as it should and is a tar."""
        finished = self._decompressor.finish()
        if not is_successful(finished):
            return Failure(InvalidImage("bad layer", self._path, finished.failure().why))
        if not _begins_a_tar(self._first):
            return Failure(InvalidImage("bad layer", self._path, "what is compressed is no tar"))
        return Success(Digest("sha256", self._content.hexdigest()))


def _begins_a_tar(head: bytes) -> bool:
    return head == END_BLOCK or (len(head) == BLOCK and is_successful(parse_header(head)))


def _failed(file: LocalFile, reason: Reason) -> RegistryError:
    return RegistryError("append_layer", file.path, reason)
