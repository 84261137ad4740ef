"""Headers: as they are sent, and as they are read."""

from __future__ import annotations

from collections.abc import Mapping

from registry_fp.protocol.message import Request

__all__ = ["joined_headers", "sent_headers"]


def sent_headers(request: Request) -> dict[str, str]:
    """The headers of a request, with the length of its body where that is known."""
    body = request.body
    length = len(body) if isinstance(body, bytes) else None if body is None else body.length
    sized = {} if length is None else {"Content-Length": str(length)}
    return {**request.headers, **sized}


def joined_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers by their names in lower case; those that come several times are joined by commas (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
