"""A blob of a layout read to its end, keeping nothing: its digest, and of a layer the digest of what it unpacks to."""

from __future__ import annotations

from contextlib import aclosing

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_files import LayoutFiles
from registry_fp.archive.layout_index import blob_name
from registry_fp.archive.layout_read import proven_chunks
from registry_fp.archive.unpack import unpack
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Reason

__all__ = ["prove_blob"]


async def prove_blob(files: LayoutFiles, blob: Descriptor, diff_id: Digest | None = None) -> Result[None, Reason]:
    """Whether a blob's bytes are what its descriptor says, and unpack to `diff_id` where one is given.

    Fails as `proven_chunks`; with `InvalidImage` ("bad layer", "diff_id mismatch"), `LimitExceeded` and `Unsupported`.
    """
    async with aclosing(proven_chunks(files, blob)) as chunks:
        if diff_id is not None:
            unpacking = Unpacking(blob_name(blob), diff_id, packed=blob.digest)
            return await unpack(files.path, chunks, unpacking, lambda reason: reason)
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
    return Success(None)
