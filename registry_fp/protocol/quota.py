"""Quotas: how much a registry lets us ask, as far as it says.

Docker Hub counts pulls in windows of hours (`RateLimit-Limit: 100;w=21600`); others speak one of the drafts that were
to become a standard. Whatever cannot be read says nothing, and nothing is ever decided by it. Sources: Docker Hub,
"Pull usage and limits"; draft-ietf-httpapi-ratelimit-headers, 03, 07 and 10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, final

__all__ = ["Quota", "quota_in"]

_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_HEADER_LIMIT: Final = 1024
_MOST: Final = 16
_SOURCE_LIMIT: Final = 128
_TELLING: Final = ("ratelimit-limit", "ratelimit-remaining", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining")

_Item: TypeAlias = tuple[str, Mapping[str, str]]


@final
@dataclass(frozen=True, slots=True)
class Quota:
    """`remaining` of `limit` requests in `window` seconds are left; it begins anew in `reset` seconds. None: not said.

    `source` is for whom it is counted: an address, or an account.
    """

    limit: int | None = None
    remaining: int | None = None
    window: int | None = None
    reset: int | None = None
    source: str | None = None


def quota_in(headers: Mapping[str, str]) -> Quota | None:
    """What an answer's headers (names in lower case) say about a quota; None where they say nothing that can be read.

    >>> quota_in({"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600"})
    Quota(limit=100, remaining=76, window=21600, reset=None, source=None)
    >>> quota_in({"ratelimit": '"pulls";r=9;t=30', "ratelimit-policy": '"pulls";q=10;w=60'})
    Quota(limit=10, remaining=9, window=60, reset=30, source=None)
    """
    if not any(name in headers for name in _TELLING):
        return None
    policies = _items(headers.get("ratelimit-policy"))
    whole = _items(headers.get("ratelimit"))
    told = _in_one(whole, policies) if whole else _in_parts(headers, policies)
    if told.limit is None and told.remaining is None:
        return None
    source = headers.get("docker-ratelimit-source", "").strip()[:_SOURCE_LIMIT]
    return replace(told, source=source if source and source.isprintable() else None)


def _in_parts(headers: Mapping[str, str], policies: tuple[_Item, ...]) -> Quota:
    """One header for each number, as Docker Hub and the drafts up to 06 have it.

    What the `X-` form calls reset is a moment for some and a pause for others, so it is not read.
    """
    limit, window = _first(headers.get("ratelimit-limit", headers.get("x-ratelimit-limit")))
    remaining, same_window = _first(headers.get("ratelimit-remaining", headers.get("x-ratelimit-remaining")))
    reset, _ = _first(headers.get("ratelimit-reset"))
    listed = (*_items(headers.get("ratelimit-limit")), *policies)
    windows = (_number(parameters.get("w")) for value, parameters in listed if _number(value) == limit)
    beside = next((each for each in windows if each is not None), None)
    return Quota(limit, remaining, window or same_window or beside, reset)


def _in_one(items: tuple[_Item, ...], policies: tuple[_Item, ...]) -> Quota:
    """One header for all numbers: `limit=10, remaining=9, reset=30` of draft 07, or `"name";r=9;t=30` of later ones."""
    flat = {name.strip().lower(): text.strip() for name, found, text in (_halves(each) for each, _ in items) if found}
    if flat:
        limit = _number(flat.get("limit"))
        windows = (_number(parameters.get("w")) for value, parameters in policies if _number(value) == limit)
        return Quota(limit, _number(flat.get("remaining")), next(windows, None), _number(flat.get("reset")))
    rules = dict(policies)
    named = [
        Quota(_number(rule.get("q")), _number(now.get("r")), _number(rule.get("w")), _number(now.get("t")))
        for name, now in items
        for rule in (rules.get(name, {}),)
    ]
    # Of several quotas the one that ends first is the one that counts.
    return min(named, key=lambda each: float("inf") if each.remaining is None else each.remaining)


def _first(header: str | None) -> tuple[int | None, int | None]:
    """The first number of a list, and its window."""
    for value, parameters in _items(header)[:1]:
        return _number(value), _number(parameters.get("w"))
    return None, None


def _items(header: str | None) -> tuple[_Item, ...]:
    items = ([part.strip() for part in item.split(";")] for item in (header or "")[:_HEADER_LIMIT].split(","))
    return tuple(
        (value, {name.strip().lower(): text.strip() for name, _, text in map(_halves, parameters[:_MOST])})
        for value, *parameters in list(items)[:_MOST]
        if value
    )


def _halves(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
