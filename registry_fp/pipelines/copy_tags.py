"""Copying a repository: every image that has a tag, under the tag that it has."""

from __future__ import annotations

from dataclasses import replace

from returns.future import FutureResult

from registry_fp.domain.errors import Misconfigured, RegistryError, SeveralFailed
from registry_fp.domain.reference import Reference, Repository
from registry_fp.effect.operation import Op
from registry_fp.operations.noun import repository_noun
from registry_fp.operations.tags import list_tags
from registry_fp.pipelines.copy import Copied, CopyOptions, copy_all
from registry_fp.transport.port import Client

__all__ = ["copy_tags"]


def copy_tags(
    client: Client,
    source: str | Repository,
    target: str | Repository,
    *,
    options: CopyOptions = CopyOptions(),
    limit: int = 2,
) -> Op[tuple[Copied, ...]]:
    """Copy every tag of a repository to another one, `limit` at once, in the order of the registry's list.

    A tag that stands for something else in the target is moved; what only the target has stays, and tags that break
    the grammar are left out. All are tried, and where some fail the failure names each (`SeveralFailed`). Otherwise
    fails like `list_tags` and `copy`, and with `Misconfigured` where both are one. Source: distribution-spec, end-8.
    """

    def copied(origin: Repository, goal: Repository) -> Op[tuple[Copied, ...]]:
        if origin == goal:
            itself = Misconfigured("target", "it is the source, which has all its tags already")
            return FutureResult.from_failure(RegistryError("copy_tags", str(goal), itself))

        def told(error: RegistryError) -> RegistryError:
            several = isinstance(error.reason, SeveralFailed)
            return replace(error, doing="copy_tags", target=str(goal)) if several else error

        def pairs(tags: tuple[str, ...]) -> list[tuple[Reference, Reference]]:
            return [(Reference(origin, tag=tag), Reference(goal, tag=tag)) for tag in tags]

        found = list_tags(client, origin)
        return found.bind(lambda tags: copy_all(client, pairs(tags), options=options, limit=limit)).alt(told)

    return repository_noun("copy_tags", source).bind(
        lambda origin: repository_noun("copy_tags", target).bind(lambda goal: copied(origin, goal))
    )
