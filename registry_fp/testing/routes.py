"""Routes: which endpoint of the specification a request asks for.

The grammar of names is written here once more, from the specification's text and not from `domain`: a registry that
judges the client must not agree with it by construction. Source: distribution-spec, "Endpoints", "Pulling manifests".
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

__all__ = ["NAME_LIMIT", "Kind", "Route", "find_route", "is_name", "is_tag"]

NAME_LIMIT: Final = 255
"""The longest name of a repository, in characters (distribution-spec: many clients allow no more, with the host)."""

Kind: TypeAlias = Literal["ping", "catalog", "tags", "referrers", "blob", "manifest", "uploads", "upload", "unknown"]

_NAME: Final = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)

# In this order: `uploads/` would else be a blob. A name is greedy, so that `a/blobs/b` can be one.
_PATHS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("ping", re.compile(r"/v2/(?P<name>)(?P<reference>)")),
    ("catalog", re.compile(r"/v2/_catalog(?P<name>)(?P<reference>)")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list(?P<reference>)")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>)")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("referrers", re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)")),
)

_ENDPOINTS: Final[dict[tuple[Kind, str], str]] = {
    ("ping", "GET"): "end-1",
    ("ping", "HEAD"): "end-1",
    ("catalog", "GET"): "catalog",
    ("blob", "GET"): "end-2",
    ("blob", "HEAD"): "end-2",
    ("manifest", "GET"): "end-3",
    ("manifest", "HEAD"): "end-3",
    ("uploads", "POST"): "end-4a",
    ("upload", "PATCH"): "end-5",
    ("upload", "PUT"): "end-6",
    ("manifest", "PUT"): "end-7a",
    ("tags", "GET"): "end-8a",
    ("manifest", "DELETE"): "end-9",
    ("blob", "DELETE"): "end-10",
    ("referrers", "GET"): "end-12a",
    ("upload", "GET"): "end-13",
    ("upload", "DELETE"): "end-14",
}

# What a parameter of the query makes of an endpoint; the first that is present decides.
_VARIANTS: Final = {
    "end-4a": (("mount", "end-11"), ("digest", "end-4b"), ("digest-algorithm", "end-4c")),
    "end-7a": (("tag", "end-7b"),),
    "end-8a": (("n", "end-8b"), ("last", "end-8b")),
    "end-12a": (("artifactType", "end-12b"),),
}


@final
@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint (`end-N`, `catalog` or `unknown`), the repository and what is named in it.

    `allowed` are the methods that the path has, whether or not the request used one of them.
    """

    kind: Kind
    endpoint: str
    repository: str = ""
    reference: str = ""
    allowed: tuple[str, ...] = ()


def find_route(method: str, path: str, query: Container[str] = ()) -> Route:
    """The endpoint that a request asks for.

    >>> find_route("POST", "/v2/team/app/blobs/uploads/", {"mount": "sha256:0", "from": "b"}).endpoint
    'end-11'
    >>> find_route("GET", "/v2/a/blobs/b/manifests/latest").repository
    'a/blobs/b'
    >>> find_route("PUT", "/v2/app/tags/list")
    Route(kind='tags', endpoint='unknown', repository='app', reference='', allowed=('GET',))
    """
    for kind, pattern in _PATHS:
        match = pattern.fullmatch(path)
        if match is not None:
            endpoint = _ENDPOINTS.get((kind, method), "unknown")
            variants = _VARIANTS.get(endpoint, ())
            endpoint = next((variant for parameter, variant in variants if parameter in query), endpoint)
            allowed = tuple(found for path_kind, found in _ENDPOINTS if path_kind == kind)
            return Route(kind, endpoint, match["name"], match["reference"], allowed)
    return Route("unknown", "unknown")


def is_name(text: str) -> bool:
    """Whether this can be the name of a repository."""
    return len(text) <= NAME_LIMIT and _NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether this can be a tag."""
    return _TAG.fullmatch(text) is not None
