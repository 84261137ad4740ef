"""Companions: what is about an image and lies beside it, as referrers or under tags that its digest names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import LimitExceeded, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference, Repository
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.referrers import list_referrers
from registry_fp.operations.tags import list_tags
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import Transferred
from registry_fp.transport.port import Client

__all__ = ["Mover", "move_digest_tags", "move_referrers"]

Mover: TypeAlias = Callable[[RawManifest, str | None], Op[Transferred]]
"""What brings a manifest, with everything beneath it, to where it goes, and names it by a tag if there is one."""

_GENERATIONS: Final = 8  # of referrers: a signature of an attestation of an image has two
_REFERRERS: Final = 20_000  # of all generations together


@operation
async def move_referrers(
    client: Client, repository: Repository, subjects: Sequence[Descriptor], move: Mover, *, limit: int
) -> Result[tuple[Transferred, ...], RegistryError]:
    """Move what refers to these manifests, and what refers to that, each once; `limit` lists are asked for at once.

    What a list has and does not refer to its subject stays where it is. Fails as `list_referrers` and `move`, and with
    `LimitExceeded` for more of them than any honest image has.
    """
    origin = RepositoryStore(client, repository)

    def about(subject: Descriptor) -> Op[tuple[Descriptor, ...]]:
        return list_referrers(client, Reference(repository, digest=subject.digest))

    done: list[Transferred] = []
    seen = {each.digest for each in subjects}
    generation = list(subjects)
    for _ in range(_GENERATIONS + 1):
        listed = await settle(traverse(generation, about, limit=limit))
        if isinstance(listed, Err):
            return Failure(listed.error)
        fresh = {each.digest: each for found in listed.value for each in found if each.digest not in seen}
        if not fresh:
            return Success(tuple(done))
        seen |= fresh.keys()
        if len(seen) > _REFERRERS:
            return Failure(_beyond(repository, "referrers of an image", _REFERRERS))
        subject_digests = {each.digest for each in generation}
        generation = []
        for referrer in fresh.values():
            read = await settle(origin.manifest(referrer))
            if isinstance(read, Err):
                return Failure(read.error)
            subject = read.value.model.subject
            if subject is None or subject.digest not in subject_digests:  # whatever the list says
                continue
            out = await settle(move(read.value, None))
            if isinstance(out, Err):
                return Failure(out.error)
            done.append(out.value)
            generation.append(referrer)
    return Failure(_beyond(repository, "generations of referrers", _GENERATIONS))


def _beyond(repository: Repository, what: str, limit: int) -> RegistryError:
    return RegistryError("list_referrers", str(repository), LimitExceeded(what, limit))


@operation
async def move_digest_tags(
    client: Client, repository: Repository, manifests: Sequence[Descriptor], move: Mover
) -> Result[tuple[Transferred, ...], RegistryError]:
    """Move the tags that are named after these manifests: `sha256-<hex>`, `sha256-<hex>.sig` and the like.

    Fails as `list_tags`, `get_manifest` and `move`.
    """
    listed = await settle(list_tags(client, repository))
    if isinstance(listed, Err):
        return Failure(listed.error)
    stems = {f"{each.digest.algorithm}-{each.digest.hex}" for each in manifests}
    done: list[Transferred] = []
    for tag in (tag for tag in listed.value if tag.partition(".")[0] in stems):
        raw = await settle(get_manifest(client, Reference(repository, tag=tag)))
        out = raw if isinstance(raw, Err) else await settle(move(raw.value, tag))
        if isinstance(out, Err):
            return Failure(out.error)
        done.append(out.value)
    return Success(tuple(done))
