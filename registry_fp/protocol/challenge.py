"""Challenges: what a registry answers to a request that does not say, or not well enough, who sends it.

    WWW-Authenticate: Bearer realm="https://auth.example/token",service="x",scope="repository:app:pull", Basic realm="x"

A comma separates parameters, challenges and headers alike (a repeated header arrives as one), so the header is read
from its beginning to its end, once. Whatever cannot be read is passed over: it cannot be answered either. Source: RFC
9110, 11.6.1; RFC 6750, 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

__all__ = ["CHALLENGES_LIMIT", "Challenge", "challenges_in"]

CHALLENGES_LIMIT: Final = 16
"""How many challenges of one answer are read, and how many parameters of each."""

_HEADER_LIMIT: Final = 64 * 1024

# Nothing is read twice, whatever comes: possessive, or with only one way to go on.
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# No possessive group: Python 3.11 before 3.11.5 mistakes them (python/cpython#106052). This is linear without.
_QUOTED: Final = r'"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)'
_SEPARATOR: Final = re.compile(r"[\s,]*+")
_PARAMETER: Final = re.compile(rf"(?P<name>{_NAME})\s*+=\s*+(?:{_QUOTED}|(?P<plain>[^\s,\"]*+))", re.DOTALL)
_SCHEME: Final = re.compile(rf"(?P<name>{_NAME})(?=[\s,]|$)(?:[ \t]++[A-Za-z0-9._~+/-]++=*+(?=[ \t]*+(?:,|$)))?")
_STRANGE: Final = re.compile(rf"{_QUOTED}|[^\s,\"]++", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@final
@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in: a scheme in lower case, and its parameters, whose names are in lower case, too."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges_in(header: str | None) -> tuple[Challenge, ...]:
    """The challenges of a `WWW-Authenticate` header, in their order; of a parameter that stands twice, the first.

    >>> [each.scheme for each in challenges_in('Negotiate YWJj==, Bearer realm="a, basic b", BASIC')]
    ['negotiate', 'bearer', 'basic']
    >>> challenges_in('Bearer realm="https://a.example/t",scope="repository:app:pull,push"')[0].parameters["scope"]
    'repository:app:pull,push'
    """
    text = header or ""
    if len(text) > _HEADER_LIMIT:
        return ()
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while (position := _after(_SEPARATOR, text, position)) < len(text):
        parameter = _PARAMETER.match(text, position)
        if parameter is not None:
            position = parameter.end()
            if found and len(found[-1][1]) < CHALLENGES_LIMIT:
                found[-1][1].setdefault(parameter["name"].lower(), _value(parameter))
            continue
        scheme = _SCHEME.match(text, position)
        if scheme is None:
            position = _after(_STRANGE, text, position)
            continue
        if len(found) == CHALLENGES_LIMIT:
            break
        position = scheme.end()
        found.append((scheme["name"].lower(), {}))
    return tuple(Challenge(name, parameters) for name, parameters in found)


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()


def _value(parameter: re.Match[str]) -> str:
    quoted = parameter["quoted"]
    return parameter["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
