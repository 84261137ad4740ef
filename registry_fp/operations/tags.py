"""The tags of a repository."""

from __future__ import annotations

from collections.abc import AsyncIterator

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.exits import Err, Ok
from registry_fp.effect.operation import Op
from registry_fp.operations.listing import SHORT_PAGE, Listing, Pages, list_entries
from registry_fp.operations.noun import repository_noun
from registry_fp.protocol import tag as wire
from registry_fp.protocol.page import Page
from registry_fp.transport.port import Client, send

__all__ = ["list_tags", "tag_pages"]


def list_tags(client: Client, repository: str | Repository, *, page_size: int = 1000) -> Op[tuple[str, ...]]:
    """Every tag of a repository, in the order of the registry; names that break the grammar are left out.

    Fails with `NotFound`, `Unauthenticated`, `Denied`, `LimitExceeded`, `ProtocolViolation`, or as the transport does.
    Source: distribution-spec, end-8.
    """
    return list_entries(lambda: _pages(client, repository, page_size), str)


def tag_pages(
    client: Client, repository: str | Repository, *, page_size: int = 1000
) -> AsyncIterator[Ok[Page[str]] | Err[RegistryError]]:
    """The tags of a repository, page by page; an `Err` is the last item.

    Nothing is open between two pages. `page_size` is a wish: a page has as many tags as the registry puts on it. Fails
    like `list_tags`. Source: distribution-spec, end-8.
    """
    return _pages(client, repository, page_size)


def _pages(client: Client, repository: str | Repository, page_size: int) -> Pages[str]:
    def listing(name: Repository, size: int) -> Listing[str]:
        first = wire.list_tags(client.origin(name.host), name, page_size=size)
        shorter = listing(name, SHORT_PAGE) if size > SHORT_PAGE else None
        return Listing(first, lambda request: send(client, request, wire.decode_tags), size, shorter)

    return Pages(lambda: repository_noun("list_tags", repository).map(lambda name: listing(name, max(1, page_size))))
