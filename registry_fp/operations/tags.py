"""The tags of a repository."""

from __future__ import annotations

from collections.abc import AsyncIterator

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.exits import Err, Ok
from registry_fp.effect.operation import Op
from registry_fp.operations.listing import Listing, Pages, list_entries, named_pages
from registry_fp.operations.noun import repository_noun
from registry_fp.protocol import tag as wire
from registry_fp.protocol.message import Request
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
    def ask(request: Request) -> Op[Page[str]]:
        return send(client, request, wire.decode_tags)

    def listing(name: Repository) -> Listing[str]:
        origin = client.origin(name.host)
        return named_pages(client, name.host, page_size, lambda size: wire.list_tags(origin, name, page_size=size), ask)

    return Pages(lambda: repository_noun("list_tags", repository).map(listing))
