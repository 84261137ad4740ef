"""Lineages: a manifest, those that it lists, and those that refer to any of them, generation after generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, MissingContent, NotFound, RegistryError
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.media_type import INDEX_TYPES, MANIFEST_TYPES
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.pipelines.store import Origin

__all__ = ["AskReferrers", "Lineage", "read_lineage"]

AskReferrers: TypeAlias = Callable[[Descriptor], Op[tuple[Descriptor, ...]]]
"""What refers to a manifest."""

_GENERATIONS: Final = 16
_MANIFESTS: Final = 2_000
_BYTES: Final = 64 * 1024 * 1024  # of all manifests together


@final
@dataclass(frozen=True, slots=True)
class Lineage:
    """Manifests by digest (None: listed, and not there), and for each one what refers to it."""

    manifests: Mapping[Digest, RawManifest | None] = field(repr=False)
    referrers: Mapping[Digest, tuple[Descriptor, ...]] = field(repr=False)


@operation
async def read_lineage(
    origin: Origin, root: RawManifest, *, ask: AskReferrers | None, limit: int
) -> Result[Lineage, RegistryError]:
    """Read every manifest of a lineage, `limit` at once; without `ask` nothing is known to refer to anything.

    A referrer whose manifest names another subject is left out. Fails as the origin and as `ask`, except that a listed
    manifest may be absent, and with `LimitExceeded`.
    """
    known: dict[Digest, RawManifest | None] = {root.digest: root}
    referring: dict[Digest, tuple[Descriptor, ...]] = {}
    size = len(root.raw)
    level: Sequence[RawManifest] = [root]
    for _ in range(_GENERATIONS):
        asked = await settle(traverse([each.descriptor for each in level] if ask else [], ask or _nobody, limit=limit))
        if isinstance(asked, Err):
            return Failure(asked.error)
        claims = dict(zip((each.digest for each in level), asked.value, strict=False))
        listed = [each for manifest in level for each in _listed(manifest)]
        beneath = [*listed, *(each for found in claims.values() for each in found)]
        fresh = {each.digest: each for each in beneath if each.digest not in known and _is_manifest(each)}
        size += sum(each.size for each in fresh.values())
        if len(known) + len(fresh) > _MANIFESTS or size > _BYTES:
            return Failure(RegistryError("tree", origin.name, LimitExceeded("manifests in a tree", _MANIFESTS)))
        read = await settle(traverse(fresh.values(), lambda each: _present(origin, each), limit=limit))
        if isinstance(read, Err):
            return Failure(read.error)
        known |= dict(zip(fresh, read.value, strict=True))
        for subject, found in claims.items():
            referring[subject] = tuple(each for each in found if _is_about(known.get(each.digest), subject))
        level = [manifest for manifest in read.value if manifest is not None]
        if not level:
            return Success(Lineage(known, referring))
    return Failure(RegistryError("tree", origin.name, LimitExceeded("generations in a tree", _GENERATIONS)))


@operation
async def _present(origin: Origin, wanted: Descriptor) -> Result[RawManifest | None, RegistryError]:
    read = await settle(origin.manifest(wanted))
    if not isinstance(read, Err):
        return Success(read.value)
    absent = isinstance(read.error.reason, NotFound | MissingContent)
    return Success(None) if absent else Failure(read.error)


def _nobody(_: Descriptor) -> Op[tuple[Descriptor, ...]]:
    return FutureResult.from_value(())


def _listed(manifest: RawManifest) -> tuple[Descriptor, ...]:
    return manifest.model.manifests if isinstance(manifest.model, ImageIndex) else ()


def _is_manifest(entry: Descriptor) -> bool:
    return entry.media_type in MANIFEST_TYPES | INDEX_TYPES


def _is_about(referrer: RawManifest | None, subject: Digest) -> bool:
    return referrer is not None and referrer.model.subject is not None and referrer.model.subject.digest == subject
