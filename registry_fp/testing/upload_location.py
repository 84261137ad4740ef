"""Locations of uploads: where a registry says that a session is, in every shape that registries were seen to give it.

A client has to come back with exactly what it was given. So each shape can be read in one spelling only, and whoever
changes a byte of it has no session.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from registry_fp.protocol.profile import LocationShape
from registry_fp.testing.uploads import Upload

__all__ = ["issued_target", "upload_location"]

_NO_QUERY: Final = re.compile(r"(?P<path>/v2/.+/blobs/uploads/[0-9a-f]{32})\.(?P<state>[\w-]+=*)", re.ASCII)
_ELSEWHERE: Final = re.compile(r"/artifacts-uploads/(?P<name>.+)/(?P<id>[0-9a-f]{32})\.(?P<state>[\w-]+=*)", re.ASCII)
# Lower-case escapes, and one of a character that needs none: what a careless client would spell otherwise.
_ENCODED: Final = re.compile(r"(?P<path>/v2/.+/blobs/uploads/[0-9a-f]{32})%7e%2b\?_state=(?P<state>[^&]*)(?:&.*)?")


def upload_location(shape: LocationShape, origin: str, upload: Upload) -> str:
    """The newest Location of a session, as this kind of registry would write it."""
    path, query = f"/v2/{upload.repository}/blobs/uploads/{upload.id}", f"?_state={quote(upload.state, safe='')}"
    hidden = urlsafe_b64encode(upload.state.encode()).decode()
    match shape:
        case "path":
            return f"{path}{query}"
        case "bare":
            return f"{upload.id}{query}"
        case "no-query":
            return f"{origin}{path}.{hidden}"
        case "port":
            return f"{_with_port(origin)}{path}{query}"
        case "encoded":
            return f"{origin}{path}%7e%2b?_state={_lower(upload.state)}"
        case "fragment":
            return f"{origin}{path}{query}#part-{len(upload.states)}"
        case "elsewhere":
            return f"{origin}/artifacts-uploads/{upload.repository}/{upload.id}.{hidden}"
        case "absolute" | "state":
            return f"{origin}{path}{query}"


def issued_target(shape: LocationShape, target: str, path: str, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The path and the query that a request's `target` means in a registry of plain Locations.

    What was not issued in this shape is left as it is, and names no session.

    >>> issued_target("elsewhere", "", "/artifacts-uploads/app/00112233445566778899aabbccddeeff.YQ==", {})
    ('/v2/app/blobs/uploads/00112233445566778899aabbccddeeff', {'_state': 'a'})
    """
    known = dict(query)
    match shape:
        case "no-query" if found := _NO_QUERY.fullmatch(path):
            return found["path"], {**known, "_state": _shown(found["state"])}
        case "elsewhere" if found := _ELSEWHERE.fullmatch(path):
            name = f"/v2/{found['name']}/blobs/uploads/{found['id']}"
            return name, {**known, "_state": _shown(found["state"])}
        case "encoded" if found := _ENCODED.fullmatch(target):
            state = unquote(found["state"])
            return found["path"], {**known, "_state": state if _lower(state) == found["state"] else ""}
        case _:
            return path, known


def _with_port(origin: str) -> str:
    parts = urlsplit(origin)
    return origin if parts.port is not None else f"{origin}:{443 if parts.scheme == 'https' else 80}"


def _lower(text: str) -> str:
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


def _shown(hidden: str) -> str:
    try:
        return urlsafe_b64decode(hidden).decode()
    except (Error, UnicodeDecodeError):
        return ""
