"""Siblings: the tags that are names of one manifest. A registry does not list them; each tag has to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Denied, NotFound, Reason, RegistryError, Unauthenticated
from registry_fp.domain.reference import Reference, Repository
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.manifests import head_manifest
from registry_fp.transport.port import Client

__all__ = ["TAGS_LIMIT", "digests_of", "is_gone", "tags_on"]

TAGS_LIMIT: Final = 1000
"""How many tags of a repository are asked what they stand for."""


def tags_on(
    client: Client, repository: Repository, tags: Iterable[str], wanted: frozenset[Digest]
) -> Op[tuple[str, ...]]:
    """Those of these tags that stand for one of the wanted digests, by one HEAD each.

    A tag that is gone meanwhile is none of them. Fails as `head_manifest` does otherwise: a part is not the whole.
    """
    names = tuple(tags)
    return digests_of(client, repository, names).map(
        lambda found: tuple(name for name, digest in zip(names, found, strict=True) if digest in wanted)
    )


def digests_of(
    client: Client, repository: Repository, tags: Iterable[str], *, known: bool = False
) -> Op[tuple[Digest | None, ...]]:
    """What each of these tags stands for; None for one that is not there: `known` ones were, and `is_gone` tells."""

    @operation
    async def asked(tag: str) -> Result[Digest | None, RegistryError]:
        found = await settle(head_manifest(client, Reference(repository, tag)))
        if isinstance(found, Err):
            reason = found.error.reason
            absent = is_gone(reason) if known else isinstance(reason, NotFound)
            return Success(None) if absent else Failure(found.error)
        return Success(found.value.digest)

    return traverse(tags, asked, limit=client.settings.concurrency)


def is_gone(reason: Reason) -> bool:
    """Whether what we were shown before is there no more: some registries then say that we may not see it.

    Source: google/go-containerregistry#1691.

    >>> is_gone(NotFound("manifest")), is_gone(Denied())
    (True, True)
    """
    return isinstance(reason, NotFound | Denied | Unauthenticated)
