"""Blobs: reading (end-2) and deleting (end-10)."""

from __future__ import annotations

import re
from typing import Final

from registry_fp.testing.conversation import Conversation
from registry_fp.testing.replies import Reply, parsed_digest, problem

__all__ = ["delete_blob", "get_blob"]

_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})", re.ASCII)


async def get_blob(talk: Conversation) -> Reply:
    """A blob or a range of it; for HEAD only its size (end-2)."""
    digest = parsed_digest(talk.route.reference)
    if isinstance(digest, Reply):
        return digest
    size = await talk.catalogue.storage.size(digest)
    if size is None or not talk.catalogue.has_blob(talk.name, digest):
        return problem(404, "BLOB_UNKNOWN")
    headers = {
        "Content-Type": "application/octet-stream",
        "Docker-Content-Digest": str(digest),
        "Accept-Ranges": "bytes",
    }
    wanted = None if talk.request.method == "HEAD" else _range(talk.request.headers.get("Range", ""), size)
    if wanted is None:
        return Reply(200, headers, talk.catalogue.storage.read(digest, 0, size), size)
    if not wanted:
        return Reply(416, {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return Reply(206, headers, talk.catalogue.storage.read(digest, wanted.start, wanted.stop), len(wanted))


async def delete_blob(talk: Conversation) -> Reply:
    """Take a blob from this repository; others keep it (end-10)."""
    digest = parsed_digest(talk.route.reference)
    if isinstance(digest, Reply):
        return digest
    if not talk.catalogue.has_blob(talk.name, digest):
        return problem(404, "BLOB_UNKNOWN")
    await talk.catalogue.remove_blob(talk.name, digest)
    return Reply(202, {"Docker-Content-Digest": str(digest)})


def _range(header: str, size: int) -> range | None:
    """The bytes that a Range header asks for: None is all of them, an empty range cannot be satisfied.

    RFC 9110, 14.2: a header that is malformed, or has another unit, is ignored; so may be one with several ranges.

    >>> _range("bytes=2-3", 10), _range("bytes=7-", 10), _range("bytes=-4", 10), _range("bytes=10-", 10)
    (range(2, 4), range(7, 10), range(6, 10), range(0, 0))
    >>> _range("bytes=5-2", 10), _range("bytes=0-1,4-5", 10), _range("lines=0-1", 10)
    (range(0, 0), None, None)
    """
    match = _RANGE.fullmatch(header)
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match["first"], match["last"]
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    return range(start, stop) if start < stop else range(0)
