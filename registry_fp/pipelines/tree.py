"""Trees: everything that a name leads to, and what refers to each part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, TypeAlias, final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.archive.layout import OpenLayout, chosen_entry, with_source
from registry_fp.archive.layout_index import entry_name
from registry_fp.archive.source import AnyArchive, DockerSave, OciLayout
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, RegistryError, Unsupported
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import DOCKER_CONFIG, INDEX_TYPES, MANIFEST_TYPES, OCI_CONFIG
from registry_fp.domain.platform import ATTESTED, is_attestation
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import Op
from registry_fp.operations.manifests import get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.referrers import list_referrers
from registry_fp.pipelines.image_view import ImageNoun
from registry_fp.pipelines.layout_store import LayoutOrigin
from registry_fp.pipelines.lineage import Lineage, read_lineage
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.transport.port import Client

__all__ = ["Tree", "TreeNode", "TreeRole", "tree"]

TreeRole: TypeAlias = Literal["index", "image", "artifact", "attestation", "config", "layer", "unknown"]
"""What a part of a tree is; an "attestation" is what a builder lists in an index beside the image that it is about."""

_NODES: Final = 50_000  # what is listed twice is there twice


@final
@dataclass(frozen=True, slots=True)
class TreeNode:
    """One part: its descriptor (with the platform and annotations of the index that lists it), and what is beneath.

    `children` are what it lists, `referrers` what refers to it. `present` is False for a manifest that is listed and
    not there. `artifact_type` is an artifact's own.
    """

    role: TreeRole
    descriptor: Descriptor
    children: tuple[TreeNode, ...] = ()
    referrers: tuple[TreeNode, ...] = ()
    artifact_type: str | None = None
    present: bool = True

    @property
    def nodes(self) -> Iterator[TreeNode]:
        """All of it, this part first, in reading order."""
        yield self
        for each in (*self.children, *self.referrers):
            yield from each.nodes


@final
@dataclass(frozen=True, slots=True)
class Tree:
    """A name, and the tree that it leads to."""

    name: str
    root: TreeNode

    @property
    def size(self) -> int:
        """The bytes of everything that is in it, counting once what is there several times."""
        return sum({node.descriptor.digest: node.descriptor.size for node in self.root.nodes if node.present}.values())


def tree(client: Client, noun: ImageNoun, *, referrers: bool = True) -> Op[Tree]:
    """Everything that a name leads to: an index, its images, their configurations and layers, and what is about them.

    Only manifests are read. In a registry, what refers to each of them is looked up too, unless `referrers` is False.
    Fails as `get_manifest` and `list_referrers`, as `push` for a layout on disk, with `Unsupported` for a `docker save`
    archive, which has no manifests, and with `LimitExceeded` beyond 2,000 manifests. Sources: image-spec, image-index
    and manifest; distribution-spec, end-12.
    """
    if isinstance(noun, DockerSave | OciLayout | AnyArchive):
        none = RegistryError("tree", str(noun), Unsupported("the tree of a `docker save` archive; `inspect` shows it"))
        return with_source(
            noun,
            saved=lambda _: FutureResult.from_failure(none),
            layout=partial(_of_layout, client.settings.concurrency),
        )
    return reference_noun("tree", noun).bind(partial(_of_repository, client, referrers))


def _of_repository(client: Client, referrers: bool, name: Reference) -> Op[Tree]:
    def ask(manifest: Descriptor) -> Op[tuple[Descriptor, ...]]:
        return list_referrers(client, Reference(name.repository, digest=manifest.digest))

    origin = RepositoryStore(client, name.repository)
    limit = client.settings.concurrency
    return get_manifest(client, name).bind(
        lambda raw: read_lineage(origin, raw, ask=ask if referrers else None, limit=limit).bind_result(
            partial(_tree, str(name), raw.descriptor)
        )
    )


def _of_layout(limit: int, layout: OpenLayout) -> Op[Tree]:
    origin = LayoutOrigin(layout.files)
    return FutureResult.from_result(chosen_entry(layout)).bind(
        lambda entry: origin.manifest(entry).bind(
            lambda raw: read_lineage(origin, raw, ask=None, limit=limit).bind_result(
                partial(_tree, entry_name(entry), entry)
            )
        )
    )


def _tree(name: str, root: Descriptor, lineage: Lineage) -> Result[Tree, RegistryError]:
    growth = _Growth(lineage)
    grown = growth.node(root, frozenset())
    if growth.left < 0:
        return Failure(RegistryError("tree", name, LimitExceeded("parts in a tree", _NODES)))
    return Success(Tree(name, grown))


@final
class _Growth:
    """The making of nodes; when there are too many (`left` is negative), what is made is good for nothing."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self.left = _NODES

    def node(self, entry: Descriptor, above: frozenset[Digest]) -> TreeNode:
        """The node of a manifest, and everything beneath it; nothing is beneath itself."""
        self.left -= 1
        manifest = self._lineage.manifests.get(entry.digest)
        if manifest is None or self.left < 0:
            listed = entry.media_type in MANIFEST_TYPES | INDEX_TYPES
            return TreeNode(_role(entry, None), entry, present=not listed)
        path = above | {entry.digest}
        model = manifest.model
        about = self._lineage.referrers.get(entry.digest, ())
        return TreeNode(
            _role(entry, manifest),
            entry,
            self._listed(model, path) if isinstance(model, ImageIndex) else self._blobs(model),
            tuple(self.node(each, path) for each in about if each.digest not in path),
            _artifact_type(manifest),
        )

    def _listed(self, index: ImageIndex, path: frozenset[Digest]) -> tuple[TreeNode, ...]:
        """The entries of an index, with each attestation beneath the image that it is about."""
        entries = [each for each in index.manifests if each.digest not in path]
        images = {str(each.digest) for each in entries if not is_attestation(each)}
        about: dict[str, list[TreeNode]] = {}
        own: list[TreeNode] = []
        for each in entries:
            subject = _subject(each)
            (about.setdefault(subject, []) if subject in images else own).append(self.node(each, path))
        return tuple(
            replace(each, referrers=(*about.get(str(each.descriptor.digest), ()), *each.referrers)) for each in own
        )

    def _blobs(self, manifest: ImageManifest) -> tuple[TreeNode, ...]:
        self.left -= 1 + len(manifest.layers)
        return (TreeNode("config", manifest.config), *(TreeNode("layer", layer) for layer in manifest.layers))


def _subject(entry: Descriptor) -> str:
    """The digest of the image that an attestation is about; nothing for everything else."""
    if not is_attestation(entry) or entry.annotations is None:
        return ""
    return entry.annotations.get(ATTESTED, "")


def _role(entry: Descriptor, manifest: RawManifest | None) -> TreeRole:
    if is_attestation(entry):
        return "attestation"
    if entry.media_type in INDEX_TYPES:
        return "index"
    if entry.media_type not in MANIFEST_TYPES:
        return "unknown"
    if entry.artifact_type or (manifest is not None and _artifact_type(manifest) is not None):
        return "artifact"
    return "image"


def _artifact_type(manifest: RawManifest) -> str | None:
    """What an artifact says that it is, or the kind of its configuration; None for an image."""
    model = manifest.model
    if isinstance(model, ImageIndex) or model.artifact_type is not None:
        return model.artifact_type
    return None if model.config.media_type in (DOCKER_CONFIG, OCI_CONFIG) else model.config.media_type
