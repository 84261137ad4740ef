"""Validate what a registry has: is an image there whole, down to the last byte of every layer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from returns.future import FutureResult

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import Op
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.graph import Graph
from registry_fp.pipelines.image_choice import one_image
from registry_fp.pipelines.proof import prove
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.transport.port import Client

__all__ = ["RemoteImage", "validate_remote"]

_VERB = "validate_remote"


@final
@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image that a registry has whole: its name, pinned to what it stood for, and everything beneath, each once.

    `manifests` are what is listed before what lists it, so that the last one is `manifest` itself. `foreign` are layers
    that may not be distributed; they were not asked for.
    """

    reference: Reference
    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    foreign: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> Digest:
        """The digest of its manifest, or of its index."""
        return self.manifest.digest

    @property
    def size(self) -> int:
        """How many bytes were read and proven: all manifests and all blobs, as they lie there."""
        return sum(each.size for each in (*self.manifests, *self.blobs))


def validate_remote(
    client: Client,
    reference: str | Reference,
    *,
    platform: str | Platform | None = None,
    concurrency: int | None = None,
) -> Op[RemoteImage]:
    """Read all of an image from its registry, and prove every manifest, every blob and every layer's diff_id.

    Nothing is kept: blobs are streamed, `concurrency` at once (None: as the client's settings say), layers are unpacked
    on the way, and the disk is not touched. With a `platform` it is one image of an index ("local" for this machine's),
    else the index with all its images. The registry itself is asked, and never a mirror, because it is the registry
    that is proven. The name is pinned to its digest when it is first read; what is shared is read once. A stream that
    is cut goes on where it broke.

    Fails with the one fault that there is, or with `SeveralFailed`, which lists all, each by its digest: `NotFound`,
    `DigestMismatch`, `SizeMismatch`, `InvalidImage` ("bad config", "layer count", "bad layer", "diff_id mismatch"),
    `MediaTypeMismatch`, or as the transport does; with `BadReference`, `NoSuchPlatform` and `Misconfigured`.
    Sources: distribution-spec, "Pull"; image-spec, config, "Layer DiffID".
    """
    at_once = client.settings.concurrency if concurrency is None else concurrency
    if at_once < 1:
        wrong = Misconfigured("concurrency", f"it is at least 1, not {at_once}")
        return FutureResult.from_failure(RegistryError(_VERB, str(reference), wrong))
    asked = client.at_origin()

    def proven(name: Reference, wanted: Platform | None) -> Op[RemoteImage]:
        origin = RepositoryStore(asked, name.repository)
        return (
            get_manifest(asked, name)
            .bind(lambda raw: one_image(_VERB, origin, str(name), raw, wanted, strict=platform != "local"))
            .bind(lambda root: prove(_VERB, origin, str(name), (root,), limit=at_once))
            .map(lambda graphs: _image(name, graphs[0]))
        )

    return reference_noun(_VERB, reference).bind(
        lambda name: _wanted(platform).bind(lambda wanted: proven(name, wanted))
    )


def _wanted(platform: str | Platform | None) -> Op[Platform | None]:
    if platform is None:
        return FutureResult.from_value(None)
    return FutureResult.from_result(parse_platform(platform)).map(lambda found: found)


def _image(name: Reference, graph: Graph) -> RemoteImage:
    root = graph.root.descriptor
    manifests = tuple(each.descriptor for each in graph.manifests)
    return RemoteImage(name.at(root.digest), root, manifests, graph.blobs, graph.referenced)
