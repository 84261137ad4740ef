"""Walks: every manifest beneath one, each once, and no more of them than an honest index has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse

__all__ = ["Walked", "walk"]

_DEPTH: Final = 16
_MANIFESTS: Final = 20_000
_BYTES: Final = 128 * 1024 * 1024  # of all manifests together: they are held until their blobs are there


@final
@dataclass(frozen=True, slots=True)
class Walked:
    """The manifests that were read, the root first; and those listed ones that there is nothing of to be looked at."""

    manifests: Mapping[Digest, RawManifest]
    unread: tuple[Digest, ...]


@operation
async def walk(
    name: str, root: RawManifest, read: Callable[[Descriptor], Op[RawManifest | None]], *, limit: int
) -> Result[Walked, RegistryError]:
    """Read what is beneath `root`, level by level, `limit` at once; what `read` gives None for stays unread.

    Fails as `read`, and with `LimitExceeded`; `name` is where the manifests are.
    """
    known: dict[Digest, RawManifest | None] = {root.digest: root}
    level = [root]
    size = len(root.raw)
    for _ in range(_DEPTH):
        wanted = {each.digest: each for above in level for each in above.listed if each.digest not in known}
        if not wanted:
            manifests = {digest: found for digest, found in known.items() if found is not None}
            return Success(Walked(manifests, tuple(digest for digest in known if digest not in manifests)))
        size += sum(each.size for each in wanted.values())
        if len(known) + len(wanted) > _MANIFESTS:
            return Failure(RegistryError("get_manifest", name, LimitExceeded("manifests in an index", _MANIFESTS)))
        if size > _BYTES:
            return Failure(
                RegistryError("get_manifest", name, LimitExceeded("bytes of the manifests in an index", _BYTES))
            )
        found = await settle(traverse(wanted.values(), read, limit=limit))
        if isinstance(found, Err):
            return Failure(found.error)
        known.update(zip(wanted, found.value, strict=True))
        level = [each for each in found.value if each is not None]
    return Failure(RegistryError("get_manifest", name, LimitExceeded("indexes within each other", _DEPTH)))
