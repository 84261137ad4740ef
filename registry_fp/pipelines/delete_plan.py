"""Deletion, planned: what would go and what would stay, found out by reading alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import ALGORITHMS, digest_of
from registry_fp.domain.errors import Conflict, LimitExceeded, NotFound, RegistryError
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.referrers import list_referrers
from registry_fp.operations.tags import list_tags
from registry_fp.pipelines.siblings import TAGS_LIMIT, tags_on
from registry_fp.transport.port import Client

__all__ = ["DeletePlan", "plan_delete"]


@final
@dataclass(frozen=True, slots=True)
class DeletePlan:
    """What `delete` would remove: a tag, or a manifest with every tag on it.

    `tags` go, and `kept` are other tags of the same manifest, which stay. `content` is what the manifest lists, each
    digest once: blobs, or the manifests of an index. `referrers` are about the manifest, and stay without a subject
    where it goes.
    """

    reference: Reference
    removes: Literal["tag", "manifest"]
    manifest: Descriptor
    tags: tuple[str, ...]
    kept: tuple[str, ...]
    content: tuple[Descriptor, ...]
    referrers: tuple[Descriptor, ...]

    @property
    def size(self) -> int:
        """The bytes of the manifest and of what it lists: what a registry can free at most, sooner or later."""
        return self.manifest.size + sum(each.size for each in self.content)


def plan_delete(client: Client, name: str | Reference, *, tags_limit: int = TAGS_LIMIT) -> Op[DeletePlan]:
    """What `delete` of this name would take away; nothing is changed, and only GET and HEAD are sent.

    Each tag of the repository costs one HEAD; more than `tags_limit` of them are a `LimitExceeded`, because a plan
    from a part would hide the rest. Whether the registry can remove a tag alone, only the deletion tells. Fails with
    `NotFound`, `Conflict` where the tag does not stand for the digest beside it, or like `get_manifest`, `list_tags`
    and `list_referrers`. Source: end-3, end-8, end-12.
    """
    return reference_noun("plan_delete", name).bind(lambda ref: _planned(client, ref, tags_limit))


@operation
async def _planned(client: Client, ref: Reference, tags_limit: int) -> Result[DeletePlan, RegistryError]:
    asked = ref if ref.tag is None else Reference(ref.repository, ref.tag)
    found = await settle(get_manifest(client.at_origin(), asked))
    if isinstance(found, Err):
        return Failure(found.error)
    manifest = found.value
    names = frozenset(digest_of(manifest.raw, algorithm) for algorithm in ALGORITHMS)
    if ref.digest is not None and ref.digest not in names:
        reason = Conflict(ref.digest, digest_of(manifest.raw, ref.digest.algorithm))
        return Failure(RegistryError("plan_delete", str(ref), reason))
    listed = await settle(list_tags(client, ref.repository))
    if isinstance(listed, Err) and not isinstance(listed.error.reason, NotFound):
        return Failure(listed.error)
    present = listed.value if isinstance(listed, Ok) else ()  # a registry may not know a repository without tags
    if len(present) > tags_limit:
        return Failure(RegistryError("plan_delete", str(ref), LimitExceeded("tags to look at", tags_limit)))
    tags = await settle(tags_on(client, ref.repository, present, names))
    if isinstance(tags, Err):
        return Failure(tags.error)
    about = await settle(list_referrers(client, Reference(ref.repository, None, manifest.digest)))
    if isinstance(about, Err):
        return Failure(about.error)
    going = tags.value if ref.tag is None else (ref.tag,)
    return Success(
        DeletePlan(
            reference=ref,
            removes="manifest" if ref.tag is None else "tag",
            manifest=manifest.descriptor,
            tags=going,
            kept=tuple(tag for tag in tags.value if tag not in going),
            content=_content(manifest),
            referrers=about.value,
        )
    )


def _content(manifest: RawManifest) -> tuple[Descriptor, ...]:
    model = manifest.model
    listed = model.manifests if isinstance(model, ImageIndex) else (model.config, *model.layers)
    return tuple({each.digest: each for each in listed}.values())
