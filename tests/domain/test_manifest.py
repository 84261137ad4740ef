"""Manifests: one meaning or none, and the bytes that came are the bytes that stay."""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from returns.pipeline import is_successful

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import (
    AmbiguousManifest,
    LimitExceeded,
    MalformedDocument,
    MediaTypeMismatch,
    Reason,
    Unsupported,
)
from registry_fp.domain.manifest import (
    MANIFEST_LIMIT,
    ImageIndex,
    ImageManifest,
    RawManifest,
    parse_manifest,
    render_image_manifest,
)
from registry_fp.domain.media_type import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_V1,
    DOCKER_MANIFEST_V1_SIGNED,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Family,
)
from tests.domain.documents import CONFIG, IMAGE, INDEX, LAYER, encoded, unknown_fields


def _parsed(document: object, content_type: str | None = None) -> RawManifest:
    return parse_manifest(encoded(document), content_type).unwrap()


def _refused(document: object, content_type: str | None = None) -> Reason:
    return parse_manifest(encoded(document), content_type).failure()


def _image(**changed: Any) -> dict[str, Any]:
    return {**IMAGE, **changed}


TYPES: Final = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX]


def _verdict(present: frozenset[str], own: str | None, declared: str | None) -> str | type:
    """The media type of a document, or the class of the reason: written down as a table of rules."""
    travelling = None if declared in (None, "application/json") else declared
    names = {name.lower() for name in present}
    if "manifests" in names and names & {"layers", "config"}:
        return AmbiguousManifest
    if not names:
        return MalformedDocument
    if own is not None and travelling is not None and own != travelling:
        return MediaTypeMismatch
    says = own or travelling
    is_index = "manifests" in names
    if says is not None and says not in TYPES:
        return Unsupported
    if says is not None and (says in (OCI_INDEX, DOCKER_INDEX)) != is_index:
        return AmbiguousManifest
    if present not in (frozenset({"manifests"}), frozenset({"layers", "config"})):
        return MalformedDocument
    return says or (OCI_INDEX if is_index else OCI_MANIFEST)


def test_every_combination_of_fields_and_media_types_has_one_meaning_or_none() -> None:
    """Two readers who choose differently are two images under one digest (CVE-2021-41190)."""
    contents: dict[str, Any] = {"manifests": INDEX["manifests"], "layers": [LAYER], "config": CONFIG}
    contents |= {"Manifests": INDEX["manifests"], "LAYERS": [LAYER], "Config": CONFIG}
    fields = [names for size in range(4) for names in itertools.combinations(contents, size)]
    spoken: list[str | None] = [None, *TYPES, "application/vnd.example+json"]
    travelling = [*spoken, "application/json"]
    for present, own, declared in itertools.product(fields, spoken, travelling):
        document = {"schemaVersion": 2, **{name: contents[name] for name in present}}
        if own is not None:
            document["mediaType"] = own
        parsed = parse_manifest(encoded(document), declared)
        found = parsed.unwrap().media_type if is_successful(parsed) else type(parsed.failure())
        assert found == _verdict(frozenset(present), own, declared), (present, own, declared)


def test_a_known_field_in_another_spelling_is_refused() -> None:
    """Go's decoder takes `Layers` for `layers`, and ours does not: whoever sends both wants two readings."""
    long_s = "layer\N{LATIN SMALL LETTER LONG S}"  # which Go folds to "layers"
    for name in ("schemaversion", "MediaType", "Config", "LAYERS", long_s, "Subject", "ANNOTATIONS"):
        assert isinstance(_refused({**IMAGE, name: IMAGE["layers"]}), MalformedDocument), name
    for name in ("Digest", "MEDIATYPE", "Size", "URLs"):
        assert isinstance(_refused(_image(layers=[{**LAYER, name: 1}])), MalformedDocument), name


def test_the_names_of_our_own_code_are_no_names_of_fields() -> None:
    """`media_type` is how Python spells it; in JSON it is a stranger's field, and must not decide anything."""
    config = {"media_type": "application/evil", **{name: CONFIG[name] for name in ("digest", "size")}}
    assert _refused(_image(config=config)) == MalformedDocument("config.mediaType: Field required")
    assert _refused({"schema_version": 2, "config": CONFIG, "layers": []}) == MalformedDocument(
        "schemaVersion: Field required"
    )
    model = _parsed(_image(config={**CONFIG, "media_type": "application/evil"})).model
    assert isinstance(model, ImageManifest)
    assert model.config.media_type == CONFIG["mediaType"]


@given(
    top=unknown_fields(
        "schemaversion",
        "mediatype",
        "artifacttype",
        "config",
        "layers",
        "manifests",
        "fslayers",
        "subject",
        "annotations",
    ),
    low=unknown_fields("mediatype", "digest", "size", "urls", "annotations", "data", "artifacttype", "platform"),
)
def test_unknown_fields_are_kept(top: dict[str, Any], low: dict[str, Any]) -> None:
    """The image-spec lets anybody add fields, and asks nobody to fail on them."""
    document = {**top, **_image(layers=[{**low, **LAYER}])}
    manifest = _parsed(document)
    assert isinstance(manifest.model, ImageManifest)
    assert manifest.model.model_extra == top
    assert manifest.model.layers[0].model_extra == low
    assert manifest.model.layers[0].size == LAYER["size"]


@given(
    document=st.sampled_from([IMAGE, INDEX, _image(annotations={"a": "ä"}, subject=LAYER)]),
    data=st.data(),
    indent=st.sampled_from([None, 0, 1, 3, "\t"]),
    padding=st.sampled_from([b"", b"\n", b" \r\n\t"]),
    ascii_only=st.booleans(),
)
def test_the_bytes_that_came_are_kept_and_the_digest_is_theirs(
    document: dict[str, Any], data: st.DataObject, indent: str | int | None, padding: bytes, ascii_only: bool
) -> None:
    """Whatever the order and the white space: a digest over anything else would name another manifest."""
    shuffled = {name: document[name] for name in data.draw(st.permutations(list(document)))}
    raw = padding + json.dumps(shuffled, indent=indent, ensure_ascii=ascii_only).encode() + padding
    manifest = parse_manifest(raw).unwrap()
    assert manifest.raw == raw
    assert str(manifest.digest) == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert (manifest.descriptor.digest, manifest.descriptor.size) == (manifest.digest, len(raw))
    assert manifest.model == _parsed(document).model


def test_a_manifest_asked_for_by_sha512_is_named_by_sha512() -> None:
    """The algorithm is the caller's."""
    raw = encoded(IMAGE)
    assert parse_manifest(raw, algorithm="sha512").unwrap().digest == digest_of(raw, "sha512")


def test_a_size_that_is_no_number_of_bytes_is_refused() -> None:
    """A size decides how much is read and sent: it must not be a string, a boolean or a rounding error."""
    sizes: tuple[object, ...] = (-1, 2**63, 2**64, "12", True, 1e30, 1.0, 12.5, None, [], {})
    for size in sizes:
        assert isinstance(_refused(_image(config={**CONFIG, "size": size})), MalformedDocument), size
        assert isinstance(_refused(_image(layers=[{**LAYER, "size": size}])), MalformedDocument), size


def test_any_other_size_is_a_number_and_nothing_is_allocated_for_it() -> None:
    """Empty layers exist, and a large number in a document is only a number."""
    for size in (0, 1, 2**63 - 1):
        model = _parsed(_image(layers=[{**LAYER, "size": size}])).model
        assert isinstance(model, ImageManifest)
        assert model.layers[0].size == size


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        (IMAGE, DOCKER_MANIFEST_V1),
        (IMAGE, DOCKER_MANIFEST_V1_SIGNED),
        (IMAGE, f"{DOCKER_MANIFEST_V1_SIGNED}; charset=utf-8"),
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, None),
        ({"schemaVersion": 1, "fsLayers": []}, "application/json"),
        ({"schemaVersion": 2, "fsLayers": []}, None),
    ],
)
def test_schema_1_is_named_as_what_it_is(document: object, content_type: str | None) -> None:
    """Registries still answer with it, and its digest is not over these bytes."""
    assert _refused(document, content_type) == Unsupported("Docker schema 1 manifests")


def test_a_manifest_with_layers_of_both_schemas_is_refused() -> None:
    """Containerd reads `fsLayers` as schema 1, whatever else is there."""
    assert isinstance(_refused(_image(fsLayers=[])), AmbiguousManifest)


def test_another_schema_version_is_refused() -> None:
    """2 is the number two."""
    versions: tuple[object, ...] = (None, 0, 3, "2", 2.0, True, [2])
    for version in versions:
        assert isinstance(_refused(_image(schemaVersion=version)), MalformedDocument), version


def test_what_is_not_a_manifest_is_malformed() -> None:
    """An error page with status 200 must not become an empty image."""
    documents: tuple[object, ...] = (
        [],
        "manifest",
        None,
        {},
        {"errors": []},
        {"schemaVersion": 2, "layers": []},
        {"schemaVersion": 2, "config": CONFIG},
        _image(layers=None),
        _image(layers={}),
        _image(config=[]),
        _image(mediaType=1),
        _image(annotations={"a": 1}),
        _image(annotations=[]),
        _image(config={**CONFIG, "digest": "sha256:../../x"}),
        _image(config={**CONFIG, "digest": CONFIG["digest"].upper()}),
        {"schemaVersion": 2, "manifests": None},
        {"schemaVersion": 2, "manifests": [1]},
        {"schemaVersion": 2, "manifests": [{**LAYER, "platform": {"os": "linux"}}]},
    )
    for document in documents:
        assert isinstance(_refused(document), MalformedDocument), document


def test_a_fault_is_named_by_its_place_in_the_document() -> None:
    """Who wrote the manifest must find it."""
    assert _refused(_image(layers=[LAYER, {**LAYER, "size": -1}])) == MalformedDocument(
        "layers.1.size: Input should be greater than or equal to 0"
    )


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "  ", f" {OCI_MANIFEST} ; x=y"])
def test_a_media_type_that_says_nothing_contradicts_nothing(content_type: str) -> None:
    """Static file servers and old registries send what they like."""
    assert _parsed(_image(mediaType=OCI_MANIFEST), content_type).media_type == OCI_MANIFEST


def test_an_index_keeps_its_platforms() -> None:
    """Which image to pull is chosen by them."""
    model = _parsed(INDEX).model
    assert isinstance(model, ImageIndex)
    platform = model.manifests[0].platform
    assert platform is not None
    assert (str(platform), platform.os_version, platform.os_features) == ("linux/arm64/v8", "1", ("x",))


def test_the_limit_is_on_bytes() -> None:
    """White space counts: memory does not care what the bytes mean."""
    raw = encoded(IMAGE)
    assert is_successful(parse_manifest(raw.ljust(MANIFEST_LIMIT)))
    assert parse_manifest(raw.ljust(MANIFEST_LIMIT + 1)).failure() == LimitExceeded("bytes of JSON", MANIFEST_LIMIT)


def test_a_manifest_is_a_frozen_value() -> None:
    """It is shared between tasks, kept in caches and sent to other processes."""
    manifest = _parsed(_image(annotations={"a": "1"}))
    copied = pickle.loads(pickle.dumps(manifest))  # noqa: S301  our own bytes
    assert copied == manifest
    assert hash(copied) == hash(manifest)
    with pytest.raises(ValidationError):
        manifest.model.schema_version = 2


_sizes = st.integers(0, 2**63 - 1)
_blobs = st.builds(
    lambda content, size: Descriptor(media_type="application/x", digest=digest_of(content), size=size),
    st.binary(max_size=4),
    _sizes,
)


@given(family=st.sampled_from(["docker", "oci"]), config=_blobs, layers=st.lists(_blobs, max_size=4).map(tuple))
def test_a_new_manifest_is_one_that_we_would_read_and_always_the_same(
    family: Family, config: Descriptor, layers: tuple[Descriptor, ...]
) -> None:
    """Two pushes of one image give one digest, and no registry is sent what we would refuse ourselves."""
    made = render_image_manifest(family, config, layers)
    assert made == render_image_manifest(family, config, layers)
    read = parse_manifest(made.raw, made.media_type).unwrap()
    assert read == made
    assert isinstance(read.model, ImageManifest)
    assert read.model.layers == layers
    assert read.model.config == config.model_copy(
        update={"media_type": DOCKER_CONFIG if family == "docker" else OCI_CONFIG}
    )
    assert b"null" not in made.raw
