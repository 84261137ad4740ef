"""The tags of a repository."""

from __future__ import annotations

from registry_fp.domain.reference import Repository
from registry_fp.effect.operation import Op
from registry_fp.operations.listing import list_names
from registry_fp.operations.noun import repository_noun
from registry_fp.protocol import tag as wire
from registry_fp.transport.port import Client

__all__ = ["list_tags"]


def list_tags(client: Client, repository: str | Repository, *, page_size: int = 1000) -> Op[tuple[str, ...]]:
    """Every tag of a repository, in the order of the registry; names that break the grammar are left out.

    Fails with `NotFound`, `Unauthenticated`, `Denied`, `LimitExceeded`, `ProtocolViolation`, or as the transport does.
    Source: distribution-spec, end-8.
    """
    return repository_noun("list_tags", repository).bind(
        lambda name: list_names(
            client, wire.list_tags(client.origin(name.host), name, page_size=max(1, page_size)), wire.decode_tags
        )
    )
