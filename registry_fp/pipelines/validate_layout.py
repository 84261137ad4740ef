"""Validate a layout: is everything there that it lists, and is every byte of it what its descriptor says?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout import OpenLayout, chosen_entry
from registry_fp.archive.layout_files import read_file
from registry_fp.archive.layout_index import blob_name, entry_name
from registry_fp.archive.layout_proof import prove_blob
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, LimitExceeded, MissingContent, Reason, RegistryError, SeveralFailed
from registry_fp.domain.image_config import CONFIG_LIMIT, ImageConfig, parse_image_config
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_ZSTD,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
)
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse, traverse_all
from registry_fp.pipelines.graph import collect
from registry_fp.pipelines.layout_presence import find_present
from registry_fp.pipelines.layout_store import LayoutOrigin

__all__ = ["LayoutImage", "validate_layout"]

_AT_ONCE: Final = 4
_LAYERS: Final = frozenset(
    {DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD}
)


@final
@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One entry of a layout: its name, its manifest (or index), and everything beneath it, each once."""

    name: str
    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]


def validate_layout(layout: OpenLayout) -> Op[tuple[LayoutImage, ...]]:
    """Read every image of a layout (or the one that is chosen), and prove every blob and the diff_id of every layer.

    Fails with `MissingContent`, `InvalidImage`, `DigestMismatch` and `SizeMismatch`; with `SeveralFailed`, which lists
    the faults of all blobs, where several have one; and as the layout does.
    """
    origin = LayoutOrigin(layout.files)
    return _meant(layout).bind(
        lambda entries: traverse(entries, lambda entry: _read(origin, entry), limit=1).bind(
            lambda read: _proven(layout, read)
        )
    )


@final
@dataclass(frozen=True, slots=True)
class _Read:
    """An image whose manifests are sound, and what its layers should unpack to."""

    image: LayoutImage
    diff_ids: tuple[tuple[Descriptor, Digest], ...]


def _meant(layout: OpenLayout) -> Op[tuple[Descriptor, ...]]:
    if layout.source.image is None and layout.listed:
        return FutureResult.from_value(tuple({entry.digest: entry for entry in layout.listed}.values()))
    return FutureResult.from_result(chosen_entry(layout)).map(lambda entry: (entry,))


@operation
async def _read(origin: LayoutOrigin, entry: Descriptor) -> Result[_Read, RegistryError]:
    graph = await settle(
        origin.manifest(entry).bind(
            lambda root: find_present(origin, root).bind(lambda present: collect(present, root, limit=1))
        )
    )
    if isinstance(graph, Err):
        return Failure(graph.error)
    diff_ids: list[tuple[Descriptor, Digest]] = []
    for manifest in graph.value.manifests:
        found = await _diff_ids(origin, manifest)
        if not is_successful(found):
            return Failure(RegistryError("validate", f"{origin.name}@{manifest.digest}", found.failure()))
        diff_ids += found.unwrap()
    manifests = tuple(each.descriptor for each in graph.value.manifests)
    return Success(_Read(LayoutImage(entry_name(entry), entry, manifests, graph.value.blobs), tuple(diff_ids)))


async def _diff_ids(
    origin: LayoutOrigin, manifest: RawManifest
) -> Result[tuple[tuple[Descriptor, Digest], ...], Reason]:
    """What each layer of an image should unpack to; an artifact, or a layer of an unknown kind, says nothing."""
    match manifest.model:
        case ImageManifest(config=config, layers=layers) if config.media_type in {OCI_CONFIG, DOCKER_CONFIG}:
            name = blob_name(config)
            read = await read_file(
                origin.files,
                name,
                partial(_config, name),
                missing=MissingContent((config.digest,)),
                limit=CONFIG_LIMIT,
            )
            if not is_successful(read):
                return Failure(read.failure())
            diff_ids = read.unwrap().rootfs.diff_ids
            if len(diff_ids) != len(layers):
                detail = f"{len(layers)} layers, and {len(diff_ids)} diff_ids in the configuration"
                return Failure(InvalidImage("layer count", name, detail))
            pairs = zip(layers, diff_ids, strict=True)
            return Success(tuple(pair for pair in pairs if pair[0].media_type in _LAYERS))
        case ImageManifest() | ImageIndex():
            return Success(())


def _config(name: str, raw: bytes) -> Result[ImageConfig, Reason]:
    return parse_image_config(raw).alt(
        lambda fault: fault if isinstance(fault, LimitExceeded) else InvalidImage("bad config", name, fault.why)
    )


def _proven(layout: OpenLayout, read: tuple[_Read, ...]) -> Op[tuple[LayoutImage, ...]]:
    claims: dict[tuple[Digest, Digest | None], Descriptor] = {}
    for image in read:
        claims.update(((layer.digest, diff_id), layer) for layer, diff_id in image.diff_ids)
    unpacked = {digest for digest, _ in claims}
    for image in read:
        claims.update(((blob.digest, None), blob) for blob in image.image.blobs if blob.digest not in unpacked)

    @operation
    async def prove(claim: tuple[tuple[Digest, Digest | None], Descriptor]) -> Result[None, RegistryError]:
        (digest, diff_id), blob = claim
        proven = await prove_blob(layout.files, blob, diff_id)
        return proven.alt(lambda reason: RegistryError("validate", f"{layout.source}@{digest}", reason))

    def several(errors: tuple[RegistryError, ...]) -> RegistryError:
        every = SeveralFailed(errors, len(claims))
        return errors[0] if len(errors) == 1 else RegistryError("validate", str(layout.source), every)

    return (
        traverse_all(claims.items(), prove, limit=_AT_ONCE)
        .map(lambda _: tuple(each.image for each in read))
        .alt(several)
    )
