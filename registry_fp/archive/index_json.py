"""`index.json`: the other table of contents, in archives of Docker 25 and later, and whether it tells the same story.

Such an archive is an OCI image layout with a `manifest.json` beside it, and readers choose one of the two. Where both
can be followed they must lead to the same images; otherwise whoever looks at one and runs the other is deceived. What
is only listed and not there (other platforms, attestations) contradicts nothing. Source: image-spec, image-layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.content import read_document
from registry_fp.archive.layout_index import INDEX_JSON, INDEX_JSON_LIMIT, parse_index_json
from registry_fp.archive.opened import OpenArchive
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, LimitExceeded, MalformedDocument, Reason
from registry_fp.domain.manifest import MANIFEST_LIMIT, ImageIndex, ImageManifest, parse_manifest
from registry_fp.domain.media_type import DOCKER_CONFIG, INDEX_TYPES, MANIFEST_TYPES, OCI_CONFIG

__all__ = ["check_index"]

_DEPTH_LIMIT: Final = 8
_NODE_LIMIT: Final = 10_000
_BYTES_LIMIT: Final = 32 * 1024 * 1024


@final
@dataclass(slots=True)
class _Seen:
    """What a walk has met: configurations of image manifests that are there, and those that index.json itself names."""

    configs: set[Digest] = field(default_factory=set)
    direct: set[Digest] = field(default_factory=set)
    nodes: set[Digest] = field(default_factory=set)
    read: int = 0


async def check_index(archive: OpenArchive, saved: Sequence[Digest | None]) -> Result[None, Reason]:
    """Whether `index.json`, if there is one, and `manifest.json` lead to the same images.

    `saved` are the configurations that `manifest.json` names, None for one whose name tells no digest. Refused
    ("manifests disagree") are a saved image that `index.json` does not lead to, although it leads to others, and an
    image that `index.json` names itself and `manifest.json` does not have. An index within it may hold platforms that
    `manifest.json` leaves out. Fails with `InvalidImage` and `LimitExceeded`.
    """
    if INDEX_JSON not in archive.index:
        return Success(None)
    listed = await read_document(
        archive, INDEX_JSON, parse_index_json, missing="bad index.json", limit=INDEX_JSON_LIMIT
    )
    if not is_successful(listed):
        return Failure(listed.failure())
    seen = _Seen()
    fault = await _walk(archive, listed.unwrap(), seen)
    if fault is not None:
        return Failure(fault)
    strangers = [digest for digest in saved if digest is not None and digest not in seen.configs]
    if seen.configs and strangers:
        return Failure(_disagree(f"index.json does not lead to the image {strangers[0]}"))
    unsaved = seen.direct.difference(saved)
    if unsaved and None not in saved:
        return Failure(_disagree(f"manifest.json does not have the image {min(unsaved)}"))
    return Success(None)


async def _walk(archive: OpenArchive, listed: Iterable[Descriptor], seen: _Seen) -> Reason | None:
    level = list(listed)
    for depth in range(_DEPTH_LIMIT + 1):
        below: list[Descriptor] = []
        for node in level:
            if node.digest in seen.nodes:
                continue
            seen.nodes.add(node.digest)
            if len(seen.nodes) > _NODE_LIMIT:
                return LimitExceeded("manifests in index.json", _NODE_LIMIT)
            manifest = await _manifest(archive, node, seen)
            if not is_successful(manifest):
                return manifest.failure()
            match manifest.unwrap():
                case ImageIndex(manifests=children):
                    below.extend(children)
                case ImageManifest(config=config) if config.media_type in {OCI_CONFIG, DOCKER_CONFIG}:
                    seen.configs.add(config.digest)
                    if depth == 0:
                        seen.direct.add(config.digest)
                case ImageManifest() | None:  # an artifact; or not there
                    pass
        level = below
    return LimitExceeded("levels of index.json", _DEPTH_LIMIT) if level else None


async def _manifest(
    archive: OpenArchive, node: Descriptor, seen: _Seen
) -> Result[ImageIndex | ImageManifest | None, Reason]:
    """The manifest that a descriptor names; None if it is not in the archive, or is of a kind that is no image."""
    name = f"blobs/{node.digest.algorithm}/{node.digest.hex}"
    if name not in archive.index or node.media_type not in INDEX_TYPES | MANIFEST_TYPES:
        return Success(None)
    return await read_document(
        archive, name, lambda raw: _parsed(raw, name, node, seen), missing="bad index.json", limit=MANIFEST_LIMIT
    )


def _parsed(raw: bytes, name: str, node: Descriptor, seen: _Seen) -> Result[ImageIndex | ImageManifest | None, Reason]:
    seen.read += len(raw)
    if seen.read > _BYTES_LIMIT:
        return Failure(LimitExceeded("bytes of manifests behind index.json", _BYTES_LIMIT))
    parsed = parse_manifest(raw, node.media_type, algorithm=node.digest.algorithm)
    if not is_successful(parsed):
        return Failure(_bad(name, parsed.failure()))
    manifest = parsed.unwrap()
    if manifest.digest != node.digest:
        return Failure(InvalidImage("digest mismatch", name, f"its bytes are {manifest.digest}"))
    return Success(manifest.model)


def _bad(name: str, reason: Reason) -> Reason:
    return InvalidImage("bad index.json", name, reason.why) if isinstance(reason, MalformedDocument) else reason


def _disagree(detail: str) -> InvalidImage:
    return InvalidImage("manifests disagree", INDEX_JSON, detail)
