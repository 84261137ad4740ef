"""Routes: the way that a request takes, decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import PolicyRefused, Reason
from registry_fp.protocol.location import shown
from registry_fp.protocol.message import Request
from registry_fp.protocol.redaction import WireText
from registry_fp.transport.host_name import host_names
from registry_fp.transport.proxy import Proxy, choose_proxy
from registry_fp.transport.reach import Zone, literal_address, may_lead, nearest, zone_of_name
from registry_fp.transport.settings import Settings

__all__ = ["Route", "out_of_reach", "route_of"]


@final
@dataclass(frozen=True, slots=True)
class Route:
    """Through which proxy, or directly; `near` is the zone nearest to us that it may end in, None is every one.

    `passed_on` is by a proxy that sees the whole of it: for http there is no tunnel.
    """

    proxy: Proxy | None = None
    near: Zone | None = None
    passed_on: bool = False

    def sent(self, headers: dict[str, str]) -> dict[str, str]:
        """These headers as they are sent: who passes a request on finds what is for it among them."""
        return {**headers, **self.told()} if self.passed_on else headers

    def told(self) -> dict[str, str]:
        """What is for the proxy alone, and comes no further (RFC 9110, 11.7.2)."""
        known = None if self.proxy is None else self.proxy.authorization
        return {} if known is None else {"Proxy-Authorization": WireText(known.get_secret_value())}

    def peer(self, address: str | None, url: URL) -> str | None:
        """The address that an answer came from: of a proxied one no more is known than its URL says."""
        return address if self.proxy is None else literal_address(url.raw_host or "")


def route_of(request: Request, settings: Settings) -> Result[Route, Reason]:
    """The way of this request.

    Where a proxy looks a name up, the name is all that can be judged here. Fails with `PolicyRefused` where that is
    enough to say no, and with `Misconfigured` where the proxy that counts is none.
    """
    general = {"http": settings.http_proxy, "https": settings.https_proxy}
    own = settings.at(request.url).proxy
    chosen = choose_proxy(request.url, own, general, settings.no_proxy)
    if own is not None:
        chosen = chosen.alt(lambda reason: replace(reason, setting=f"hosts.{settings.name_of(request.url)}.proxy"))
    if not is_successful(chosen):
        return Failure(chosen.failure())
    proxy = chosen.unwrap()
    near = nearest(request.sender)
    # Led to the registry's own name is led all the same: the name may have another address by now.
    is_led = request.stray or request.sender is not None
    is_free = not is_led or not settings.private_hosts.isdisjoint(host_names(request.url))
    if proxy is None:
        return Success(Route(near=None if is_free else near))
    zone = zone_of_name(request.url.raw_host or "")
    if not is_free and not may_lead(near, zone):
        return Failure(out_of_reach(zone, request.url))
    return Success(Route(proxy, passed_on=request.url.scheme == "http"))


def out_of_reach(zone: Zone, url: URL) -> PolicyRefused:
    """The reason that a URL which a server led to is not connected to."""
    return PolicyRefused(f"an answer from elsewhere never leads to a {zone} address", shown(url))
