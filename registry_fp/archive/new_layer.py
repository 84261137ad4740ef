"""A new layer: a tar on disk, on its way to become the topmost layer of an image.

What the layer will be called is known before a byte of it is sent, so that it is sent only where it is missing. What a
tar is compressed to is kept in memory as long as it is small; a larger one is compressed again while it is sent, which
costs time and neither memory nor disk.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.local_file import LocalFile, file_body, measure_file
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.tar_header import BLOCK, END_BLOCK, parse_header
from registry_fp.archive.unpack import unpack
from registry_fp.codec.compressor import Compressor, new_compressor
from registry_fp.codec.sniff import sniff
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.digest import Digest, Hasher, new_hasher
from registry_fp.domain.errors import InvalidImage, Reason, RegistryError, Unsupported
from registry_fp.domain.media_type import Compression
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.protocol.message import Body, Chunks, held_body

__all__ = ["NewLayer", "read_new_layer"]

_HELD: Final = 16 * 1024 * 1024  # bytes of a compressed layer that are kept until they are sent


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
    async with file_body(file).opened() as chunks:
        async for chunk in chunks:
            return chunk.map(lambda first: first[:BLOCK])
    return Success(b"")


async def _as_it_is(file: LocalFile, encoding: Compression) -> Result[NewLayer, RegistryError]:
    """A compressed tar: its bytes have a digest already, and what they unpack to needs one."""
    content, first = new_hasher(), bytearray()

    def look(piece: bytes) -> None:
        content.update(piece)
        first.extend(piece[: BLOCK - len(first)])

    async with file_body(file).opened() as chunks:
        read = await unpack(file.path, chunks, Unpacking(file.path, look=look), partial(_failed, file))
    if not is_successful(read):
        return Failure(read.failure())
    if not _begins_a_tar(bytes(first)):
        return Failure(_failed(file, InvalidImage("bad layer", file.path, "what is compressed is no tar")))
    diff_id = Digest("sha256", content.hexdigest())
    return Success(NewLayer(diff_id, file.digest, file.size, encoding, file_body(file)))


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
    body = Body(lambda: _again(file, compression, level), size) if size > _HELD else held_body(b"".join(held))
    return Success(NewLayer(file.digest, Digest("sha256", hasher.hexdigest()), size, compression, body))


async def _packing(file: LocalFile, compressor: Compressor, hasher: Hasher) -> Chunks:
    async with file_body(file).opened() as chunks:
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


async def _again(file: LocalFile, compression: Compression, level: int | None) -> Chunks:
    """The same bytes once more: a compressor is deterministic, and the file is not another one."""
    async with aclosing(_packing(file, new_compressor(compression, level).unwrap(), new_hasher())) as chunks:
        async for chunk in chunks:
            yield chunk


def _begins_a_tar(head: bytes) -> bool:
    return head == END_BLOCK or (len(head) == BLOCK and is_successful(parse_header(head)))


def _failed(file: LocalFile, reason: Reason) -> RegistryError:
    return RegistryError("append_layer", file.path, reason)
