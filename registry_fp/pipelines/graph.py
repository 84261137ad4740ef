"""Graphs: a manifest, and everything beneath it, read from where it lies before anything is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.embedded import embedded
from registry_fp.domain.errors import MediaTypeMismatch, Reason, RegistryError, SizeMismatch
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.media_type import INDEX_TYPES, MANIFEST_TYPES, is_foreign
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.store import Origin
from registry_fp.pipelines.walk import walk

__all__ = ["Graph", "Survey", "collect", "survey"]


@final
@dataclass(frozen=True, slots=True)
class Graph:
    """Manifests with what they list before them, the root last; and their blobs, each once.

    `referenced` are layers that may not be distributed: their descriptors travel, and not their bytes.
    """

    manifests: tuple[RawManifest, ...]
    blobs: tuple[Descriptor, ...]
    referenced: tuple[Descriptor, ...] = ()

    @property
    def root(self) -> RawManifest:
        """The manifest that everything else is beneath."""
        return self.manifests[-1]


@operation
async def collect(
    origin: Origin, root: RawManifest, *, limit: int, foreign: bool = False
) -> Result[Graph, RegistryError]:
    """Read every manifest beneath `root`, `limit` at once; `foreign` counts layers that may not be distributed, too.

    Fails as the origin does, with `MediaTypeMismatch` where a manifest is of another kind than its index says, and
    with `LimitExceeded` for what no honest index needs.
    """
    walked = await settle(walk(origin.name, root, lambda wanted: _promised(origin, wanted), limit=limit))
    if isinstance(walked, Err):
        return Failure(walked.error)
    graph = _graph(root, walked.value.manifests, foreign=foreign)
    for _, contradiction in _contradictions(graph.manifests):
        return Failure(RegistryError("get_manifest", f"{origin.name}@{root.digest}", contradiction))
    return Success(graph)


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """As much of a graph as can be read, and what is wrong with the rest, by the digest that it is wrong with."""

    graph: Graph
    faults: Mapping[Digest, RegistryError]


@operation
async def survey(origin: Origin, root: RawManifest, *, limit: int) -> Result[Survey, RegistryError]:
    """Read every manifest beneath `root` that can be read, `limit` at once, and tell what is wrong with the others.

    Fails with `LimitExceeded` for what no honest index needs.
    """
    faults: dict[Digest, RegistryError] = {}

    @operation
    async def readable(wanted: Descriptor) -> Result[RawManifest | None, RegistryError]:
        out = await settle(_promised(origin, wanted))
        if isinstance(out, Ok):
            return Success(out.value)
        faults[wanted.digest] = out.error
        return Success(None)

    walked = await settle(walk(origin.name, root, readable, limit=limit))
    if isinstance(walked, Err):
        return Failure(walked.error)
    graph = _graph(root, walked.value.manifests, foreign=False)
    for digest, contradiction in _contradictions(graph.manifests):
        faults.setdefault(digest, RegistryError("get_manifest", f"{origin.name}@{digest}", contradiction))
    return Success(Survey(graph, faults))


def _promised(origin: Origin, wanted: Descriptor) -> Op[RawManifest]:
    """A manifest, if it is of the kind that the index says it is."""

    def checked(found: RawManifest) -> Result[RawManifest, RegistryError]:
        if wanted.media_type not in INDEX_TYPES | MANIFEST_TYPES or wanted.media_type == found.media_type:
            return Success(found)
        broken = MediaTypeMismatch(wanted.media_type, found.media_type)
        return Failure(RegistryError("get_manifest", f"{origin.name}@{wanted.digest}", broken))

    return origin.manifest(wanted).bind_result(checked)


def _contradictions(manifests: Sequence[RawManifest]) -> Iterator[tuple[Digest, Reason]]:
    """One digest is one content, and has one size; what a descriptor carries is that content."""
    sizes: dict[Digest, int] = {}
    for each in (pointer for manifest in manifests for pointer in (*manifest.blobs, *manifest.listed)):
        if sizes.setdefault(each.digest, each.size) != each.size:
            yield each.digest, SizeMismatch(sizes[each.digest], each.size)
        carried = embedded(each)
        if not is_successful(carried):
            yield each.digest, carried.failure()


def _graph(root: RawManifest, known: Mapping[Digest, RawManifest], *, foreign: bool) -> Graph:
    ordered: dict[Digest, RawManifest] = {}

    def visit(manifest: RawManifest) -> None:
        if manifest.digest not in ordered:
            for each in manifest.listed:
                if each.digest in known:
                    visit(known[each.digest])
            ordered[manifest.digest] = manifest

    visit(root)
    blobs = {each.digest: each for manifest in ordered.values() for each in manifest.blobs}
    # One layer can be foreign to one image and an ordinary one to another, which needs its bytes.
    needed = {
        each.digest
        for manifest in ordered.values()
        for each in manifest.blobs
        if foreign or not is_foreign(each.media_type)
    }
    return Graph(
        tuple(ordered.values()),
        tuple(each for digest, each in blobs.items() if digest in needed),
        tuple(each for digest, each in blobs.items() if digest not in needed),
    )
