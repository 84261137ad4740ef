"""The repositories of a registry."""

from __future__ import annotations

from registry_fp.effect.operation import Op
from registry_fp.operations.listing import list_names
from registry_fp.operations.noun import host_noun
from registry_fp.protocol import tag as wire
from registry_fp.transport.port import Client

__all__ = ["list_repositories"]


def list_repositories(client: Client, host: str, *, page_size: int = 1000) -> Op[tuple[str, ...]]:
    """The path of every repository at `host`, in the order of the registry.

    Fails with `Unsupported` where the registry has no catalogue (it is not part of the specification, and hosted
    registries often deny it), `Unauthenticated`, `Denied`, `LimitExceeded`, or as the transport does.
    """
    return host_noun("list_repositories", host).bind(
        lambda name: list_names(
            client,
            wire.list_repositories(client.origin(name), name, page_size=max(1, page_size)),
            wire.decode_repositories,
        )
    )
