"""Redaction: what of a request and of its answer may be shown in a log.

Only what is known to be harmless is shown; of everything else, that it was there. A URL that a server made can be a
key: who knows an upload's can write to it, and who knows a signed one can read. So of a path only the end points of the
specification are shown, and of a query the names, and the values that we write into it ourselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, final

from yarl import URL

from registry_fp.domain.printable import printable
from registry_fp.protocol.challenge import Challenge, challenges_in
from registry_fp.protocol.location import absolute_url, shown

__all__ = ["MASK", "WireText", "redacted_headers", "redacted_url"]

MASK: Final = "***"
"""What stands for something that is not shown."""

_LONGEST: Final = 500
_MOST: Final = 64
_LINKS: Final = 16 * 1024  # characters of a list of links that are looked at: a line shows no more than a few

_PARAMETER: Final = re.compile(r"[\w.~-]{1,60}", re.ASCII)
_DIGEST: Final = re.compile(r"[a-z0-9.+_-]{1,30}:[0-9a-f]{32,128}")
_PLACE: Final = re.compile(r"[\w.:/,+%-]{0,200}", re.ASCII)
_OURS: Final = {
    "n": re.compile(r"[0-9]{1,9}"),
    "ns": re.compile(r"[\w.:%-]{1,100}", re.ASCII),
    **dict.fromkeys(("digest", "mount"), _DIGEST),
    **dict.fromkeys(("scope", "service"), _PLACE),
}
_LINKED: Final = re.compile(r"<([^<>]*)>")

_HARMLESS: Final = frozenset(
    {
        *("accept", "accept-encoding", "accept-ranges", "age", "cache-control", "connection", "content-encoding"),
        *("content-length", "content-range", "content-type", "date", "docker-content-digest"),
        *("docker-distribution-api-version", "etag", "last-modified", "oci-chunk-min-length", "oci-filters-applied"),
        *(
            "oci-subject",
            "range",
            "ratelimit-limit",
            "ratelimit-remaining",
            "retry-after",
            "server",
            "transfer-encoding",
        ),
        *("user-agent", "vary", "via", "warning"),
    }
)
_TOLD_BY_CHALLENGES: Final = frozenset({"realm", "service", "scope", "error"})


@final
class WireText(str):
    """A secret header on its way to the wire, which takes it as text; in a trace of local variables it hides itself.

    >>> headers = {"Authorization": WireText("Bearer abc")}
    >>> headers, headers["Authorization"] == "Bearer abc"
    ({'Authorization': ***}, True)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


def redacted_url(url: URL) -> str:
    """A URL without credentials and fragment, without the path that a server made, and without the values of a query.

    >>> redacted_url(URL("https://ada:pw@one.example/v2/app/blobs/uploads/1b4?_state=abc&n=10"))
    'https://one.example/v2/app/blobs/uploads/***?_state=***&n=10'
    >>> redacted_url(URL("https://store.example/signed/abc?X-Sig=abc"))
    'https://store.example/***?X-Sig=***'
    """
    query = "&".join(_parameters(url.raw_query_string))
    return printable(f"{shown(url)}{'?' if query else ''}{query}", _LONGEST)


def redacted_headers(headers: Mapping[str, str], base: URL) -> tuple[str, ...]:
    """`name: value` for each header of a message from or to the URL `base`, in the order of the names.

    >>> redacted_headers({"Authorization": "Bearer abc", "ETag": "1"}, URL("https://one.example/v2/"))
    ('authorization: Bearer ***', 'etag: 1')
    """
    named = sorted((name.lower(), _value(name.lower(), value, base)) for name, value in headers.items())
    return tuple(f"{printable(name, _LONGEST)}: {printable(value, _LONGEST)}" for name, value in named[:_MOST])


def _value(name: str, value: str, base: URL) -> str:
    match name:
        case _ if name in _HARMLESS:
            return value
        case "authorization":
            scheme = value.partition(" ")[0]
            return f"{scheme} {MASK}" if scheme in ("Basic", "Bearer") else MASK
        case "location":
            return _located(value, base)
        case "link":
            return ", ".join(f"<{_located(each, base)}>" for each in _LINKED.findall(value[:_LINKS])) or MASK
        case "www-authenticate":
            return ", ".join(_challenge(each, base) for each in challenges_in(value)) or MASK
        case _:
            return MASK


def _located(text: str, base: URL) -> str:
    url = absolute_url(base, text)
    return MASK if url is None else redacted_url(url)


def _challenge(challenge: Challenge, base: URL) -> str:
    told = (
        f'{name}="{_realm(value, base) if name == "realm" else value}"'
        if name in _TOLD_BY_CHALLENGES
        else f"{name}={MASK}"
        for name, value in challenge.parameters.items()
    )
    return f"{challenge.scheme} {' '.join(told)}".rstrip()


def _realm(text: str, base: URL) -> str:
    url = absolute_url(base, text) if "://" in text else None
    return MASK if url is None else shown(url, path=True)


def _parameters(query: str) -> Iterator[str]:
    for each in query.split("&")[:_MOST] if query else ():
        name, is_pair, value = each.partition("=")
        if not is_pair or _PARAMETER.fullmatch(name) is None:
            yield MASK
        elif name in _OURS and _OURS[name].fullmatch(value):
            yield each
        else:
            yield f"{name}={MASK}"
