"""What `docker save` writes: the members of an archive with one image in it, as Docker 25 and later make it.

It is an OCI image layout of uncompressed layers, with a `manifest.json` and a `repositories` file beside it for older
readers. The configuration keeps its bytes, so the image keeps its id. Sources: moby, image/tarexport; image-spec,
image-layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from registry_fp.archive.layout_index import (
    CONTAINERD_NAME,
    INDEX_JSON,
    LAYOUT_MARKER,
    OCI_LAYOUT,
    REF_NAME,
    blob_name,
    with_entry,
)
from registry_fp.archive.manifest_json import MANIFEST_JSON, REPOSITORIES
from registry_fp.archive.tar_writer import MovedFile, TarContent
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.manifest import RawManifest, render_image_manifest
from registry_fp.domain.media_type import OCI_CONFIG, OCI_LAYER
from registry_fp.domain.model import Annotations
from registry_fp.domain.reference import DOCKER_HUB, Reference, parse_reference

__all__ = ["docker_members", "familiar_name", "layout_members"]


def docker_members(
    config: bytes, layers: Sequence[tuple[Digest, MovedFile]], tag: Reference | None
) -> dict[str, TarContent]:
    """The members of an archive of one image: its configuration, and its layers by diff_id, oldest first.

    Without a `tag` the image has no name in the archive. Whoever calls has proven that the layers are their diff_ids'.
    """
    id_ = Descriptor(media_type=OCI_CONFIG, digest=digest_of(config), size=len(config))
    contents = tuple(Descriptor(media_type=OCI_LAYER, digest=diff_id, size=content.size) for diff_id, content in layers)
    manifest = render_image_manifest("oci", id_, contents)
    saved = {
        "Config": blob_name(id_),
        "RepoTags": None if tag is None else [familiar_name(tag)],
        "Layers": [blob_name(layer) for layer in contents],
        "LayerSources": {str(layer.digest): _shown(layer) for layer in contents},
    }
    # An older reader finds the image by the layer on its top.
    named = {} if tag is None or not layers else _repositories(tag, layers[-1][0])
    names = {} if tag is None else {CONTAINERD_NAME: f"{tag.repository}:{tag.tag}", REF_NAME: str(tag.tag)}
    return {
        **{blob_name(layer): content for layer, (_, content) in zip(contents, layers, strict=True)},
        blob_name(id_): config,
        MANIFEST_JSON: _json([saved]),
        REPOSITORIES: _json(named),
        **layout_members([manifest], manifest, names),
    }


def layout_members(
    manifests: Sequence[RawManifest], root: RawManifest, names: Mapping[str, str]
) -> dict[str, TarContent]:
    """The members that make an OCI image layout of blobs: manifests, `index.json` that lists `root`, and the marker.

    `names` are the annotations of the image in `index.json`. Source: image-spec, image-layout.
    """
    listed = root.descriptor.model_copy(update={"annotations": Annotations(names)} if names else {})
    return {
        **{blob_name(manifest.descriptor): manifest.raw for manifest in manifests},
        INDEX_JSON: with_entry(None, listed).unwrap(),
        OCI_LAYOUT: LAYOUT_MARKER,
    }


def familiar_name(name: Reference) -> str:
    """An image's name with its tag, and without what Docker leaves out and fills in again.

    >>> familiar_name(parse_reference("docker.io/library/nginx:1.27").unwrap())
    'nginx:1.27'
    >>> familiar_name(parse_reference("localhost:5000/app:1").unwrap())
    'localhost:5000/app:1'
    """
    full = f"{name.repository}:{name.tag}"
    short = full.removeprefix(f"{DOCKER_HUB}/")
    for shown in (short.removeprefix("library/"), short):
        if str(parse_reference(shown).map(str).value_or("")) == full:
            return shown
    return full


def _repositories(tag: Reference, top: Digest) -> dict[str, dict[str, str]]:
    name, _, version = familiar_name(tag).rpartition(":")
    return {name: {version: top.hex}}


def _shown(descriptor: Descriptor) -> dict[str, Any]:
    return descriptor.model_dump(mode="json", exclude_none=True)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
