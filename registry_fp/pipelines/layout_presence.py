"""What of an image is in a layout, and what becomes of an index of which only a part is there.

`docker save` from a containerd store lists every platform of an index, and saves the content of those it has. Either
that is refused, with everything that is not there; or the index is made anew from what is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import MissingContent, Reason, RegistryError
from registry_fp.domain.manifest import MANIFEST_LIMIT, ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import is_foreign
from registry_fp.domain.model import Annotations
from registry_fp.domain.platform import ATTESTED, is_attestation
from registry_fp.domain.strict_json import load_strict
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.layout_store import LayoutOrigin
from registry_fp.pipelines.walk import walk
from registry_fp.protocol.message import Body

__all__ = ["Missing", "PresentImage", "find_present"]

Missing: TypeAlias = Literal["strict", "present"]
"""What becomes of an image that lists content which is not there: it is refused, or what is there is pushed."""

_AT_ONCE: Final = 4  # manifests that are read from the layout


@final
@dataclass(frozen=True, slots=True)
class PresentImage:
    """An image, or an index, of which everything is there; an `Origin` of it.

    `dropped` are the entries that were left out of its indexes. An index that was made anew is in `made`, and nowhere
    else.
    """

    root: RawManifest
    origin: LayoutOrigin = field(repr=False)
    dropped: tuple[Descriptor, ...] = ()
    made: Mapping[Digest, RawManifest] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The path of the layout."""
        return self.origin.name

    @property
    def repository(self) -> None:
        """A layout is no repository."""
        return None

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """A manifest of the layout, or one that was made anew. Fails as `LayoutOrigin.manifest`."""
        made = self.made.get(wanted.digest)
        return self.origin.manifest(wanted) if made is None else FutureResult.from_value(made)

    def body(self, wanted: Descriptor) -> Body:
        """A blob's proven bytes."""
        return self.origin.body(wanted)


@operation
async def find_present(
    origin: LayoutOrigin, root: RawManifest, *, missing: Missing = "strict"
) -> Result[PresentImage, RegistryError]:
    """The image at `root`, if everything beneath it is in the layout; or, with "present", as much of it as there is.

    An entry of an index is left out where its manifest or one of its blobs is not there, and so is an attestation of
    one that is left out; bytes change only in the indexes above it. Fails with `MissingContent`, which lists everything
    that is not there, where that is refused or no image is left; with `LimitExceeded`; and as the layout does.
    """
    surveyed = await _surveyed(origin, root)
    if not is_successful(surveyed):
        return Failure(surveyed.failure())
    survey = surveyed.unwrap()
    absent = tuple(survey.absent)
    if not absent:
        return Success(PresentImage(root, origin))
    if missing == "present":
        part = _Part(survey)
        rebuilt = part.image(root)
        if not is_successful(rebuilt):
            return Failure(RegistryError("read_image", origin.name, rebuilt.failure()))
        left = rebuilt.unwrap()
        if left is not None:
            return Success(PresentImage(left, origin, tuple(part.dropped), part.made))
    return Failure(RegistryError("read_image", origin.name, MissingContent(absent)))


@final
@dataclass(frozen=True, slots=True)
class _Survey:
    """Everything beneath a manifest: what could be read, and what is not there."""

    known: Mapping[Digest, RawManifest]
    absent: Mapping[Digest, None]


async def _surveyed(origin: LayoutOrigin, root: RawManifest) -> Result[_Survey, RegistryError]:
    """Read what is there; fails with what makes the layout unreadable."""

    @operation
    async def there(wanted: Descriptor) -> Result[RawManifest | None, RegistryError]:
        read = await settle(origin.manifest(wanted))
        if isinstance(read, Err):
            return Success(None) if isinstance(read.error.reason, MissingContent) else Failure(read.error)
        return Success(read.value)

    walked = await settle(walk(origin.name, root, there, limit=_AT_ONCE))
    if isinstance(walked, Err):
        return Failure(walked.error)
    absent = dict.fromkeys(walked.value.unread)
    for manifest in walked.value.manifests.values():
        blobs = await origin.absent(_needed(manifest))
        if not is_successful(blobs):
            return Failure(blobs.failure())
        absent.update(dict.fromkeys(blobs.unwrap()))
    return Success(_Survey(walked.value.manifests, absent))


@final
class _Part:
    """What is left of an image without what is absent."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey
        self.made: dict[Digest, RawManifest] = {}
        self.dropped: list[Descriptor] = []

    def image(self, manifest: RawManifest) -> Result[RawManifest | None, Reason]:
        """The manifest itself, an index made anew, or nothing; an index is never deeper than the survey went."""
        if not isinstance(manifest.model, ImageIndex):
            whole = all(each.digest not in self._survey.absent for each in _needed(manifest))
            return Success(manifest if whole else None)
        left: list[Descriptor | None] = []
        for entry in manifest.model.manifests:
            below = self._survey.known.get(entry.digest)
            if entry in manifest.blobs:  # an entry of a build cache
                left.append(None if entry.digest in self._survey.absent else entry)
                continue
            kept = Success(None) if below is None else self.image(below)
            if not is_successful(kept):
                return Failure(kept.failure())
            left.append(_pointing(entry, kept.unwrap()))
        entries = list(zip(manifest.model.manifests, left, strict=True))
        gone = {str(entry.digest) for entry, kept in entries if kept is None}
        entries = [(entry, None if _about(entry) in gone else kept) for entry, kept in entries]
        self.dropped += [entry for entry, kept in entries if kept is None]
        if all(kept is None or is_attestation(kept) for _, kept in entries):
            return Success(None)
        if all(kept == entry for entry, kept in entries):
            return Success(manifest)
        return _remade(manifest, [kept for _, kept in entries]).map(self._keep)

    def _keep(self, made: RawManifest) -> RawManifest:
        self.made[made.digest] = made
        return made


def _pointing(entry: Descriptor, to: RawManifest | None) -> Descriptor | None:
    """The entry, for the manifest that it leads to now."""
    if to is None or to.digest == entry.digest:
        return None if to is None else entry
    return entry.model_copy(update={"digest": to.digest, "size": len(to.raw)})


def _remade(manifest: RawManifest, left: list[Descriptor | None]) -> Result[RawManifest, Reason]:
    """The same index with other entries; fields that nobody knows stay as they are."""
    loaded = load_strict(manifest.raw, limit=MANIFEST_LIMIT)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document: dict[str, Any] = loaded.unwrap()
    document["manifests"] = [
        {**item, "digest": str(kept.digest), "size": kept.size}
        for item, kept in zip(document["manifests"], left, strict=True)
        if kept is not None
    ]
    raw = json.dumps(document, indent=2, ensure_ascii=False).encode()
    return parse_manifest(raw, manifest.media_type, algorithm=manifest.digest.algorithm)


def _needed(manifest: RawManifest) -> Iterator[Descriptor]:
    return (each for each in manifest.blobs if not is_foreign(each.media_type))


def _about(entry: Descriptor) -> str | None:
    return (entry.annotations or Annotations()).get(ATTESTED)
