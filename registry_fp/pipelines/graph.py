"""Graphs: a manifest, and everything beneath it, read from where it lies before anything is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, MediaTypeMismatch, Reason, RegistryError, SizeMismatch
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.media_type import INDEX_TYPES, MANIFEST_TYPES, is_foreign
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.effect.traverse import traverse
from registry_fp.pipelines.store import Origin

__all__ = ["Graph", "collect"]

_DEPTH: Final = 16
_MANIFESTS: Final = 20_000
_BYTES: Final = 128 * 1024 * 1024  # of all manifests together: they are held until their blobs are there


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
    known: dict[Digest, RawManifest] = {root.digest: root}
    level = [root]
    size = len(root.raw)
    for _ in range(_DEPTH):
        wanted = {each.digest: each for above in level for each in above.listed if each.digest not in known}
        if not wanted:
            graph = _graph(root, known, foreign=foreign)
            contradiction = _contradiction(graph)
            if contradiction is not None:
                return Failure(RegistryError("get_manifest", f"{origin.name}@{root.digest}", contradiction))
            return Success(graph)
        size += sum(each.size for each in wanted.values())
        if len(known) + len(wanted) > _MANIFESTS or size > _BYTES:
            beyond = LimitExceeded("manifests in an index, or bytes of them", _MANIFESTS)
            return Failure(RegistryError("get_manifest", origin.name, beyond))
        read = await settle(traverse(wanted.values(), origin.manifest, limit=limit))
        if isinstance(read, Err):
            return Failure(read.error)
        for promised, found in zip(wanted.values(), read.value, strict=True):
            broken = _broken_promise(promised, found)
            if broken is not None:
                return Failure(RegistryError("get_manifest", f"{origin.name}@{promised.digest}", broken))
            known[promised.digest] = found
        level = list(read.value)
    return Failure(RegistryError("get_manifest", origin.name, LimitExceeded("indexes within each other", _DEPTH)))


def _broken_promise(promised: Descriptor, found: RawManifest) -> Reason | None:
    if promised.media_type in INDEX_TYPES | MANIFEST_TYPES and promised.media_type != found.media_type:
        return MediaTypeMismatch(promised.media_type, found.media_type)
    return None


def _contradiction(graph: Graph) -> SizeMismatch | None:
    """One digest is one content, and has one size."""
    sizes: dict[Digest, int] = {}
    for each in (blob for manifest in graph.manifests for blob in manifest.blobs):
        if sizes.setdefault(each.digest, each.size) != each.size:
            return SizeMismatch(sizes[each.digest], each.size)
    return None


def _graph(root: RawManifest, known: dict[Digest, RawManifest], *, foreign: bool) -> Graph:
    ordered: dict[Digest, RawManifest] = {}

    def visit(manifest: RawManifest) -> None:
        if manifest.digest not in ordered:
            for each in manifest.listed:
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
