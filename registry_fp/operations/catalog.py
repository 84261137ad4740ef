"""The repositories of a registry."""

from __future__ import annotations

from collections.abc import AsyncIterator

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok
from registry_fp.effect.operation import Op
from registry_fp.operations.listing import SHORT_PAGE, Listing, Pages, list_entries
from registry_fp.operations.noun import host_noun
from registry_fp.protocol import tag as wire
from registry_fp.protocol.page import Page
from registry_fp.transport.port import Client, send

__all__ = ["list_repositories", "repository_pages"]


def list_repositories(client: Client, host: str, *, page_size: int = 1000) -> Op[tuple[str, ...]]:
    """The path of every repository at `host`, in the order of the registry.

    Fails with `Unsupported` where the registry has no catalogue (it is not part of the specification, and hosted
    registries often deny it), `Unauthenticated`, `Denied`, `LimitExceeded`, or as the transport does.
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
    def listing(name: str, size: int) -> Listing[str]:
        first = wire.list_repositories(client.origin(name), name, page_size=size)
        shorter = listing(name, SHORT_PAGE) if size > SHORT_PAGE else None
        return Listing(first, lambda request: send(client, request, wire.decode_repositories), size, shorter)

    return Pages(lambda: host_noun("list_repositories", host).map(lambda name: listing(name, max(1, page_size))))
