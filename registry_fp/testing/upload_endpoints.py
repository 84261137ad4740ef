"""Uploads: starting, mounting, sending, asking, cancelling (end-4, 5, 6, 11, 13, 14)."""

from __future__ import annotations

import re
import sys
from contextlib import aclosing
from typing import Final

from registry_fp.domain.digest import ALGORITHMS, Digest
from registry_fp.testing.conversation import Conversation, Severed
from registry_fp.testing.replies import Reply, parsed_digest, problem
from registry_fp.testing.upload_location import upload_location
from registry_fp.testing.uploads import Upload

__all__ = ["cancel_upload", "commit_upload", "get_upload", "mount_blob", "patch_upload", "post_blob", "start_upload"]

_CONTENT_RANGE: Final = re.compile(r"(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})", re.ASCII)


async def start_upload(talk: Conversation) -> Reply:
    """Open a session, for sha256 or the named algorithm (end-4a, end-4c)."""
    algorithm = talk.query.get("digest-algorithm", "sha256")
    if algorithm not in ALGORITHMS:
        return problem(400, "DIGEST_INVALID", f"unknown algorithm: {algorithm}")
    return _progress(talk, talk.uploads.start(talk.name, algorithm), 202)


async def post_blob(talk: Conversation) -> Reply:
    """A whole blob in one request (end-4b)."""
    digest = parsed_digest(talk.query["digest"])
    if isinstance(digest, Reply):
        return digest
    upload = talk.uploads.start(talk.name, digest.algorithm)
    try:
        return await _receive(talk, upload) or await _commit(talk, upload, digest)
    finally:
        if talk.uploads.is_open(upload):
            talk.uploads.end(upload)
            await upload.sink.discard()


async def mount_blob(talk: Conversation) -> Reply:
    """Take a blob from another repository, or from any; where there is none, open a session (end-11)."""
    digest = parsed_digest(talk.query["mount"])
    if isinstance(digest, Reply):
        return digest
    source, profile = talk.query.get("from"), talk.quirks.profile
    willing = profile.mount == "mounts" and (source is not None or profile.anonymous_mount)
    if not willing or talk.catalogue.holder(digest, source) is None:
        return _progress(talk, talk.uploads.start(talk.name, digest.algorithm), 202)
    if not talk.forgets:
        await talk.catalogue.add_blob(talk.name, digest)
    return _created(talk, digest)


async def patch_upload(talk: Conversation) -> Reply:
    """The next bytes: a chunk with a Content-Range, or a stream without (end-5)."""
    upload = _find(talk)
    if isinstance(upload, Reply):
        return upload
    async with upload.lock:
        return await _receive(talk, upload) or _progress(talk, upload, talk.quirks.profile.patch_status)


async def commit_upload(talk: Conversation) -> Reply:
    """The last bytes, if any, and the digest of them all (end-6)."""
    upload, digest = _find(talk), parsed_digest(talk.query.get("digest", ""))
    if isinstance(upload, Reply):
        return upload
    if isinstance(digest, Reply):
        return digest
    async with upload.lock:
        return await _receive(talk, upload) or await _commit(talk, upload, digest)


async def get_upload(talk: Conversation) -> Reply:
    """How far a session got, under a new Location (end-13)."""
    upload = _find(talk)
    if isinstance(upload, Reply):
        return upload
    upload.renew()
    return _progress(talk, upload, 204)


async def cancel_upload(talk: Conversation) -> Reply:
    """End a session and drop what arrived (end-14)."""
    upload = _find(talk)
    if isinstance(upload, Reply):
        return upload
    async with upload.lock:
        if not talk.uploads.is_open(upload):
            return problem(404, "BLOB_UPLOAD_UNKNOWN")
        talk.uploads.end(upload)
        await upload.sink.discard()
    return Reply(204)


def _find(talk: Conversation) -> Upload | Reply:
    upload = talk.uploads.find(talk.name, talk.route.reference, talk.query.get("_state"))
    return problem(404, "BLOB_UPLOAD_UNKNOWN") if upload is None else upload


async def _receive(talk: Conversation, upload: Upload) -> Reply | None:
    """Add the request's body to the session; an answer only where something is wrong with it."""
    expected = _expected(talk, upload)
    if isinstance(expected, Reply):
        return expected
    profile = talk.quirks.profile
    limit, length = _limit(talk), talk.request.content_length or 0
    if length > limit and profile.too_large != "reset":
        return _too_large(talk, upload)
    before = upload.sink.size
    lost = before > 0 and not profile.accepts_chunked
    try:
        async with aclosing(talk.pieces()) as pieces:
            async for piece in pieces:
                room = limit - (talk.visit.bytes_in - len(piece))
                if not lost:
                    await upload.sink.append(piece[:room])
                if room < len(piece):
                    return await _overrun(talk, upload)
    finally:
        if upload.sink.size > before:
            upload.renew()
    if expected is not None and talk.visit.bytes_in != expected:
        return problem(400, "SIZE_INVALID", f"Content-Range has {expected} bytes, the body {talk.visit.bytes_in}")
    upload.short = 0 < talk.visit.bytes_in < profile.min_chunk
    return None


def _limit(talk: Conversation) -> int:
    """How many bytes the body of this request may have."""
    profile = talk.quirks.profile
    limits = [profile.max_body, profile.max_chunk if "Content-Range" in talk.request.headers else None]
    return min((limit for limit in limits if limit is not None), default=sys.maxsize)


def _too_large(talk: Conversation, upload: Upload) -> Reply:
    return _progress(talk, upload, 416) if talk.quirks.profile.too_large == 416 else problem(413, "SIZE_INVALID")


async def _overrun(talk: Conversation, upload: Upload) -> Reply:
    """The end of a body that had no length, or whose length nobody looked at, where it becomes too large."""
    profile = talk.quirks.profile
    if profile.too_large != "reset":
        return _too_large(talk, upload)
    if not profile.status:  # what cannot be asked how far it came is not kept either
        talk.uploads.end(upload)
        await upload.sink.discard()
    raise Severed


def _expected(talk: Conversation, upload: Upload) -> int | Reply | None:
    """How many bytes a Content-Range announces; or the answer to one that may not be sent now."""
    if not talk.uploads.is_open(upload):
        return problem(404, "BLOB_UPLOAD_UNKNOWN")
    header, length = talk.request.headers.get("Content-Range"), talk.request.content_length
    size: int | None = None
    if header is not None:
        match = _CONTENT_RANGE.fullmatch(header)
        if match is None:
            return problem(400, "BLOB_UPLOAD_INVALID", f"Content-Range is not first-last: {header}")
        if int(match["first"]) != upload.sink.size:
            return _progress(talk, upload, 416)
        size = int(match["last"]) - int(match["first"]) + 1
        if size < 1 or (length is not None and length != size):
            return problem(400, "SIZE_INVALID", f"Content-Range is {header}, Content-Length is {length}")
    if upload.short and (length != 0 or header is not None):
        return problem(400, "SIZE_INVALID", "the chunk before this one was too small to be any but the last")
    if talk.route.kind == "upload" and talk.query.get("_state") != upload.state:
        return problem(404, "BLOB_UPLOAD_INVALID", "not the newest Location of this upload")
    return size


async def _commit(talk: Conversation, upload: Upload, digest: Digest) -> Reply:
    actual = await upload.sink.digest(digest.algorithm)
    talk.uploads.end(upload)
    if actual != digest or talk.forgets:
        await upload.sink.discard()
    else:
        await talk.catalogue.keep_blob(talk.name, digest, upload.sink)
    return _created(talk, digest) if actual == digest else problem(400, "DIGEST_INVALID", f"the content is {actual}")


def _created(talk: Conversation, digest: Digest) -> Reply:
    location = talk.location(f"/v2/{talk.name}/blobs/{digest}")
    return Reply(201, {"Location": location, "Docker-Content-Digest": str(digest)})


def _progress(talk: Conversation, upload: Upload, status: int) -> Reply:
    """How far the session got: `Range` is `0-<last byte>`, and also `0-0` before the first, as registries have it."""
    profile = talk.quirks.profile
    headers = {"Location": upload_location(profile.location, talk.origin, upload), "Docker-Upload-UUID": upload.id}
    counts = profile.range_of if talk.request.method == "PATCH" else "blob"
    if counts != "none":
        held = upload.sink.size if counts == "blob" else talk.visit.bytes_in
        headers["Range"] = f"0-{max(held - 1, 0)}"
    if talk.route.kind == "uploads" and profile.min_chunk:
        headers["OCI-Chunk-Min-Length"] = str(profile.min_chunk)
    return Reply(status, headers)
