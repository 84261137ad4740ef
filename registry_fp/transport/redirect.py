"""Redirects: followed by hand, for reads only, never down from https, and no nearer to us than who redirects is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, ProtocolViolation, Reason, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.location import absolute_url, same_origin, shown
from registry_fp.protocol.message import Incoming, Request
from registry_fp.transport.port import Exchange, Receive

__all__ = ["HOPS", "after_redirect", "with_redirects"]

T = TypeVar("T")

HOPS: Final = 5
"""How many redirects are followed."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    url: URL
    sender: str | None


def with_redirects(inner: Exchange) -> Exchange:
    """Follow a redirect of a GET or HEAD, to any origin; no secret goes along, because secrets belong to an origin.

    Blobs are often kept by another host, and a signed URL must arrive there as it was sent (distribution-spec,
    "Redirects"). Each redirect to another origin is held against the address that it came from (`may_lead`).
    """

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def look(incoming: Incoming) -> Result[T | _Elsewhere, RegistryError]:
            if incoming.status not in _REDIRECTS:
                return (await receive(incoming)).map(_widen)
            following = after_redirect(request, incoming)
            if not is_successful(following):
                return Failure(request.failed(following.failure(), attempts=incoming.attempts))
            return Success(_Elsewhere(following.unwrap(), incoming.peer))

        async def body() -> Result[T, RegistryError]:
            current = request
            for _ in range(HOPS + 1):
                out = await settle(inner(current, look))
                if isinstance(out, Err):
                    return Failure(out.error)
                if not isinstance(out.value, _Elsewhere):
                    return Success(out.value)
                stray = current.stray or not same_origin(out.value.url, request.url)
                current = replace(current, url=out.value.url, stray=stray, sender=out.value.sender)
            return Failure(request.failed(PolicyRefused(f"more than {HOPS} redirects", shown(current.url))))

        return deferred(body)

    return exchange


def after_redirect(request: Request, incoming: Incoming) -> Result[URL, Reason]:
    """Where a redirect leads.

    Fails with `PolicyRefused` for a write, and for a step from https down to http; with `ProtocolViolation` where the
    Location is missing or no URL.
    """
    location = incoming.headers.get("location")
    if not location:
        return Failure(ProtocolViolation("a redirect without Location"))
    target = absolute_url(incoming.url, location)
    if target is None:
        return Failure(ProtocolViolation("the Location of a redirect is no URL"))
    if request.method not in ("GET", "HEAD"):
        return Failure(PolicyRefused(f"a redirect of {request.method} is not followed", shown(target)))
    if target.scheme not in ("http", "https") or (incoming.url.scheme == "https" and target.scheme != "https"):
        return Failure(PolicyRefused("a redirect never leads from https to less", shown(target)))
    if target.user is not None or target.password is not None:
        return Failure(PolicyRefused("a redirect carries credentials", shown(target)))
    return Success(target)


def _widen(value: T) -> T | _Elsewhere:
    return value
