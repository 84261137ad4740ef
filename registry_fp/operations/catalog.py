"""The repositories of a registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from registry_fp.domain.errors import Denied, RegistryError, Unauthenticated
from registry_fp.effect.exits import Err, Ok
from registry_fp.effect.operation import Op
from registry_fp.operations.listing import Listing, Pages, list_entries, named_pages
from registry_fp.operations.noun import host_noun
from registry_fp.protocol import tag as wire
from registry_fp.protocol.message import Request
from registry_fp.protocol.page import Page
from registry_fp.transport.port import Client, send

__all__ = ["list_repositories", "repository_pages"]


def list_repositories(client: Client, host: str, *, page_size: int = 1000) -> Op[tuple[str, ...]]:
    """The path of every repository at `host`, in the order of the registry.

    Fails with `Unsupported` where the registry has no catalogue (it is not part of the specification, and hosted
    registries deny it: those that are known to), `Unauthenticated`, `Denied`, `LimitExceeded`, or as the transport
    does.
    """
    return list_entries(lambda: _pages(client, host, page_size), str)


def repository_pages(
    client: Client, host: str, *, page_size: int = 1000
) -> AsyncIterator[Ok[Page[str]] | Err[RegistryError]]:
    """The paths of the repositories at `host`, page by page; an `Err` is the last item.

    Nothing is open between two pages. Fails like `list_repositories`.
    """
    return _pages(client, host, page_size)


def _pages(client: Client, host: str, page_size: int) -> Pages[str]:
    def listing(name: str) -> Listing[str]:
        def ask(request: Request) -> Op[Page[str]]:
            return send(client, request, wire.decode_repositories).alt(denied)

        def denied(error: RegistryError) -> RegistryError:
            is_absent = not client.profiles.of(name).catalog and isinstance(error.reason, Unauthenticated | Denied)
            return replace(error, reason=wire.NO_CATALOGUE) if is_absent else error

        origin = client.origin(name)
        return named_pages(
            client, name, page_size, lambda size: wire.list_repositories(origin, name, page_size=size), ask
        )

    return Pages(lambda: host_noun("list_repositories", host).map(listing))
