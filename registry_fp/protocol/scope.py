"""Scopes: what a token is for.

    repository:team/app:pull,push repository:base:pull registry:catalog:*

Source: distribution, "Token Scope Documentation".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["RESOURCES_LIMIT", "are_covered", "merge_scopes", "scopes_in"]

RESOURCES_LIMIT: Final = 16
"""How many resources one token is asked for."""

_LENGTH: Final = 1024
_ORDER: Final = {"pull": 0, "push": 1}


def scopes_in(text: str | None) -> tuple[str, ...]:
    """The scopes that a challenge names, one for each resource.

    >>> scopes_in("repository:app:push,pull repository:base:pull repository:app:delete")
    ('repository:app:pull,push,delete', 'repository:base:pull')
    """
    return merge_scopes((text or "").split(), ())


def merge_scopes(newest: Iterable[str], older: Iterable[str]) -> tuple[str, ...]:
    """All of these, the newest first (some servers read no more than the first), at most `RESOURCES_LIMIT`.

    >>> merge_scopes(["repository:base:pull"], ["repository:app:pull", "repository:base:push"])
    ('repository:base:pull,push', 'repository:app:pull')
    """
    actions: dict[str, set[str]] = {}
    for scope in (*newest, *older):
        resource, wanted = _split(scope)
        if len(scope) <= _LENGTH and (resource in actions or len(actions) < RESOURCES_LIMIT):
            actions.setdefault(resource, set()).update(wanted)
    return tuple(_joined(resource, found) for resource, found in actions.items())


def are_covered(wanted: Iterable[str], granted: Iterable[str]) -> bool:
    """Whether whoever asked for `granted` has asked for `wanted`, too.

    >>> are_covered(["repository:app:pull"], ["repository:app:pull,push"])
    True
    >>> are_covered(["repository:base:pull"], ["repository:app:*"])
    False
    """
    known = dict(map(_split, granted))
    for scope in wanted:
        resource, actions = _split(scope)
        had = known.get(resource)
        if had is None or not ("*" in had or actions <= had):
            return False
    return True


def _split(scope: str) -> tuple[str, frozenset[str]]:
    resource, colon, actions = scope.rpartition(":")
    return (resource, frozenset(filter(None, actions.split(",")))) if colon else (scope, frozenset())


def _joined(resource: str, actions: Iterable[str]) -> str:
    ordered = sorted(actions, key=lambda action: (_ORDER.get(action, 2), action))
    return f"{resource}:{','.join(ordered)}" if ordered else resource
