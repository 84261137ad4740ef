"""Listings: every page, in bounds, until there is no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import LimitExceeded, ProtocolViolation, Reason, RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.page import PAGES_LIMIT
from registry_fp.protocol.tag import Page, following_page
from registry_fp.transport.port import Client, send

__all__ = ["NAMES_LIMIT", "list_names"]

NAMES_LIMIT: Final = 1_000_000
"""How many names of one listing are kept."""


@operation
async def list_names(
    client: Client, first: Request, decode: Callable[[Response], Result[Page, Reason]]
) -> Result[tuple[str, ...], RegistryError]:
    """The names on every page from `first` on, each once, in the order of the registry.

    Fails with `LimitExceeded` beyond `PAGES_LIMIT` pages or `NAMES_LIMIT` names, and with `ProtocolViolation` where
    the pages lead in a circle.
    """
    names: dict[str, None] = {}
    seen = {first.url}
    request = first
    for _ in range(PAGES_LIMIT):
        out = await settle(send(client, request, decode))
        if isinstance(out, Err):
            return Failure(out.error)
        names.update(dict.fromkeys(out.value.names))
        if len(names) > NAMES_LIMIT:
            return Failure(first.failed(LimitExceeded("names in a listing", NAMES_LIMIT)))
        url = out.value.following
        if url is None:
            return Success(tuple(names))
        if url in seen:
            return Failure(first.failed(ProtocolViolation("the pages of the listing lead in a circle")))
        seen.add(url)
        request = following_page(first, url)
    return Failure(first.failed(LimitExceeded("pages in a listing", PAGES_LIMIT)))
