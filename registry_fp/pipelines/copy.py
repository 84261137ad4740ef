"""Copy: an image goes from one registry to another, through this process and never to its disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import BadReference, Misconfigured, Reason, RegistryError, SeveralFailed
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse_all
from registry_fp.operations.elsewhere import from_elsewhere
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.companions import move_digest_tags, move_referrers
from registry_fp.pipelines.convert import Converting, converting
from registry_fp.pipelines.event import ManifestStored, OnEvent, emit, ignore
from registry_fp.pipelines.graph import collect
from registry_fp.pipelines.image_choice import one_image
from registry_fp.pipelines.noticed import noticed
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.store import Placed
from registry_fp.pipelines.transfer import Transferred, transfer
from registry_fp.transport.limit import connections_to
from registry_fp.transport.notices import NO_NOTICES, Notices
from registry_fp.transport.port import Client

__all__ = ["Copied", "CopyOptions", "copy", "copy_all"]


@final
@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What can be chosen for one copy; None leaves it to the client's settings.

    `platform` takes one image of an index (None: the index with all of them); an image that is in no index, and is for
    another platform than the one that is named, is refused. `referrers` takes along what refers to
    the image, and `digest_tags` the tags `sha256-<digest>...` that older tools keep signatures under. `foreign` moves
    the bytes of layers that may not be distributed, too. With `on_refusal="convert"` a registry that refuses manifests
    of one family, Docker's or the OCI's, gets the image in the other: its digests are then other ones.
    """

    platform: str | Platform | None = None
    referrers: bool = False
    digest_tags: bool = False
    foreign: bool = False
    on_refusal: Literal["fail", "convert"] = "fail"
    concurrency: int | None = None
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class Copied:
    """An image that is where it was to go: the source, pinned to what it stood for, and what was moved.

    `manifest` is what is stored: the source's own, unless the registry refused that and got a converted one.
    `referrers` are the manifests that came along because they refer to it. `notices` are what the two registries said
    beside their answers: quotas, and warnings that were not known before.
    """

    source: Reference
    target: Reference
    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Placed, ...]
    referrers: tuple[Descriptor, ...] = ()
    notices: Notices = NO_NOTICES

    @property
    def digest(self) -> Digest:
        """The digest of what is stored."""
        return self.manifest.digest

    @property
    def moved(self) -> int:
        """How many bytes of blobs went through this process."""
        return sum(blob.moved for blob in self.blobs)


def copy(
    client: Client, source: str | Reference, target: str | Reference, *, options: CopyOptions = CopyOptions()
) -> Op[Copied]:
    """Copy an image, or an index with all its images, byte for byte; nothing touches the disk.

    What the target has is not moved; on one host blobs are mounted. The source is pinned to its digest when it is first
    read. Fails with `BadReference`, `NoSuchPlatform`, `Misconfigured`, `NotFound`, `DigestMismatch`, `NotConfirmed`, or
    as the registries and the transport do. Sources: distribution-spec, "Pull" and "Push".
    """

    def copied(origin: Reference, goal: Reference) -> Op[Copied]:
        done = _wanted(options).bind(
            lambda platform: from_elsewhere(
                client,
                lambda asked: (
                    get_manifest(asked, origin)
                    .bind(lambda raw: _chosen(asked, origin, raw, platform, strict=options.platform != "local"))
                    .bind(lambda root: _copied(asked, origin, goal, root, options))
                ),
            )
        )
        hosts = (origin.repository.host, goal.repository.host)
        return noticed(client, hosts, done, lambda each, said: replace(each, notices=said))

    return reference_noun("copy", source).bind(
        lambda origin: reference_noun("copy", target).bind(lambda goal: copied(origin, goal))
    )


def copy_all(
    client: Client,
    pairs: Sequence[tuple[str | Reference, str | Reference]],
    *,
    options: CopyOptions = CopyOptions(),
    limit: int = 2,
) -> Op[tuple[Copied, ...]]:
    """Copy many images, `limit` at once; all are tried, and where some fail the failure names each (`SeveralFailed`).

    Otherwise fails like `copy`.
    """
    return traverse_all(pairs, lambda pair: copy(client, *pair, options=options), limit=max(1, limit)).alt(
        lambda errors: (
            errors[0]
            if len(pairs) == 1
            else RegistryError("copy_all", f"{len(pairs)} images", SeveralFailed(errors, len(pairs)))
        )
    )


def _wanted(options: CopyOptions) -> Op[Platform | None]:
    chosen = options.platform
    return FutureResult.from_result(Success(None) if chosen is None else parse_platform(chosen))


def _chosen(
    client: Client, name: Reference, raw: RawManifest, platform: Platform | None, *, strict: bool
) -> Op[RawManifest]:
    origin = RepositoryStore(client, name.repository)
    return one_image("copy", origin, str(name), raw, platform, strict=strict)


@operation
async def _copied(
    client: Client, source: Reference, target: Reference, root: RawManifest, options: CopyOptions
) -> Result[Copied, RegistryError]:
    limit = client.settings.concurrency if options.concurrency is None else options.concurrency
    refused = _refusal(client, source, target, root, limit)
    if refused is not None:
        return Failure(RegistryError("copy", str(target), refused))
    origin, destination = RepositoryStore(client, source.repository), RepositoryStore(client, target.repository)

    goal = converting(destination) if options.on_refusal == "convert" else destination

    def moved(manifest: RawManifest, tag: str | None) -> Op[Transferred]:
        return transfer(
            manifest, origin, goal, tag=tag, limit=limit, on_event=options.on_event, foreign=options.foreign
        )

    done = await settle(moved(root, None if target.digest is not None else target.tag))
    if isinstance(done, Err):
        return Failure(done.error)
    stored = goal.became.get(root.digest, root).descriptor if isinstance(goal, Converting) else root.descriptor
    emit(options.on_event, ManifestStored(target, stored))
    parts, referring = [done.value], dict[Digest, Descriptor]()
    if options.referrers or options.digest_tags:
        beneath = await settle(collect(origin, root, limit=limit, foreign=options.foreign))
        if isinstance(beneath, Err):
            return Failure(beneath.error)
        subjects = [each.descriptor for each in beneath.value.manifests]
        if options.referrers:
            taken = await settle(move_referrers(client, source.repository, subjects, moved, limit=limit))
            if isinstance(taken, Err):
                return Failure(taken.error)
            parts += taken.value
            referring = {each.manifest.digest: each.manifest for each in taken.value}
        if options.digest_tags:
            tagged = await settle(move_digest_tags(client, source.repository, [*subjects, *referring.values()], moved))
            if isinstance(tagged, Err):
                return Failure(tagged.error)
            parts += tagged.value
    return Success(
        Copied(
            source.at(root.digest),
            target,
            stored,
            tuple(each for part in parts for each in part.manifests),
            tuple(blob for part in parts for blob in part.blobs),
            tuple(referring.values()),
        )
    )


def _refusal(client: Client, source: Reference, target: Reference, root: RawManifest, limit: int) -> Reason | None:
    if target.digest is not None and target.digest != root.digest:
        return BadReference(str(target), f"the source is {root.digest}")
    if limit < 1:
        return Misconfigured("concurrency", f"it is at least 1, not {limit}")
    if min(connections_to(client.settings, name.repository.host) for name in (source, target)) < 2:
        return Misconfigured("connections", "a copy reads and writes at once, which takes two")
    return None
