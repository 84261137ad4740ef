"""Delete: a tag alone, or a manifest with all its tags; never the second where the first was asked for.

Registries differ in what they do when a tag is deleted: some remove the tag, some refuse, and some remove the manifest
and every other tag on it. So it is looked at what was there before, and what is there afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import (
    BadReference,
    Conflict,
    ProtocolViolation,
    Reason,
    Refused,
    RegistryError,
    TagNotDeletable,
)
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import delete_manifest, get_manifest, head_manifest, untag
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.tags import list_tags, tag_pages
from registry_fp.pipelines.siblings import TAGS_LIMIT, digests_of, is_gone, tags_on
from registry_fp.transport.port import Client

__all__ = ["delete", "delete_tag"]

# What registries that can only remove whole manifests say of a tag (Debian's docker-registry: 400 DIGEST_INVALID).
_ONLY_WHOLE: Final = frozenset({"DIGEST_INVALID", "UNSUPPORTED"})


def delete(client: Client, name: str | Reference) -> Op[None]:
    """Remove what a name stands for: a tag alone, or, where the name is a digest, the manifest with all its tags.

    A name with a tag and a digest is that tag, if it still stands for that digest. Afterwards it is proven to be gone.
    Fails like `delete_tag` and `delete_manifest`. Source: end-9.
    """
    return reference_noun("delete", name).bind(
        lambda ref: _manifest_gone(client, ref) if ref.tag is None else delete_tag(client, ref)
    )


def delete_tag(client: Client, name: str | Reference) -> Op[None]:
    """Remove one tag, and neither its manifest nor another tag; a digest is never deleted in its place.

    With a digest in the name the tag is removed only if it stands for that. Fails with `TagNotDeletable` where the
    registry cannot (`siblings` are the other names of the manifest among the first `TAGS_LIMIT` tags), `NotFound`,
    `Conflict` where the tag stands for something else, or does so again afterwards, `ProtocolViolation` where it is
    still there or other tags went with it, `BadReference`, `Denied`, or as the transport does. Source: end-9.
    """
    return reference_noun("delete_tag", name).bind(lambda ref: _tag_gone(client, ref))


@operation
async def _tag_gone(client: Client, ref: Reference) -> Result[None, RegistryError]:
    if ref.tag is None:
        return _failed(ref, BadReference(str(ref), "a digest is no tag; `delete` removes a manifest by its digest"))
    name = Reference(ref.repository, ref.tag)
    held = await settle(_digest_behind(client, name, ref.digest))
    if isinstance(held, Err):
        return Failure(replace(held.error, doing="delete_tag"))
    neighbours = await _some_tags(client, name)
    removed = await settle(untag(client, name))
    if isinstance(removed, Err):
        if not _can_remove_only_whole(removed.error.reason):
            return Failure(removed.error)
        return await _not_alone(client, name, held.value)
    return await _only_that(client, name, held.value, neighbours)


def _digest_behind(client: Client, name: Reference, expected: Digest | None) -> Op[Digest]:
    """What the tag stands for; proven by the bytes, and no other than `expected`, where something is expected."""
    if expected is None:
        return head_manifest(client, name).map(lambda found: found.digest)

    def as_expected(raw: bytes) -> Result[Digest, RegistryError]:
        found = digest_of(raw, expected.algorithm)
        return Success(found) if found == expected else _failed(name, Conflict(expected, found))

    return get_manifest(client.at_origin(), name).bind_result(lambda manifest: as_expected(manifest.raw))


async def _some_tags(client: Client, name: Reference) -> frozenset[str]:
    """The tags of the first page, which one request tells; none where it does not."""
    async for page in tag_pages(client, name.repository, page_size=TAGS_LIMIT):
        return frozenset(page.value.entries) if isinstance(page, Ok) else frozenset()
    return frozenset()


async def _not_alone(client: Client, name: Reference, digest: Digest) -> Result[None, RegistryError]:
    """The refusal, with the tags that a deletion by digest would take along."""
    tags = await settle(list_tags(client, name.repository))
    if isinstance(tags, Err):
        return Failure(replace(tags.error, doing="delete_tag"))
    others = [tag for tag in tags.value if tag != name.tag][:TAGS_LIMIT]
    siblings = await settle(tags_on(client, name.repository, others, frozenset({digest})))
    if isinstance(siblings, Err):
        return Failure(replace(siblings.error, doing="delete_tag"))
    return _failed(name, TagNotDeletable(digest, siblings.value))


async def _only_that(
    client: Client, name: Reference, digest: Digest, neighbours: frozenset[str]
) -> Result[None, RegistryError]:
    """The tag is gone; and where its manifest went too, no tag that was there before went with it."""
    shown = await settle(head_manifest(client, name))
    if isinstance(shown, Ok):
        if shown.value.digest != digest:
            return _failed(name, Conflict(None, shown.value.digest))
        return _failed(name, ProtocolViolation("the deletion was accepted, and the tag is still there"))
    if not is_gone(shown.error.reason):
        return Failure(shown.error)
    whole = await settle(head_manifest(client, Reference(name.repository, None, digest)))
    if isinstance(whole, Ok):
        return Success(None)
    if not is_gone(whole.error.reason):
        return Failure(whole.error)
    suspects = sorted(neighbours - {name.tag} - await _some_tags(client, name))
    asked = await settle(digests_of(client, name.repository, suspects, known=True))
    if isinstance(asked, Err):
        return Failure(asked.error)
    lost = [tag for tag, found in zip(suspects, asked.value, strict=True) if found is None]
    if lost:
        return _failed(name, ProtocolViolation(f"the deletion of one tag took others along: {', '.join(lost[:8])}"))
    return Success(None)


@operation
async def _manifest_gone(client: Client, ref: Reference) -> Result[None, RegistryError]:
    removed = await settle(delete_manifest(client, ref))
    if isinstance(removed, Err):
        return Failure(removed.error)
    shown = await settle(head_manifest(client, ref))
    if isinstance(shown, Ok):
        reason = ProtocolViolation("the deletion was accepted, and the manifest is still there")
        return Failure(RegistryError("delete", str(ref), reason))
    return Success(None) if is_gone(shown.error.reason) else Failure(shown.error)


def _can_remove_only_whole(reason: Reason) -> bool:
    if not isinstance(reason, Refused):
        return False
    codes = {problem.code for problem in reason.problems}
    return reason.status == 405 or not codes.isdisjoint(_ONLY_WHOLE) or (reason.status == 400 and not codes)


def _failed(name: Reference, reason: Reason) -> Failure[RegistryError]:
    return Failure(RegistryError("delete_tag", str(name), reason))
