"""What a status that is not a success means."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from registry_fp.domain.errors import (
    Denied,
    NotFound,
    Problem,
    ProtocolViolation,
    RateLimited,
    Reason,
    Refused,
    ServerFault,
    Unauthenticated,
)
from registry_fp.protocol.message import Response
from registry_fp.protocol.problem import problems_in
from registry_fp.protocol.retry_after import parse_retry_after

__all__ = ["Sought", "fault_of", "objection", "refusal"]

Sought: TypeAlias = Literal["registry", "repository", "manifest", "blob", "tag", "upload", "page"]
"""What a 404 would be about."""

# A 404 may be about something else than what was asked for: a manifest's PUT about a blob that it names.
_TOLD: Final[dict[str, Sought]] = {"NAME_UNKNOWN": "repository", "MANIFEST_BLOB_UNKNOWN": "blob"}


def fault_of(response: Response, now: float) -> RateLimited | ServerFault | None:
    """The transient fault that a status stands for (408, 429, 5xx), if it does; `now` is Unix time in seconds.

    >>> from yarl import URL
    >>> fault_of(Response(429, {"retry-after": "2"}, URL("http://localhost")), now=0.0)
    RateLimited(after=2.0)
    """
    after = parse_retry_after(response.headers.get("retry-after"), now)
    if response.status == 429:
        return RateLimited(after)
    if response.status == 408 or response.status >= 500:
        return ServerFault(response.status, problems_in(response.body), after)
    return None


def objection(response: Response, sought: Sought) -> Reason | None:
    """What speaks against taking an answer for the 200 of a registry: another status, or that it is a web page.

    A captive portal answers everything with 200 and a page.
    """
    if response.status != 200:
        return refusal(response, sought)
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        return ProtocolViolation("a web page came instead of an answer")
    return None


def refusal(response: Response, sought: Sought) -> Reason:
    """The reason that an answer which should have been a success stands for.

    >>> from yarl import URL
    >>> refusal(Response(404, {}, URL("http://localhost")), "manifest")
    NotFound(what='manifest', problems=())
    """
    problems = problems_in(response.body)
    match response.status:
        case 401:
            return Unauthenticated(problems)
        case 403:
            return Denied(problems)
        case 404:
            return NotFound(_missing(problems, sought), problems)
        case 429:
            return RateLimited()
        case status if status == 408 or status >= 500:
            return ServerFault(status, problems)
        case status if status >= 400:
            return Refused(status, problems)
        case status:
            return ProtocolViolation(f"status {status} is no answer to this request")


def _missing(problems: tuple[Problem, ...], sought: Sought) -> Sought:
    for problem in problems:
        if sought != "registry" and problem.code in _TOLD:
            return _TOLD[problem.code]
    return sought
