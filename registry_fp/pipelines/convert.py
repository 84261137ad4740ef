"""Convert: an image under the other family's media types, its blobs being the same.

On request the whole image is converted. Where a registry takes one family alone, `converting` stands before it and
converts what it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.conversion import convert_manifest, family_of
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Refused, RegistryError
from registry_fp.domain.manifest import ImageIndex, RawManifest
from registry_fp.domain.media_type import Family
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.event import OnEvent
from registry_fp.pipelines.graph import Graph
from registry_fp.pipelines.rewritten import RewriteOptions, Rewritten, Written, both_names, rewrite_image
from registry_fp.pipelines.store import Destination, Origin, Placed
from registry_fp.transport.port import Client

__all__ = ["Converting", "convert", "converting"]

_OTHER: Final[Mapping[Family, Family]] = {"docker": "oci", "oci": "docker"}
_KIND: Final = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})


def convert(
    client: Client,
    source: str | Reference,
    target: str | Reference,
    *,
    to: Family,
    options: RewriteOptions = RewriteOptions(),
) -> Op[Rewritten]:
    """Store an image, or an index with all its images, under the media types of `to`: "docker" or "oci".

    Blobs are the same bytes, so on one host none moves; manifests and indexes get other digests, and what refers to
    the old ones (signatures, for example) does not refer to the new ones. An image that has the media types already is
    copied as it is. Fails with `Unsupported`, before anything is sent, where Docker's media types cannot say it
    (artifacts, zstd), with `BadReference`, `NotFound`, or as `copy` does. Sources: image-spec, media-types; Docker
    image manifest V2, schema 2.
    """

    def changed(origin: Origin, graph: Graph) -> Op[Written]:
        became: dict[Digest, RawManifest] = {}
        for manifest in graph.manifests:
            made = convert_manifest(manifest, to, became)
            if not is_successful(made):
                return FutureResult.from_failure(
                    RegistryError("convert", f"{origin.name}@{manifest.digest}", made.failure())
                )
            became[manifest.digest] = made.unwrap()
        return FutureResult.from_value(
            Written(became[graph.root.digest], {made.digest: made for made in became.values()})
        )

    return both_names("convert", source, target).bind(
        lambda names: rewrite_image("convert", client, names, changed, options)
    )


def converting(destination: Destination) -> Converting:
    """A destination that is asked to take each manifest as it is, and in the other family where it refuses the kind."""
    return Converting(destination)


@final
class Converting:
    """A `Destination` before another one. It serves one transfer; `became` tells what was converted on the way."""

    def __init__(self, inner: Destination) -> None:
        self.became: dict[Digest, RawManifest] = {}
        self._inner = inner

    @property
    def name(self) -> str:
        """The name of the destination behind it."""
        return self._inner.name

    def holds(self, manifest: Descriptor) -> Op[bool]:
        """Whether the destination has the manifest as it is."""
        return self._inner.holds(manifest)

    def place(self, blob: Descriptor, origin: Origin, on_event: OnEvent) -> Op[Placed]:
        """Blobs are the same in both families."""
        return self._inner.place(blob, origin, on_event)

    @operation
    async def store(self, manifest: RawManifest, tag: str | None) -> Result[None, RegistryError]:
        """Store the manifest; one that is refused for its kind, or that lists a converted one, in the other family.

        Fails as the destination does: where it takes neither, with what it said of the manifest as it is.
        """
        entries = manifest.model.manifests if isinstance(manifest.model, ImageIndex) else ()
        family = next((self.became[each.digest] for each in entries if each.digest in self.became), None)
        if family is not None:
            return await self._converted(manifest, family_of(family.media_type), tag)
        stored = await settle(self._inner.store(manifest, tag))
        if isinstance(stored, Ok) or not _refuses_the_kind(stored.error):
            return result_of(stored)
        other = await self._converted(manifest, _OTHER[family_of(manifest.media_type)], tag)
        return Failure(stored.error) if not is_successful(other) and _says_no(other.failure()) else other

    async def _converted(self, manifest: RawManifest, to: Family, tag: str | None) -> Result[None, RegistryError]:
        made = convert_manifest(manifest, to, self.became)
        if not is_successful(made):
            return Failure(RegistryError("convert", f"{self.name}@{manifest.digest}", made.failure()))
        stored = await settle(self._inner.store(made.unwrap(), tag))
        if isinstance(stored, Err):
            return Failure(stored.error)
        self.became[manifest.digest] = made.unwrap()
        return Success(None)


def _refuses_the_kind(error: RegistryError) -> bool:
    """Whether a registry's refusal of a manifest may be about its media type: registries say it in several ways."""
    match error.reason:
        case Refused(415):
            return error.doing == "put_manifest"
        case Refused(problems=problems):
            return error.doing == "put_manifest" and any(each.code in _KIND for each in problems)
        case _:
            return False


def _says_no(error: RegistryError) -> bool:
    return error.doing == "convert" or _refuses_the_kind(error)
