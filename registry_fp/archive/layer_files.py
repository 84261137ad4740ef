"""The files of a layer, read from its bytes as they arrive: unpacked and looked at in a thread, and not kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.archive.layer_listing import LayerListing
from registry_fp.archive.layer_scan import LayerScan
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.unpack import unpack
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError

__all__ = ["read_layer"]


async def read_layer(
    chunks: AsyncIterator[Result[bytes, RegistryError]], scan: LayerScan, *, target: str, diff_id: Digest | None
) -> Result[LayerListing, RegistryError]:
    """What a layer has, when all its bytes have come and the plain tar is the one that `diff_id` names (if known).

    How it is compressed is seen from the bytes. Fails as `chunks` does, with `TarUnreadable`, `InvalidImage` ("bad
    layer", "diff_id mismatch"), `LimitExceeded`, and `Unsupported` where a codec is not installed.
    """
    failed = partial(RegistryError, "read_layer", target)
    read = await unpack(target, chunks, Unpacking(target, diff_id, look=scan.feed), failed)
    if not is_successful(read):
        return Failure(read.failure())
    return (await off_loop(target, scan.finish)).alt(failed)
