"""What is nobody's business to change: bytes, unknown media types, foreign layers; and what is refused by its name."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_fp import (
    Client,
    Settings,
    Unsupported,
    connect,
    digest_of,
    get_manifest,
    parse_manifest,
    parse_repository,
    put_manifest,
    unwrap,
)
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.convert import convert
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import transfer
from registry_fp.testing import Answer, Fault, running_registry
from tests.domain.documents import unknown_fields
from tests.formats.place import DOCKER, OCI, Place, fresh, layer_tar, sha256

FOREIGN: Final = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
NONDISTRIBUTABLE: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
URLS: Final = ["https://example.com/layer?sig=a%2Fb&x=1", "HTTPS://EXAMPLE.com:443/../x"]
SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
TOP: Final = ["schemaversion", "mediatype", "artifacttype", "config", "layers", "manifests"]
MORE: Final = ["fslayers", "subject", "annotations", "blobs", "signatures", "history", "name", "tag"]

_documents = st.tuples(
    unknown_fields(*TOP, *MORE),
    st.permutations(["schemaVersion", "mediaType", "config", "layers"]),
    st.sampled_from([None, 0, 1, 3, "\t"]),
    st.sampled_from([b"", b"\n", b" \r\n\t"]),
    st.booleans(),
)


@settings(max_examples=8)
@given(drawn=st.lists(_documents, min_size=1, max_size=8))
def test_whatever_is_in_a_manifest_comes_back_as_it_went(drawn: list[Any]) -> None:
    """Any order, any white space, any field of other people's: a digest forgives nothing."""
    with running_registry() as registry:
        place = Place(registry.host, fresh())
        blobs = {
            "config": {"mediaType": "application/vnd.example.config", **place.has(b"{}")},
            "layers": [{"mediaType": "application/vnd.example.layer.v9", "x": 1, **place.has(b"x")}],
            "schemaVersion": 2,
            "mediaType": OCI,
        }
        raws = []
        for more, order, indent, padding, ascii_only in drawn:
            document = {**more, **{name: blobs[name] for name in order}}
            raws.append(padding + json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode() + padding)
        asyncio.run(_there_and_back(place, raws))


async def _there_and_back(place: Place, raws: list[bytes]) -> None:
    async with connect(Settings()) as client:
        for number, raw in enumerate(raws):
            stored = await unwrap(put_manifest(client, f"{place.repository}:{number}", parse_manifest(raw).unwrap()))
            by_tag = await unwrap(get_manifest(client, f"{place.repository}:{number}"))
            by_digest = await unwrap(get_manifest(client, f"{place.repository}@{stored.digest}"))
            assert by_tag.raw == by_digest.raw == raw
            again = await unwrap(put_manifest(client, f"{place.repository}:again", by_tag))
            assert str(again.digest) == sha256(raw)
            assert place.ask("GET", "manifests/again", Accept=OCI)[2] == raw


async def _transferred(client: Client, source: Place, target: Place) -> dict[str, str]:
    origin = RepositoryStore(client, parse_repository(source.repository).unwrap())
    goal = RepositoryStore(client, parse_repository(target.repository).unwrap())
    root = await unwrap(get_manifest(client, f"{source.repository}:1"))
    done = await unwrap(transfer(root, origin, goal, tag="1", limit=2))
    return {str(blob.descriptor.digest): blob.outcome for blob in done.blobs}


async def test_unknown_media_types_go_through_untouched(place: Place, embedded: Place, client: Client) -> None:
    """Helm charts, WebAssembly, attestations: the next kind of content has no release of ours to wait for."""
    wasm = {"mediaType": "application/vnd.example.wasm; v=9", "annotations": {"a": "ä"}, **place.has(b"\0asm")}
    config = {"mediaType": "application/vnd.example.config.v7+json", "x": {"y": [1]}, **place.has(b"{}")}
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": [wasm]}, indent=7).encode()
    place.put("1", raw, OCI)
    await _transferred(client, place, embedded)
    assert embedded.manifest("1")[1] == raw
    assert (embedded.blob(wasm), embedded.blob(config)) == (b"\0asm", b"{}")


@pytest.mark.parametrize(("kind", "layer_type"), [(DOCKER, FOREIGN), (OCI, NONDISTRIBUTABLE)])
async def test_a_foreign_layer_stays_a_reference(kind: str, layer_type: str, embedded: Place, client: Client) -> None:
    """Windows' base layers may not be handed on: who wants them asks Microsoft, under the urls that are there."""
    foreign = {"mediaType": layer_type, "digest": sha256(b"theirs"), "size": 6, "urls": URLS[:1]}
    image = embedded.image(None, kind=kind)
    document, _, _ = embedded.manifest(image["digest"])
    raw = json.dumps({**document, "layers": [foreign, *document["layers"]]}).encode()
    embedded.put("1", raw, kind)
    goal = embedded.neighbour()
    outcomes = await _transferred(client, embedded, goal)
    assert outcomes[sha256(b"theirs")] == "referenced"
    assert goal.manifest("1")[1] == raw
    assert goal.ask("HEAD", f"blobs/{sha256(b'theirs')}")[0] == 404


async def test_the_urls_of_a_foreign_layer_survive_a_conversion(embedded: Place, client: Client) -> None:
    """Character by character: they may be signed."""
    foreign = {"mediaType": FOREIGN, "digest": sha256(b"theirs"), "size": 6, "urls": URLS}
    image = embedded.image(None, kind=DOCKER)
    document, _, _ = embedded.manifest(image["digest"])
    embedded.put("1", json.dumps({**document, "layers": [foreign]}).encode(), DOCKER)
    await unwrap(convert(client, f"{embedded.repository}:1", f"{embedded.repository}:2", to="oci"))
    assert embedded.manifest("2")[0]["layers"] == [{**foreign, "mediaType": NONDISTRIBUTABLE}]


async def test_a_layer_of_zstd_is_moved_as_it_is(place: Place, embedded: Place, client: Client) -> None:
    """Nothing between two registries unpacks a layer."""
    zstd = bytes.fromhex("28b52ffd") + b"what only a decoder could tell"
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", **place.has(zstd)}
    image = place.image(None)
    document, _, _ = place.manifest(image["digest"])
    place.put("1", json.dumps({**document, "layers": [layer]}).encode(), OCI)
    await _transferred(client, place, embedded)
    assert embedded.blob(embedded.manifest("1")[0]["layers"][0]) == zstd


@pytest.mark.parametrize("content_type", [SCHEMA_1, "application/json"])
async def test_schema_1_is_refused_by_its_name(content_type: str, embedded: Place, client: Client) -> None:
    """Old registries still answer with it; nobody should wonder what is malformed about it."""
    assert embedded.registry is not None
    raw = json.dumps({"schemaVersion": 1, "name": "app", "fsLayers": [], "history": [], "signatures": []}).encode()
    embedded.registry.set_faults(Fault(Answer(200, {"Content-Type": content_type}, raw), "GET", "end-3"))
    for op in (
        get_manifest(client, f"{embedded.repository}:1"),
        convert(client, f"{embedded.repository}:1", f"{embedded.repository}:2", to="oci"),
    ):
        out: Any = await settle(op)
        assert isinstance(out, Err)
        assert out.error.reason == Unsupported("Docker schema 1 manifests")


async def test_a_layer_is_not_looked_into_when_its_image_is_converted(embedded: Place, client: Client) -> None:
    """Its bytes are the same on both sides, whatever compressed them."""
    packed = gzip.compress(layer_tar({"a": b"b"}), 9)
    embedded.image("1", layers=[packed])
    await unwrap(convert(client, f"{embedded.repository}:1", f"{embedded.neighbour().repository}:1", to="docker"))
    assert embedded.registry is not None
    assert embedded.registry.counts().blob_bytes_out == 0
    assert digest_of(packed).algorithm == "sha256"
