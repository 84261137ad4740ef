"""Replies: what the registry answers, as values, before anything is sent.

Source: distribution-spec, "Error Codes".
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

from returns.result import Success

from registry_fp.domain.digest import Digest, parse_digest

__all__ = ["CHALLENGE", "Reply", "json_reply", "missing_content", "parsed_digest", "problem"]

CHALLENGE: Final = 'Basic realm="embedded registry", charset="UTF-8"'
"""What a 401 asks for."""

_MESSAGES: Final = {
    "BLOB_UNKNOWN": "blob unknown to registry",
    "BLOB_UPLOAD_INVALID": "blob upload invalid",
    "BLOB_UPLOAD_UNKNOWN": "blob upload unknown to registry",
    "DENIED": "requested access to the resource is denied",
    "DIGEST_INVALID": "provided digest did not match uploaded content",
    "MANIFEST_BLOB_UNKNOWN": "manifest references a manifest or blob unknown to registry",
    "MANIFEST_INVALID": "manifest invalid",
    "MANIFEST_UNKNOWN": "manifest unknown to registry",
    "NAME_INVALID": "invalid repository name",
    "NAME_UNKNOWN": "repository name not known to registry",
    "PAGINATION_NUMBER_INVALID": "invalid number of results requested",
    "SIZE_INVALID": "provided length did not match content length",
    "UNAUTHORIZED": "authentication required",
    "UNSUPPORTED": "the operation is unsupported",
}


@final
@dataclass(frozen=True, slots=True)
class Reply:
    """A status, headers, and a body: bytes, or `length` bytes that are still to be read."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncGenerator[bytes, None] = b""
    length: int = 0


def json_reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A document as JSON, under `application/json` unless the headers say otherwise."""
    return Reply(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(document).encode())


def problem(status: int, code: str, why: str = "", *, headers: Mapping[str, str] | None = None) -> Reply:
    """One error in the specification's form, with a sentence about this case in `detail`.

    >>> problem(404, "NAME_UNKNOWN").body
    b'{"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known to registry"}]}'
    """
    error = {"code": code, "message": _MESSAGES[code]} | ({"detail": why[:512]} if why else {})
    return json_reply(status, {"errors": [error]}, headers)


def missing_content(digests: tuple[Digest, ...]) -> Reply:
    """One MANIFEST_BLOB_UNKNOWN for each piece of content that a manifest names and its repository lacks (end-7)."""
    code = "MANIFEST_BLOB_UNKNOWN"
    errors = [{"code": code, "message": _MESSAGES[code], "detail": {"digest": str(digest)}} for digest in digests]
    return json_reply(404, {"errors": errors})


def parsed_digest(text: str) -> Digest | Reply:
    """A digest, or the answer to something that is none."""
    found = parse_digest(text)
    return found.unwrap() if isinstance(found, Success) else problem(400, "DIGEST_INVALID", f"not a digest: {text}")
