"""Conversion as a function: media types change, and nothing else does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.conversion import convert_manifest, family_of
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Unsupported
from registry_fp.domain.manifest import RawManifest, parse_manifest
from registry_fp.domain.media_type import Family
from tests.domain.documents import unknown_fields
from tests.formats.place import DOCKER, DOCKER_LIST, OCI, OCI_INDEX, sha256

# Written down from the image-spec's table of compatible media types, and from Docker's schema 2.
PAIRS: Final = {
    DOCKER: OCI,
    DOCKER_LIST: OCI_INDEX,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": ("application/vnd.oci.image.layer.nondistributable.v1.tar"),
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}
ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
CONFIG: Final = "application/vnd.docker.container.image.v1+json"
LAYERS: Final = [name for name in PAIRS if "rootfs" in name]
UNKNOWN: Final = ["application/vnd.in-toto+json", "application/vnd.example.layer.v9", "x/y"]
KNOWN_TOP: Final = [
    *("schemaversion", "mediatype", "artifacttype", "config", "layers", "manifests"),
    *("fslayers", "subject", "annotations", "history", "signatures", "tag", "name"),
]
KNOWN_LOW: Final = ["mediatype", "digest", "size", "urls", "annotations", "data", "artifacttype", "platform"]


def _descriptor(media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": sha256(media_type.encode()), "size": 7, **more}


def _manifest(document: Mapping[str, Any], indent: int | str | None = None) -> RawManifest:
    return parse_manifest(json.dumps(document, indent=indent).encode()).unwrap()


def _docker(*layers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": DOCKER, "config": _descriptor(CONFIG), "layers": list(layers), **more}


def _renamed(value: Any) -> Any:
    """The document with every Docker media type replaced: conversion, told independently."""
    if isinstance(value, dict):
        return {name: PAIRS.get(each, each) if name == "mediaType" else _renamed(each) for name, each in value.items()}
    return [_renamed(each) for each in value] if isinstance(value, list) else value


_layers = st.builds(
    lambda media_type, more, urls: {**more, **_descriptor(media_type), **urls},
    st.sampled_from([*LAYERS, *UNKNOWN]),
    unknown_fields(*KNOWN_LOW).filter(lambda more: "mediaType" not in json.dumps(more)),
    st.sampled_from([{}, {"urls": ["https://example.com/layer?x=1&y=%2F"]}, {"annotations": {"a": "1"}}]),
)
_images = st.builds(
    lambda top, layers: {**top, **_docker(*layers)},
    unknown_fields(*KNOWN_TOP).filter(lambda top: "mediaType" not in json.dumps(top)),
    st.lists(_layers, max_size=4),
)


@given(document=_images, indent=st.sampled_from([None, 1, 3, "\t"]))
def test_there_and_back_is_the_same_document(document: dict[str, Any], indent: int | str | None) -> None:
    """Whatever else people write into a manifest: only the media types changed on the way."""
    docker = _manifest(document, indent)
    oci = convert_manifest(docker, "oci").unwrap()
    assert json.loads(oci.raw) == _renamed(document)
    assert list(json.loads(oci.raw)) == list(document)
    back = convert_manifest(oci, "docker").unwrap()
    assert json.loads(back.raw) == document
    assert (oci.media_type, back.media_type) == (OCI, DOCKER)
    assert (family_of(oci.media_type), family_of(back.media_type)) == ("oci", "docker")


@given(document=_images, to=st.sampled_from(["docker", "oci"]))
def test_to_convert_twice_is_to_convert_once(document: dict[str, Any], to: Family) -> None:
    """What is there already keeps its bytes, and so its digest and its signatures."""
    once = convert_manifest(_manifest(document, 3), to).unwrap()
    assert convert_manifest(once, to).unwrap() is once


def test_a_manifest_that_does_not_name_its_media_type_gets_a_name() -> None:
    """The OCI lets it be left out; Docker's readers tell an image from a list by it."""
    document = {name: value for name, value in _renamed(_docker()).items() if name != "mediaType"}
    manifest = _manifest(document)
    assert convert_manifest(manifest, "oci").unwrap() is manifest
    docker = convert_manifest(manifest, "docker").unwrap()
    assert list(json.loads(docker.raw))[:2] == ["schemaVersion", "mediaType"]


@pytest.mark.parametrize(
    ("document", "lost"),
    [
        (_renamed(_docker(_descriptor(ZSTD))), "zstd"),
        (_renamed(_docker(artifactType="application/vnd.example")), "artifact"),
        (_renamed(_docker(subject=_descriptor(OCI))), "subject"),
        (_renamed(_docker()) | {"config": _descriptor("application/vnd.oci.empty.v1+json")}, "artifact"),
        ({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_descriptor(OCI)]}, "platform"),
    ],
)
def test_what_docker_cannot_say_is_refused_and_named(document: dict[str, Any], lost: str) -> None:
    """A manifest that half of its readers cannot read is worse than none."""
    reason = convert_manifest(_manifest(document), "docker").failure()
    assert isinstance(reason, Unsupported)
    assert lost in reason.what


def test_dockers_zstd_becomes_the_oci_s() -> None:
    """Containerd reads it under both names."""
    document = _docker(_descriptor("application/vnd.docker.image.rootfs.diff.tar.zstd"))
    oci = json.loads(convert_manifest(_manifest(document), "oci").unwrap().raw)
    assert [layer["mediaType"] for layer in oci["layers"]] == [ZSTD]


def test_an_index_lists_what_its_images_became() -> None:
    """Children have other digests: the entry, its embedded copy and the attestation about it follow."""
    image = _manifest(_docker())
    platform = {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1", "os.features": ["win32k"]}
    entry = {
        "x-more": [1],
        "mediaType": DOCKER,
        "digest": str(image.digest),
        "size": len(image.raw),
        "platform": platform,
        "data": base64.b64encode(image.raw).decode(),
    }
    about = {"vnd.docker.reference.digest": str(image.digest), "vnd.docker.reference.type": "attestation-manifest"}
    attestation = _descriptor(OCI, annotations=about, platform={"os": "unknown", "architecture": "unknown"})
    other = _descriptor(DOCKER)
    document = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "x-top": None, "manifests": [entry, attestation, other]}
    became = convert_manifest(image, "oci").unwrap()
    index = json.loads(convert_manifest(_manifest(document), "oci", {image.digest: became}).unwrap().raw)
    first, second, third = index["manifests"]
    assert list(first) == list(entry)
    assert first == {
        **entry,
        "mediaType": OCI,
        "digest": sha256(became.raw),
        "size": len(became.raw),
        "data": base64.b64encode(became.raw).decode(),
    }
    assert second == {**attestation, "annotations": {**about, "vnd.docker.reference.digest": sha256(became.raw)}}
    assert (third, index["mediaType"], index["x-top"]) == (other, OCI_INDEX, None)


def test_a_manifest_named_by_sha512_becomes_one_named_by_sha512() -> None:
    """Whoever chose an algorithm keeps it."""
    raw = json.dumps(_docker()).encode()
    converted = convert_manifest(parse_manifest(raw, algorithm="sha512").unwrap(), "oci").unwrap()
    assert converted.digest.algorithm == "sha512"
    assert is_successful(parse_manifest(converted.raw, OCI))


def test_an_index_of_ten_thousand_entries_is_converted_in_one_pass() -> None:
    """Each child is looked up, not searched for."""
    children: dict[Digest, RawManifest] = {}
    entries = []
    for number in range(10_000):
        image = _manifest(_docker(number=number))
        children[image.digest] = image
        entries.append({"mediaType": DOCKER, "digest": str(image.digest), "size": len(image.raw)})
    index = _manifest({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries})
    assert json.loads(convert_manifest(index, "oci", children).unwrap().raw)["manifests"] == entries
