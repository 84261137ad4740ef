"""Blobs on the wire: end-2, end-10 and end-11. Uploads have a file of their own."""

from __future__ import annotations

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Reason
from registry_fp.domain.reference import Repository
from registry_fp.protocol.content_range import parse_content_range
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.refusal import objection
from registry_fp.protocol.upload import Upload, after_begin

__all__ = [
    "after_mount",
    "decode_delete",
    "decode_head",
    "decode_part",
    "delete_blob",
    "get_blob",
    "head_blob",
    "mount_blob",
]


def head_blob(origin: URL, repository: Repository, digest: Digest) -> Request:
    """end-2: HEAD /v2/<name>/blobs/<digest>."""
    return Request("has_blob", f"{repository}@{digest}", "HEAD", _url(origin, repository, digest))


def get_blob(origin: URL, repository: Repository, digest: Digest, *, start: int = 0) -> Request:
    """end-2: GET /v2/<name>/blobs/<digest>, as it is stored: the digest is over those bytes.

    From byte `start` on, where that is not the first: a registry should then answer 206 (RFC 9110, 14.2), and may
    answer 200 with the whole.
    """
    url = _url(origin, repository, digest)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    return Request("get_blob", f"{repository}@{digest}", "GET", url, headers)


def delete_blob(origin: URL, repository: Repository, digest: Digest) -> Request:
    """end-10: DELETE /v2/<name>/blobs/<digest>."""
    return Request("delete_blob", f"{repository}@{digest}", "DELETE", _url(origin, repository, digest))


def mount_blob(origin: URL, repository: Repository, digest: Digest, source: Repository) -> Request:
    """end-11: POST /v2/<name>/blobs/uploads/?mount=<digest>&from=<other>."""
    url = URL(f"{origin}/v2/{repository.path}/blobs/uploads/?mount={digest}&from={source.path}", encoded=True)
    headers = {"Content-Length": "0"}
    return Request("mount_blob", f"{repository}@{digest}", "POST", url, headers)


def decode_head(response: Response) -> Result[int | None, Reason]:
    """The size of a blob that is there (-1 where the registry does not say it); None for one that is not."""
    refused = objection(response, "blob")
    if refused is None:
        return Success(-1 if response.length is None else response.length)
    return Success(None) if response.status == 404 else Failure(refused)


def decode_part(response: Response) -> Result[int | None, Reason]:
    """`decode_head` of the answer to a GET for the first byte: a part of the blob, the whole, or that it is empty."""
    match response.status:
        case 206:
            part = parse_content_range(response.headers.get("content-range", ""))
            return Success(-1 if part is None or part.total is None else part.total)
        case 416:
            return Success(0 if response.headers.get("content-range", "").strip() == "bytes */0" else -1)
        case _:
            return decode_head(response)


def decode_delete(response: Response) -> Result[None, Reason]:
    """202 is done; a 404 to a repeated request says that the first one was done too."""
    if response.status in (202, 204) or (response.status == 404 and response.attempts > 1):
        return Success(None)
    refused = objection(response, "blob")
    return Success(None) if refused is None else Failure(refused)


def after_mount(repository: Repository, response: Response) -> Result[Upload | None, Reason]:
    """None: mounted (201). An upload session: not mounted, and the registry is ready to take the bytes (202)."""
    if response.status == 201:
        return Success(None)
    return after_begin(repository, response)


def _url(origin: URL, repository: Repository, digest: Digest) -> URL:
    return URL(f"{origin}/v2/{repository.path}/blobs/{digest}", encoded=True)
