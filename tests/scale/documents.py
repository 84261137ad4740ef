"""Manifests as strangers write them: any order of keys, any white space, any field that nobody knows."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.copy import made
from tests.copy.made import Made
from tests.domain.documents import unknown_fields

_CONFIGS = (made.CONFIG, "application/vnd.oci.empty.v1+json", "application/vnd.stranger.config+json")
_LAYERS = (made.LAYER, "application/vnd.oci.image.layer.v1.tar", "application/vnd.stranger; version=1", "text/plain")
_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
_in_pointers = unknown_fields(
    *("mediatype", "digest", "size", "urls", "annotations", "data", "artifacttype", "platform")
)
_in_documents = unknown_fields(
    *("schemaversion", "mediatype", "artifacttype", "config", "layers", "blobs", "fslayers", "manifests"),
    *("subject", "annotations"),
)
_contents = st.binary(max_size=64)
_annotations = st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3)


@st.composite
def _descriptors(draw: st.DrawFn, kinds: tuple[str, ...], content: bytes) -> dict[str, Any]:
    pointer = made.pointer(draw(st.sampled_from(kinds)), content)
    if draw(st.booleans()):
        pointer["annotations"] = draw(_annotations)
    return pointer | draw(_in_pointers)


@st.composite
def images(draw: st.DrawFn) -> Made:
    """An image, or an artifact, of up to four blobs, one of which may be listed twice, and perhaps a foreign one."""
    family = draw(st.sampled_from([made.MANIFEST, made.DOCKER_MANIFEST]))
    config, layers = draw(_contents), draw(st.lists(_contents, max_size=3))
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": family,
        "config": draw(_descriptors(_CONFIGS, config)),
        "layers": [draw(_descriptors(_LAYERS, layer)) for layer in [*layers, *layers[:1]]],
    }
    if draw(st.booleans()):
        document["layers"].append({**made.pointer(_FOREIGN, b"elsewhere"), "urls": ["https://example.com/layer"]})
    return Made(family, _written(draw, document), {made.sha256(each): each for each in (config, *layers)})


@st.composite
def trees(draw: st.DrawFn) -> Made:
    """An image, an index of images, or an index of those."""
    listed = st.one_of(images(), st.lists(images(), max_size=2).flatmap(lambda beneath: _indexes(tuple(beneath))))
    return draw(st.one_of(images(), st.lists(listed, max_size=3).flatmap(lambda beneath: _indexes(tuple(beneath)))))


@st.composite
def _indexes(draw: st.DrawFn, listed: tuple[Made, ...]) -> Made:
    family = draw(st.sampled_from([made.INDEX, made.DOCKER_INDEX]))
    entries = [each.descriptor(**draw(_in_pointers)) for each in listed]
    for entry in entries:
        if draw(st.booleans()):
            entry["platform"] = {"os": "linux", "architecture": draw(st.sampled_from(["amd64", "arm64", "pdp11"]))}
    return Made(family, _written(draw, {"schemaVersion": 2, "mediaType": family, "manifests": entries}), {}, listed)


def _written(draw: st.DrawFn, document: Mapping[str, Any]) -> bytes:
    whole = {**document, **draw(_in_documents)}
    if draw(st.booleans()):
        whole["annotations"] = draw(_annotations)
    if draw(st.booleans()):
        whole["subject"] = made.pointer(made.MANIFEST, draw(_contents))
    shuffled = {name: whole[name] for name in draw(st.permutations(list(whole)))}
    indent, separators = draw(st.sampled_from([None, 0, 3, "\t"])), draw(st.sampled_from([(",", ":"), (" , ", "  : ")]))
    text = json.dumps(shuffled, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    before, after = draw(st.text(" \t\r\n", max_size=3)), draw(st.text(" \t\r\n", max_size=3))
    return f"{before}{text}{after}".encode()
