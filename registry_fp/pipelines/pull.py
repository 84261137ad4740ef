"""Pull: an image leaves a registry for an archive or a layout on disk.

    read the manifest -> choose the platform -> transfer what is beneath it -> pack, and only then name, the archive

What is pulled is proven byte by byte: every blob against its digest, and every layer of a docker archive against its
diff_id, too. An archive is there complete or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.archive_staging import PartialFolder, leave_partial, open_partial
from registry_fp.archive.layout_index import CONTAINERD_NAME, REF_NAME
from registry_fp.archive.source import ImageSource
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, Misconfigured, Reason, RegistryError, SizeMismatch, Unsupported
from registry_fp.domain.image_config import CONFIG_LIMIT, parse_image_config
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import DOCKER_CONFIG, OCI_CONFIG, is_foreign
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.bracket import Died, bracket
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.blobs import get_blob
from registry_fp.operations.elsewhere import from_elsewhere
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.archive_store import ArchiveStore
from registry_fp.pipelines.event import ManifestStored, OnEvent, emit, ignore
from registry_fp.pipelines.image_choice import one_image
from registry_fp.pipelines.layout_store import LayoutStore, layout_store
from registry_fp.pipelines.noticed import noticed
from registry_fp.pipelines.pull_target import PullTarget, read_target
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.store import Destination, Placed
from registry_fp.pipelines.transfer import Transferred, transfer
from registry_fp.transport.notices import NO_NOTICES, Notices
from registry_fp.transport.port import Client

__all__ = ["PullOptions", "Pulled", "pull"]

_EVERY: Final = "all"


@final
@dataclass(frozen=True, slots=True)
class PullOptions:
    """What can be chosen for one pull; `concurrency` None leaves it to the client's settings.

    `platform` is the image of an index that is taken: "local" is what this machine runs, and "all" (or None) takes the
    index with all of its images, which only a layout can hold. An image that is not in an index is taken as it is,
    unless a platform is named that it does not run on. `foreign` also fetches layers that may not be distributed.
    """

    platform: str | Platform | None = "local"
    concurrency: int | None = None
    foreign: bool = False
    on_event: OnEvent = ignore


@final
@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that is on disk, proven: `reference` is pinned to what its name stood for, `manifest` is what was taken.

    Of a layout that held the image already `blobs` are none. `notices` are what the registry said beside its answers:
    its quota, and warnings that were not known before.
    """

    reference: Reference
    manifest: Descriptor
    path: str
    blobs: tuple[Placed, ...]
    notices: Notices = NO_NOTICES

    @property
    def digest(self) -> Digest:
        """The digest of the manifest, or of the index, that was taken."""
        return self.manifest.digest

    @property
    def moved(self) -> int:
        """How many bytes of blobs were fetched."""
        return sum(blob.moved for blob in self.blobs)


@final
@dataclass(frozen=True, slots=True)
class _Plan:
    """What was asked for, checked before any request; `platform` None is all of them."""

    client: Client
    name: Reference
    target: PullTarget
    platform: Platform | None
    limit: int
    options: PullOptions

    @property
    def origin(self) -> RepositoryStore:
        return RepositoryStore(self.client, self.name.repository)

    def failed(self, reason: Reason) -> RegistryError:
        return RegistryError("pull", str(self.name), reason)


def pull(client: Client, name: str | Reference, to: ImageSource, *, options: PullOptions = PullOptions()) -> Op[Pulled]:
    """Pull an image into a `docker save` archive (`docker_save`), or an OCI image layout (`oci_layout`), at a path.

    With `archive` an existing folder, and a path that does not end in `.tar`, is a layout, and everything else a docker
    archive; `to.image` is what the image is called there, else it keeps its name. An archive is replaced at once when
    the new one is complete and on the disk, and a file that is none is not replaced (`LocalIo`, EEXIST); a layout
    folder gains the image, and what it holds is not fetched again. What an interrupted pull has fetched waits in a
    hidden folder beside the archive, until it is packed. Fails with `BadReference`, `Misconfigured` and `LocalIo`
    before any request; with `NotFound`, `NoSuchPlatform`, `DigestMismatch`,
    `SizeMismatch`, `MediaTypeMismatch`, `InvalidImage`, `Unsupported`, or as the transport does. Sources:
    distribution-spec, "Pull"; image-spec, image-layout; moby, image/tarexport.
    """

    def pulled(ref: Reference) -> Op[Pulled]:
        done = _planned(client, ref, to, options).bind(
            lambda plan: from_elsewhere(client, lambda asked: _placed(replace(plan, client=asked)))
        )
        return noticed(client, (ref.repository.host,), done, lambda each, said: replace(each, notices=said))

    return reference_noun("pull", name).bind(pulled)


def _placed(plan: _Plan) -> Op[Pulled]:
    return _into_folder(plan) if plan.target.kind == "layout folder" else _into_archive(plan)


@operation
async def _planned(
    client: Client, name: Reference, to: ImageSource, options: PullOptions
) -> Result[_Plan, RegistryError]:
    target = await read_target(to, name)
    if not is_successful(target):
        return Failure(RegistryError("pull", str(name), target.failure()))
    platform: Platform | None = None
    if options.platform is not None and options.platform != _EVERY:
        parsed = parse_platform(options.platform)
        if not is_successful(parsed):
            return Failure(RegistryError("pull", str(name), parsed.failure().reason))
        platform = parsed.unwrap()
    limit = client.settings.concurrency if options.concurrency is None else options.concurrency
    plan = _Plan(client, name, target.unwrap(), platform, limit, options)
    if limit < 1:
        return Failure(plan.failed(Misconfigured("concurrency", f"it is at least 1, not {limit}")))
    if platform is None and plan.target.kind == "docker archive":
        why = "a docker archive holds an image of one platform; an OCI layout holds them all"
        return Failure(plan.failed(Misconfigured("platform", why)))
    return Success(plan)


def _into_folder(plan: _Plan) -> Op[Pulled]:
    names = plan.target.names

    def listed(store: LayoutStore, root: RawManifest, moved: Transferred) -> Op[Transferred]:
        entered = store.enter(root.descriptor, names.get(REF_NAME), reference=names.get(CONTAINERD_NAME))
        return entered.map(lambda _: moved)

    def placed(store: LayoutStore, root: RawManifest) -> Op[Transferred]:
        return _transferred(plan, root, store).bind(lambda moved: listed(store, root, moved))

    if plan.target.exists:  # whether it can be written to is found out before anything is asked
        return layout_store(plan.target.path).bind(lambda store: _taken(plan, lambda root: placed(store, root)))
    # A name that stands for nothing makes no folder.
    return _taken(plan, lambda root: layout_store(plan.target.path).bind(lambda store: placed(store, root)))


def _into_archive(plan: _Plan) -> Op[Pulled]:
    def used(folder: PartialFolder) -> Op[Pulled]:
        if plan.target.kind == "docker archive":
            return _taken(plan, lambda root: _docker(plan, root, folder))
        return _taken(plan, lambda root: _layout(plan, root, ArchiveStore(folder)))

    async def left(folder: PartialFolder, done: Ok[Pulled] | Err[RegistryError] | Died) -> None:
        await leave_partial(folder, done=isinstance(done, Ok))

    return bracket(lambda: _folder(plan), used, left)


@operation
async def _folder(plan: _Plan) -> Result[PartialFolder, RegistryError]:
    return (await open_partial(plan.target.path)).alt(plan.failed)


def _taken(plan: _Plan, place: Callable[[RawManifest], Op[Transferred]]) -> Op[Pulled]:
    """What the name stands for, or the one image of it, brought to its place."""

    @operation
    async def step() -> Result[Pulled, RegistryError]:
        shown = await settle(get_manifest(plan.client, plan.name))
        if isinstance(shown, Err):
            return Failure(shown.error)
        pinned = plan.name.at(shown.value.digest)
        named = plan.options.platform != "local"
        chosen = await settle(one_image("pull", plan.origin, str(pinned), shown.value, plan.platform, strict=named))
        if isinstance(chosen, Err):
            return Failure(chosen.error)
        root = chosen.value
        placed = await settle(place(root))
        if isinstance(placed, Err):
            return Failure(placed.error)
        emit(plan.options.on_event, ManifestStored(pinned, root.descriptor))
        return Success(Pulled(pinned, root.descriptor, plan.target.path, placed.value.blobs))

    return step()


def _transferred(plan: _Plan, root: RawManifest, store: Destination) -> Op[Transferred]:
    options = plan.options
    return transfer(root, plan.origin, store, limit=plan.limit, on_event=options.on_event, foreign=options.foreign)


def _layout(plan: _Plan, root: RawManifest, store: ArchiveStore) -> Op[Transferred]:
    return _transferred(plan, root, store).bind(
        lambda moved: store.pack_layout(root, plan.target.names).map(lambda _: moved)
    )


@operation
async def _docker(plan: _Plan, root: RawManifest, folder: PartialFolder) -> Result[Transferred, RegistryError]:
    """One image: its configuration first, because that tells what the layers must unpack to."""
    manifest = root.model
    if isinstance(manifest, ImageIndex):  # nobody asks for one here
        return Failure(plan.failed(Unsupported("an index in a docker archive")))
    refused = _refusal(manifest, foreign=plan.options.foreign)
    if refused is not None:
        return Failure(plan.failed(refused))
    config = await settle(get_blob(plan.client, plan.name.repository, manifest.config.digest, limit=CONFIG_LIMIT))
    if isinstance(config, Err):
        return Failure(config.error)
    raw = config.value
    if len(raw) != manifest.config.size:
        return Failure(plan.failed(SizeMismatch(manifest.config.size, len(raw))))
    parsed = parse_image_config(raw)
    if not is_successful(parsed):
        return Failure(plan.failed(parsed.failure()))
    unpacked = _unpacked(manifest, parsed.unwrap().rootfs.diff_ids)
    if not is_successful(unpacked):
        return Failure(plan.failed(unpacked.failure()))
    diff_ids = unpacked.unwrap()
    store = ArchiveStore(folder, diff_ids, known=manifest.config.digest)
    moved = await settle(_transferred(plan, root, store))
    if isinstance(moved, Err):
        return Failure(moved.error)
    order = tuple(diff_ids[layer.digest] for layer in manifest.layers)
    packed = await settle(store.pack_docker(raw, order, plan.target.tag))
    return Failure(packed.error) if isinstance(packed, Err) else Success(moved.value)


def _refusal(manifest: ImageManifest, *, foreign: bool) -> Reason | None:
    if manifest.config.media_type not in {DOCKER_CONFIG, OCI_CONFIG}:
        return Unsupported("a docker archive of an artifact that is no image; an OCI layout holds it")
    if not foreign and any(is_foreign(layer.media_type) for layer in manifest.layers):
        return Unsupported("a docker archive without the layers that may not be distributed; ask for them as well")
    return None


def _unpacked(manifest: ImageManifest, diff_ids: tuple[Digest, ...]) -> Result[dict[Digest, Digest], Reason]:
    """What each layer must unpack to, by its digest."""
    if len(diff_ids) != len(manifest.layers):
        told = f"{len(manifest.layers)} layers and {len(diff_ids)} diff_ids"
        return Failure(InvalidImage("layer count", str(manifest.config.digest), told))
    found: dict[Digest, Digest] = {}
    for layer, diff_id in zip(manifest.layers, diff_ids, strict=True):
        if found.setdefault(layer.digest, diff_id) != diff_id:
            return Failure(InvalidImage("diff_id mismatch", str(layer.digest), "one layer has two of them"))
    return Success(found)
