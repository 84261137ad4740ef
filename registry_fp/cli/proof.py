"""Proof: a layer is read back from the registry, and both of its digests are computed anew.

With arithmetic of the command line's own: a fault that the push had in packing does not hide here.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, TypeAlias

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Chunks,
    Client,
    Descriptor,
    Digest,
    DigestMismatch,
    InvalidImage,
    Op,
    RegistryError,
    Repository,
    consume_blob,
)
from registry_fp.cli.unpack import Unpack, new_unpack

__all__ = ["prove_layer"]

_Hash: TypeAlias = Any  # typeshed keeps the type of a hash private


def prove_layer(client: Client, repository: Repository, layer: Descriptor, diff_id: Digest) -> Op[None]:
    """Read a layer back: its bytes have its digest, and what they unpack to has its diff_id.

    Fails with `DigestMismatch` or `InvalidImage` where that is not so, and as `consume_blob` does.
    """
    target = f"{repository}@{layer.digest}"

    def failed(expected: Digest, found: _Hash) -> Failure[RegistryError]:
        actual = Digest(expected.algorithm, found.hexdigest())
        return Failure(RegistryError("prove_layer", target, DigestMismatch(expected, actual)))

    async def use(chunks: Chunks) -> Result[None, RegistryError]:
        packed, content = hashlib.new(layer.digest.algorithm), hashlib.new(diff_id.algorithm)
        unpack = new_unpack(layer.media_type)
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            try:
                await asyncio.to_thread(_hash, chunk.unwrap(), packed, unpack, content)
            except ValueError as error:
                return Failure(RegistryError("prove_layer", target, InvalidImage("bad layer", None, str(error))))
        if packed.hexdigest() != layer.digest.hex:
            return failed(layer.digest, packed)
        return Success(None) if content.hexdigest() == diff_id.hex else failed(diff_id, content)

    return consume_blob(client, repository, layer, use)


def _hash(chunk: bytes, packed: _Hash, unpack: Unpack, content: _Hash) -> None:
    packed.update(chunk)
    for part in unpack(chunk):
        content.update(part)
