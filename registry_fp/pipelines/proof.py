"""Proofs: everything beneath a manifest is read, wherever it lies, and nothing of it is kept.

    survey -> read the configurations -> read every other blob, and unpack the layers

Whatever is wrong is found in one go: a fault does not hide the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeGuard, TypeVar, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.unpack import unpack
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, LimitExceeded, MissingContent, Reason, RegistryError, SeveralFailed
from registry_fp.domain.image_config import CONFIG_LIMIT, parse_image_config
from registry_fp.domain.manifest import ImageManifest, RawManifest
from registry_fp.domain.media_type import (
    DOCKER_LAYER,
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_ZSTD,
    IMAGE_CONFIGS,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
)
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, deferred, operation
from registry_fp.effect.traverse import traverse
from registry_fp.pipelines.graph import Graph, Survey, survey
from registry_fp.pipelines.overlay import read_whole
from registry_fp.pipelines.store import Origin

__all__ = ["all_faults", "prove"]

T = TypeVar("T")

_LAYERS: Final = frozenset(
    {DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD}
)


def prove(doing: str, origin: Origin, name: str, roots: Sequence[RawManifest], *, limit: int) -> Op[tuple[Graph, ...]]:
    """Read every manifest and every blob beneath `roots`, each once and `limit` at once, and unpack every layer.

    A blob is proven against its digest and its size, and a layer against its diff_id, too; layers that may not be
    distributed are not asked for. Fails with the one fault that there is, or with `SeveralFailed`, which lists all:
    those of the origin (`MissingContent` names everything that is not there); `InvalidImage` ("bad config", "layer
    count", "bad layer", "diff_id mismatch"), `Unsupported` and `LimitExceeded`.
    """
    work = _Work(doing, origin, name, limit)
    return (
        traverse(roots, lambda root: survey(origin, root, limit=limit), limit=1)
        .bind(lambda surveys: _understood(work, surveys))
        .bind(lambda known: _read(work, known))
    )


def all_faults(doing: str, name: str, errors: Sequence[RegistryError], total: int) -> RegistryError:
    """The one error that there is, or all of them as one; everything that is not there is in one `MissingContent`."""
    absent = [each.reason.digests for each in errors if isinstance(each.reason, MissingContent)]
    if len(absent) > 1:
        everything = tuple(dict.fromkeys(digest for digests in absent for digest in digests))
        others = [each for each in errors if not isinstance(each.reason, MissingContent)]
        errors = [RegistryError(doing, name, MissingContent(everything)), *others]
    return errors[0] if len(errors) == 1 else RegistryError(doing, name, SeveralFailed(tuple(errors), total))


@final
@dataclass(frozen=True, slots=True)
class _Work:
    """What is proven, for which verb, and how much at once."""

    doing: str
    origin: Origin
    name: str
    limit: int

    def failed(self, digest: Digest, reason: Reason) -> RegistryError:
        return RegistryError(self.doing, f"{self.origin.name}@{digest}", reason)


@final
@dataclass(frozen=True, slots=True)
class _Understood:
    """Images whose manifests and configurations were read: what each layer should unpack to, and what is wrong."""

    graphs: tuple[Graph, ...]
    configs: frozenset[Digest]
    diff_ids: Mapping[Digest, tuple[Digest, ...]]
    faults: Mapping[Digest, RegistryError]


@operation
async def _understood(work: _Work, surveys: tuple[Survey, ...]) -> Result[_Understood, RegistryError]:
    graphs = tuple(each.graph for each in surveys)
    faults = {digest: fault for each in surveys for digest, fault in each.faults.items()}
    every = {each.digest: each.model for graph in graphs for each in graph.manifests}
    images = {digest: each for digest, each in every.items() if _is_image(each) and each.config.digest not in faults}
    configs = {each.config.digest: each.config for each in images.values()}
    out = await settle(_each(configs.values(), partial(_promised, work), work.limit))
    if isinstance(out, Err):
        return Failure(out.error)
    read = dict(zip(configs, out.value, strict=True))
    diff_ids: dict[Digest, tuple[Digest, ...]] = {}
    for digest, image in images.items():
        found = read[image.config.digest]
        if isinstance(found, Err):
            faults[image.config.digest] = found.error
        elif len(found.value) != len(image.layers):
            told = f"{len(image.layers)} layers and {len(found.value)} diff_ids"
            faults[digest] = work.failed(digest, InvalidImage("layer count", str(digest), told))
        else:
            for layer, diff_id in zip(image.layers, found.value, strict=True):
                if layer.media_type in _LAYERS:  # what any other kind unpacks to, nobody knows
                    diff_ids[layer.digest] = (*diff_ids.get(layer.digest, ()), diff_id)
    return Success(_Understood(graphs, frozenset(configs), diff_ids, faults))


@operation
async def _read(work: _Work, known: _Understood) -> Result[tuple[Graph, ...], RegistryError]:
    blobs = {each.digest: each for graph in known.graphs for each in graph.blobs}
    beneath = [each for graph in known.graphs for found in graph.manifests for each in found.listed]
    read = known.configs - known.diff_ids.keys()
    unread = [blob for digest, blob in blobs.items() if digest not in read and digest not in known.faults]
    out = await settle(_each(unread, lambda blob: _proven(work, blob, known.diff_ids.get(blob.digest, ())), work.limit))
    if isinstance(out, Err):
        return Failure(out.error)
    wrong = {blob.digest: end.error for blob, end in zip(unread, out.value, strict=True) if isinstance(end, Err)}
    wrong = {**known.faults, **wrong}
    roots = [graph.root.digest for graph in known.graphs]
    parts = dict.fromkeys([*roots, *(each.digest for each in beneath), *blobs, *wrong])
    faults = [wrong[digest] for digest in parts if digest in wrong]
    return Failure(all_faults(work.doing, work.name, faults, len(parts))) if faults else Success(known.graphs)


def _each(
    blobs: Iterable[Descriptor], step: Callable[[Descriptor], Op[T]], limit: int
) -> Op[tuple[Ok[T] | Err[RegistryError], ...]]:
    """The outcome of every step, whatever it is."""

    def outcome(blob: Descriptor) -> Op[Ok[T] | Err[RegistryError]]:
        async def settled() -> Result[Ok[T] | Err[RegistryError], RegistryError]:
            return Success(await settle(step(blob)))

        return deferred(settled)

    return traverse(blobs, outcome, limit=limit)


def _promised(work: _Work, config: Descriptor) -> Op[tuple[Digest, ...]]:
    """What the layers of an image should unpack to."""

    def parsed(raw: bytes) -> Result[tuple[Digest, ...], RegistryError]:
        return (
            parse_image_config(raw)
            .map(lambda found: found.rootfs.diff_ids)
            .alt(
                lambda fault: work.failed(
                    config.digest,
                    fault
                    if isinstance(fault, LimitExceeded)
                    else InvalidImage("bad config", str(config.digest), fault.why),
                )
            )
        )

    return read_whole(work.origin, config, limit=CONFIG_LIMIT).bind_result(parsed)


@operation
async def _proven(work: _Work, blob: Descriptor, diff_ids: tuple[Digest, ...]) -> Result[None, RegistryError]:
    """Read a blob to its end, keeping nothing."""
    name = str(blob.digest)
    done: Result[None, RegistryError] = Success(None)
    async with work.origin.body(blob).opened() as chunks:
        if diff_ids:
            unpacking = Unpacking(name, diff_ids[0], packed=blob.digest)
            done = await unpack(work.origin.name, chunks, unpacking, lambda reason: work.failed(blob.digest, reason))
        async for chunk in chunks:  # of a layer, what it broke off at: that its bytes are others says why
            if not is_successful(chunk):
                return Failure(chunk.failure())
    if is_successful(done) and len(set(diff_ids)) > 1:
        broken = InvalidImage("diff_id mismatch", name, "one layer has two of them")
        return Failure(work.failed(blob.digest, broken))
    return done


def _is_image(model: object) -> TypeGuard[ImageManifest]:
    return isinstance(model, ImageManifest) and model.config.media_type in IMAGE_CONFIGS
