"""The gate: who may do what, decided by a function of the test's own; a token server is such a function.

Source: distribution, "Token Scope Documentation".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

from aiohttp import web

from registry_fp.testing.routes import Route

__all__ = ["Gate", "Visitor", "visitor_of"]


@final
@dataclass(frozen=True, slots=True)
class Visitor:
    """A request at the gate: its Authorization header (empty for none), and the scopes that it takes, one by one."""

    method: str
    path: str
    authorization: str = field(repr=False)
    scopes: tuple[str, ...]


Gate: TypeAlias = Callable[[Visitor], str | None]
"""None lets a visitor in; text is the `WWW-Authenticate` header of the 401."""


def visitor_of(request: web.BaseRequest, route: Route) -> Visitor:
    """What the gate is told about a request."""
    return Visitor(request.method, request.path, request.headers.get("Authorization", ""), _scopes(request, route))


def _scopes(request: web.BaseRequest, route: Route) -> tuple[str, ...]:
    if route.kind == "catalog":
        return ("registry:catalog:*",)
    if not route.repository:
        return ()
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(request.method, "pull,push")
    if route.kind == "upload":
        actions = "pull,push"
    source = request.query.get("from") if "mount" in request.query else None
    own = f"repository:{route.repository}:{actions}"
    return (own, f"repository:{source}:pull") if source else (own,)
