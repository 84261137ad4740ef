r"""Upload sessions as a state machine.

    begin (end-4a, 4c) -> [ send (end-5) ]* -> commit (end-6)        status (end-13) tells where it stands
                       \-> cancel (end-14), at any time

The state is the newest Location, and how many bytes the registry has acknowledged. The Location is used exactly as it
was sent, and always the newest: some registries keep the session's state in it (distribution/distribution#1723). The
server's word on how far it got decides, never ours. A Location is secret-bearing and stays out of errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, final

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.errors import DigestMismatch, NotFound, RangeRejected, Reason, UploadLost
from registry_fp.domain.reference import Repository
from registry_fp.protocol.location import resolve_location, with_parameter
from registry_fp.protocol.message import Body, Request, Response
from registry_fp.protocol.refusal import refusal
from registry_fp.protocol.way import LARGEST_CHUNK

__all__ = [
    "Upload",
    "acknowledged",
    "after_begin",
    "after_cancel",
    "after_chunk",
    "after_commit",
    "after_send",
    "after_status",
    "begin_upload",
    "cancel_upload",
    "commit_upload",
    "put_in_one",
    "send_chunk",
    "upload_status",
]

_RANGE: Final = re.compile(r"(?:bytes=)?0-(?P<last>[0-9]{1,19})", re.ASCII)
_TAKEN: Final = frozenset({201, 202, 204})  # 201 is one registry's answer to a chunk (aws/containers-roadmap#2831)


@final
@dataclass(frozen=True, slots=True)
class Upload:
    """A session: where it is, how many bytes it holds, and the smallest chunk it takes (`OCI-Chunk-Min-Length`)."""

    repository: Repository
    location: URL = field(repr=False)
    sent: int = 0
    min_chunk: int = 0


def begin_upload(origin: URL, repository: Repository, *, algorithm: str = "sha256") -> Request:
    """end-4a: POST /v2/<name>/blobs/uploads/; end-4c, with `?digest-algorithm=`, for another algorithm than sha256."""
    query = "" if algorithm == "sha256" else f"?digest-algorithm={algorithm}"
    url = URL(f"{origin}/v2/{repository.path}/blobs/uploads/{query}", encoded=True)
    return Request("put_blob", str(repository), "POST", url, {"Content-Length": "0"})


def put_in_one(origin: URL, repository: Repository, digest: Digest, body: bytes) -> Request:
    """end-4b: POST /v2/<name>/blobs/uploads/?digest=<digest>; a registry may answer 202 and want the bytes by end-6."""
    url = URL(f"{origin}/v2/{repository.path}/blobs/uploads/?digest={digest}", encoded=True)
    headers = {"Content-Type": "application/octet-stream"}
    return Request("put_blob", f"{repository}@{digest}", "POST", url, headers, body=body)


def send_chunk(upload: Upload, body: Body) -> Request:
    """end-5: PATCH <location>. With a known length it carries `Content-Range`, without one it is a stream."""
    headers = {"Content-Type": "application/octet-stream"}
    if body.length:  # no range has no bytes
        headers["Content-Range"] = f"{upload.sent}-{upload.sent + body.length - 1}"
    target = str(upload.repository)
    return Request("put_blob", target, "PATCH", upload.location, headers, body=body, repeat="never", patience=2.0)


def commit_upload(upload: Upload, digest: Digest, body: Body | bytes | None = None) -> Request:
    """end-6: PUT <location>?digest=<digest>, with the last (or only) bytes of the blob, or none."""
    headers = {"Content-Type": "application/octet-stream"} if body is not None else {"Content-Length": "0"}
    url = with_parameter(upload.location, "digest", str(digest))
    target = f"{upload.repository}@{digest}"
    # Registries check, and some copy, the whole blob before they answer.
    return Request("put_blob", target, "PUT", url, headers, body=body, repeat="never", patience=5.0)


def upload_status(upload: Upload) -> Request:
    """end-13: GET <location>."""
    return Request("put_blob", str(upload.repository), "GET", upload.location)


def cancel_upload(upload: Upload) -> Request:
    """end-14: DELETE <location>."""
    headers = {"Content-Length": "0"}
    return Request("put_blob", str(upload.repository), "DELETE", upload.location, headers, repeat="never")


def acknowledged(response: Response) -> int | None:
    """How many bytes an answer's Range says that a session holds, or that came in a chunk; None where it says nothing.

    `0-0` stands for one byte here, and on some registries for none (distribution-spec#578).
    """
    match = _RANGE.fullmatch(response.headers.get("range", "").strip())
    return None if match is None else int(match["last"]) + 1


def after_begin(repository: Repository, response: Response) -> Result[Upload, Reason]:
    """202 opens a session at its Location."""
    if response.status != 202:
        return Failure(refusal(response, "repository"))
    least = response.headers.get("oci-chunk-min-length", "")
    min_chunk = min(int(least), LARGEST_CHUNK) if least.isascii() and least.isdigit() and len(least) < 19 else 0
    located = resolve_location(response.url, response.headers.get("location"))
    return located.map(lambda url: Upload(repository, url, 0, min_chunk))


def after_send(upload: Upload, length: int, response: Response) -> Result[Upload, Reason]:
    """How far the registry got with a body of `length` bytes: 202, on some registries 201 or 204.

    Fails with `RangeRejected` where it acknowledges another number of bytes than were sent.
    """
    if response.status not in _TAKEN:
        return Failure(_lost_or(upload, response))
    expected = upload.sent + length
    held = acknowledged(response)
    # `0-0` stands for no byte and for one byte alike (distribution-spec#578), and no Range says nothing at all.
    if held is not None and held != expected and not (held == 1 and expected == 0):
        return Failure(RangeRejected(expected, held))
    return _moved(upload, expected, response)


def after_chunk(upload: Upload, length: int, response: Response) -> Result[Upload, Reason]:
    """How far the registry got with one of several chunks: where it took a part, the rest is to be sent again.

    Some registries count the bytes of the chunk alone (regclient#627), or go on naming the first one
    (aws/containers-roadmap#2831). Where a Range cannot be an offset it says nothing, and the digest decides at the end.
    Fails with `RangeRejected` where more is acknowledged than was sent.
    """
    if response.status not in _TAKEN:
        return Failure(_lost_or(upload, response))
    expected = upload.sent + length
    held = acknowledged(response)
    if held is not None and held > max(expected, 1):
        return Failure(RangeRejected(expected, held))
    partly = held is not None and max(upload.sent, 1) < held
    return _moved(upload, held if held is not None and partly else expected, response)


def after_status(upload: Upload, response: Response) -> Result[Upload, Reason]:
    """204: the registry's own offset, from which to go on; `0-0` is read as nothing, so that no byte is left out."""
    if response.status not in (200, 202, 204):
        return Failure(_lost_or(upload, response))
    held = acknowledged(response) or 0
    return _moved(upload, 0 if held == 1 else held, response)


def after_commit(upload: Upload, digest: Digest, response: Response) -> Result[Digest, Reason]:
    """201: the blob is stored under `digest`; another digest of the same algorithm is a `DigestMismatch`."""
    if response.status not in (201, 204):
        return Failure(_lost_or(upload, response))
    stored = parse_digest(response.headers.get("docker-content-digest", "").strip()).value_or(None)
    # A registry may answer a sha512 with its own sha256: only digests of one algorithm can be compared.
    if stored is not None and stored.algorithm == digest.algorithm and stored != digest:
        return Failure(DigestMismatch(digest, stored))
    return Success(digest)


def after_cancel(response: Response) -> Result[None, Reason]:
    """204 is done; that the session is unknown is as good."""
    return Success(None) if response.status in (200, 202, 204, 404) else Failure(refusal(response, "upload"))


def _moved(upload: Upload, sent: int, response: Response) -> Result[Upload, Reason]:
    location = response.headers.get("location")
    if location is None:
        return Success(replace(upload, sent=sent))
    return resolve_location(response.url, location).map(lambda url: replace(upload, location=url, sent=sent))


def _lost_or(upload: Upload, response: Response) -> Reason:
    if response.status == 416:
        return RangeRejected(upload.sent, acknowledged(response))
    reason = refusal(response, "upload")
    return UploadLost(upload.sent) if isinstance(reason, NotFound) else reason
