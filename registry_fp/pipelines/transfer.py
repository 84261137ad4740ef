"""Transfer: an image, or an index with all its images, goes from one place to another.

    collect -> place every blob -> store every manifest, what is listed before what lists it

Bytes are never changed on the way. Until the root is stored under its name, nobody sees any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.transient import lacks_content
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.pipelines.event import BlobDone, ImageRead, OnEvent, emit, ignore
from registry_fp.pipelines.graph import Graph, collect
from registry_fp.pipelines.store import Destination, Origin, Placed

__all__ = ["Transferred", "transfer"]


@final
@dataclass(frozen=True, slots=True)
class Transferred:
    """What is there now: the root, every manifest (the root last), and what became of each blob.

    Where the destination had the root already, with everything beneath, `manifests` is the root alone.
    """

    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Placed, ...]

    @property
    def moved(self) -> int:
        """How many bytes of blobs were moved."""
        return sum(blob.moved for blob in self.blobs)


def transfer(  # noqa: PLR0913  options, each with a default
    root: RawManifest,
    origin: Origin,
    destination: Destination,
    *,
    tag: str | None = None,
    limit: int,
    on_event: OnEvent = ignore,
    foreign: bool = False,
) -> Op[Transferred]:
    """Bring a manifest and everything beneath it to `destination`, `limit` blobs at once, and name it `tag`.

    What is there already is not moved. Layers that may not be distributed stay references, unless `foreign`. Fails as
    `collect` does, and as the two places do.
    """
    errand = _Errand(origin, destination, tag, limit, on_event)

    def moved(*, trust: bool) -> Op[Transferred]:
        return (
            collect(origin, root, limit=limit, foreign=foreign)
            .bind(lambda graph: _missing(errand, graph) if trust else FutureResult.from_value(graph))
            .bind(lambda graph: _placed(errand, graph))
            .bind(lambda ready: _stored(errand, ready))
        )

    def anew(error: RegistryError) -> Op[Transferred]:
        # What was believed to be there is not: once more, and this time every blob is asked for.
        return moved(trust=False) if lacks_content(error) else FutureResult.from_failure(error)

    def named() -> Op[Transferred]:
        return destination.store(root, tag).map(lambda _: Transferred(root.descriptor, (root.descriptor,), ()))

    if foreign:  # a place that has an image need not have what of it may not be distributed
        return moved(trust=False).lash(anew)
    return destination.holds(root.descriptor).bind(lambda held: named() if held else moved(trust=True)).lash(anew)


@final
@dataclass(frozen=True, slots=True)
class _Errand:
    """From where to where, under which tag, and how."""

    origin: Origin
    destination: Destination
    tag: str | None
    limit: int
    on_event: OnEvent

    @property
    def name(self) -> str:
        return self.destination.name if self.tag is None else f"{self.destination.name}:{self.tag}"


@final
@dataclass(frozen=True, slots=True)
class _Ready:
    """A graph whose blobs are all there."""

    graph: Graph
    blobs: tuple[Placed, ...]


@operation
async def _missing(errand: _Errand, graph: Graph) -> Result[Graph, RegistryError]:
    """The graph without the images that the destination has."""
    images = [each for each in graph.manifests[:-1] if not isinstance(each.model, ImageIndex)]
    held = await settle(traverse(images, lambda each: errand.destination.holds(each.descriptor), limit=errand.limit))
    if isinstance(held, Err):
        return Failure(held.error)
    there = {each.digest for each, is_held in zip(images, held.value, strict=True) if is_held}
    if not there:
        return Success(graph)
    manifests = tuple(each for each in graph.manifests if each.digest not in there)
    needed = {blob.digest for each in manifests for blob in each.blobs}
    return Success(
        Graph(
            manifests,
            tuple(blob for blob in graph.blobs if blob.digest in needed),
            tuple(blob for blob in graph.referenced if blob.digest in needed),
        )
    )


def _placed(errand: _Errand, graph: Graph) -> Op[_Ready]:
    every = (*graph.blobs, *graph.referenced)
    emit(errand.on_event, ImageRead(errand.name, tuple((str(blob.digest), blob.size) for blob in every)))
    for blob in graph.referenced:
        emit(errand.on_event, BlobDone(str(blob.digest), "referenced", blob.digest, blob.size, 0))
    kept = tuple(Placed(blob, "referenced") for blob in graph.referenced)

    def placed(blob: Descriptor) -> Op[Placed]:
        return errand.destination.place(blob, errand.origin, errand.on_event)

    return traverse(graph.blobs, placed, limit=errand.limit).map(lambda blobs: _Ready(graph, blobs + kept))


@operation
async def _stored(errand: _Errand, ready: _Ready) -> Result[Transferred, RegistryError]:
    *listed, root = ready.graph.manifests
    images = [each for each in listed if not isinstance(each.model, ImageIndex)]
    store = errand.destination.store
    stored = await settle(traverse(images, lambda each: store(each, None), limit=errand.limit))
    if isinstance(stored, Err):
        return Failure(stored.error)
    for index in (each for each in listed if isinstance(each.model, ImageIndex)):
        done = await settle(store(index, None))
        if isinstance(done, Err):
            return Failure(done.error)
    last = await settle(store(root, errand.tag))
    if isinstance(last, Err):
        return Failure(last.error)
    manifests = tuple(each.descriptor for each in ready.graph.manifests)
    return Success(Transferred(root.descriptor, manifests, ready.blobs))
