"""Answers as a server may send them: shorthand, and strategies for what no specification allows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from returns.result import Result, Success
from yarl import URL

from registry_fp.protocol.message import Response

HERE = URL("https://one.example/v2/team/app/blobs/uploads/")


def answer(status: int, body: bytes = b"", *, url: URL = HERE, attempts: int = 1, **headers: str) -> Response:
    """An answer; header names are written with underscores."""
    named = {name.replace("_", "-").lower(): text for name, text in headers.items()}
    return Response(status, named, url, body, attempts)


def taken(result: Result[Any, Any]) -> Any:
    """What the result holds, on whichever track."""
    return result.unwrap() if isinstance(result, Success) else result.failure()


# As aiohttp decodes a header: UTF-8, and lone surrogates for what is none.
texts = st.text(st.characters(codec=None, exclude_characters="\r\n"), max_size=80)

_NAMES = (
    "content-length",
    "content-type",
    "docker-content-digest",
    "link",
    "location",
    "oci-chunk-min-length",
    "oci-filters-applied",
    "oci-tag",
    "range",
    "retry-after",
)
_LIKELY = st.sampled_from(
    [
        "0",
        "-1",
        "1e9",
        "9" * 30,
        "9" * 5000,
        "0-0",
        "0-9",
        "bytes=0-9",
        "0-" + "9" * 25,
        "sha256:" + "0" * 64,
        "sha512:" + "0" * 128,
        "sha256:" + "A" * 64,
        "application/vnd.oci.image.manifest.v1+json",
        "application/json; charset=utf-8",
        "/v2/team/app/blobs/uploads/1?_state=%2F",
        "//two.example/x",
        "http://[::1",
        "https://one.example:99999/",
        "</v2/team/app/tags/list?last=b>; rel=next",
        "<x>; rel=next",
        "<",
        "Thu, 01 Jan 1970 00:00:30 GMT",
        "880.092µs",
    ]
)
headers = st.dictionaries(st.sampled_from(_NAMES), _LIKELY | texts)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
_KEYS = ("errors", "code", "message", "tags", "repositories", "manifests", "layers", "config", "schemaVersion", "size")
documents = st.dictionaries(st.sampled_from(_KEYS), _json | st.integers(0, 2), max_size=6)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bytes of any kind: noise, JSON of any shape, and documents that look nearly right."""
    chosen = draw(st.binary(max_size=200) | _json | documents | st.just({"errors": None}))
    if isinstance(chosen, bytes):
        return chosen
    return json.dumps(chosen).encode("utf-8", "surrogatepass")


responses = st.builds(
    Response,
    st.sampled_from([200, 201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 405, 408, 413, 416, 429, 500, 503])
    | st.integers(100, 999),
    headers,
    st.just(HERE),
    bodies(),
    st.integers(1, 3),
)
