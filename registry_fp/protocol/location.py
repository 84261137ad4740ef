"""Locations: where a server says that something is.

A location is resolved against the URL that gave it (RFC 3986), stays on that origin, and is otherwise left exactly as
it was sent: registries sign it, and another spelling of the same URL is another signature.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, ProtocolViolation

__all__ = ["absolute_url", "resolve_location", "same_origin", "shown", "with_parameter"]

_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")  # RFC 3986: a URL is printable ASCII, and anything else would be changed

_LONGEST: Final = 300
_NAME: Final = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_DIGEST: Final = r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,128}"
_END_POINT: Final = re.compile(
    rf"/v2/?|/v2/_catalog|/v2/{_NAME}/(?:tags/list|blobs/uploads/|manifests/[\w.-]{{1,128}}|"
    rf"(?:manifests|blobs|referrers)/{_DIGEST})",
    re.ASCII,
)
_SESSION: Final = re.compile(rf"(/v2/{_NAME}/blobs/uploads/).+", re.ASCII)


def resolve_location(base: URL, location: str | None) -> Result[URL, PolicyRefused | ProtocolViolation]:
    """The URL that a `Location` header means, on the origin of `base`.

    Fails with `ProtocolViolation` where there is none, and `PolicyRefused` where it leaves the origin.

    >>> base = URL("http://localhost:5000/v2/app/blobs/uploads/")
    >>> str(resolve_location(base, "/v2/app/blobs/uploads/1?_s=a%2Fb").unwrap())
    'http://localhost:5000/v2/app/blobs/uploads/1?_s=a%2Fb'
    >>> resolve_location(URL("https://one.example/v2/"), "https://two.example/v2/").failure().rule
    'the location leaves https://one.example'
    """
    if not location:
        return Failure(ProtocolViolation("the answer has no Location"))
    target = absolute_url(base, location)
    if target is None:
        return Failure(ProtocolViolation("the location is no URL"))
    if not same_origin(target, base) or target.user is not None or target.password is not None:
        return Failure(PolicyRefused(f"the location leaves {base.origin()}", shown(target)))
    return Success(target)


def absolute_url(base: URL, text: str) -> URL | None:
    """The URL that a server means by `text` in an answer from `base`, without its fragment; None where it is none.

    >>> str(absolute_url(URL("https://one.example/v2/"), "//two.example/a%2Fb"))
    'https://two.example/a%2Fb'
    """
    stripped = text.strip(" \t")
    if _SENDABLE.fullmatch(stripped) is None:
        return None
    try:
        target = URL(urljoin(str(base), stripped).partition("#")[0], encoded=True)
        port = target.origin().port
    except ValueError:
        return None
    return target if target.raw_host and port is not None and 0 < port < 65536 else None


def same_origin(one: URL, other: URL) -> bool:
    """Whether two URLs have one scheme, host and port, however they are spelled (RFC 6454).

    >>> same_origin(URL("https://one.example:443/a"), URL("https://ONE.example/b"))
    True
    """
    return _origin(one) == _origin(other)


def with_parameter(url: URL, name: str, value: str) -> URL:
    """The URL with one more query parameter; not a byte of what was there changes.

    >>> str(with_parameter(URL("http://localhost/u/1?_s=a%2Fb", encoded=True), "digest", "sha256:00"))
    'http://localhost/u/1?_s=a%2Fb&digest=sha256:00'
    """
    text = str(url)
    return URL(f"{text}{'&' if '?' in text else '?'}{name}={value}", encoded=True)


def shown(url: URL, *, path: bool = False) -> str:
    """A URL for people: without credentials, query and fragment, which may be secret.

    So may be a path: who knows that of an upload can write to it. Only those that the specification gives to what can
    be named are shown, or any `path` that is known to be public.

    >>> shown(URL("https://user:pass@one.example/v2/?token=secret#x"))
    'https://one.example/v2/'
    >>> shown(URL("https://one.example/v2/app/blobs/uploads/1b4?_state=5")), shown(URL("https://one.example/sig/1b4"))
    ('https://one.example/v2/app/blobs/uploads/***', 'https://one.example/***')
    """
    try:
        bare = url.with_user(None).with_query(None).with_fragment(None)
        origin = str(bare.origin())
    except ValueError:
        return "a URL that cannot be shown"
    place = bare.raw_path
    if not path and place not in ("", "/") and not _END_POINT.fullmatch(place):
        session = _SESSION.fullmatch(place)
        place = "/***" if session is None else f"{session[1]}***"
    text = f"{origin}{place}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme.lower(), (url.raw_host or "").lower(), url.port
