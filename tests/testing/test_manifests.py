"""Manifests: end-3, end-7 and end-9."""

import hashlib
import json

import pytest

from tests.testing.wire import OCI_INDEX, OCI_MANIFEST, Wire, descriptor, image, sha256

LIMIT = 4 * 1024 * 1024
RAW = image([b"layer"])


def test_a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest(wire: Wire) -> None:
    """A digest is over bytes: one space more, and the image is another."""
    raw = RAW.replace(b'"layers": ', b'"layers":   ')
    put = wire.put_image("app", "v1", raw, b"layer")
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, sha256(raw))
    for reference in ("v1", sha256(raw)):
        got = wire.ask("GET", f"/v2/app/manifests/{reference}")
        assert (got.body, got.headers["Content-Type"]) == (raw, OCI_MANIFEST)
        head = wire.ask("HEAD", f"/v2/app/manifests/{reference}")
        assert (head.headers["Docker-Content-Digest"], head.headers["Content-Length"]) == (sha256(raw), str(len(raw)))
    assert wire.ask("GET", put.location).body == raw


def test_many_tags_come_with_one_put(wire: Wire) -> None:
    """end-7b: OCI-Tag names the tags that were made."""
    put = wire.put_image("app", f"{sha256(RAW)}?tag=1&tag=1.4&tag=latest", RAW, b"layer")
    assert (put.status, put.headers["OCI-Tag"]) == (201, "1, 1.4, latest")
    assert wire.ask("GET", "/v2/app/tags/list").json["tags"] == ["1", "1.4", "latest"]


@pytest.mark.parametrize("query", ["?tag=-no", "?tag=ok&tag=a/b", "?tag="])
def test_a_wrong_tag_among_many_makes_none(wire: Wire, query: str) -> None:
    """All or nothing is easier to reason about."""
    refused = wire.put_image("app", f"{sha256(RAW)}{query}", RAW, b"layer")
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")
    assert wire.ask("GET", "/v2/app/tags/list").json["tags"] == []


def test_tag_parameters_need_a_digest(wire: Wire) -> None:
    """The specification has them only there, so a client must not count on more."""
    assert wire.put_image("app", "v1?tag=v2", RAW, b"layer").code == "MANIFEST_INVALID"


@pytest.mark.parametrize("tag", [".v1", "-v1", "v" * 129, "v%2B1"])
def test_a_tag_outside_the_grammar_is_refused(wire: Wire, tag: str) -> None:
    """What can be put must be able to be pulled by everybody."""
    refused = wire.put_image("app", tag, RAW, b"layer")
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")
    assert wire.ask("GET", f"/v2/app/manifests/{tag}").code == "MANIFEST_UNKNOWN"


def test_a_manifest_whose_content_is_missing_is_refused_by_name(wire: Wire) -> None:
    """Blobs before manifests: that order is the whole consistency of a registry."""
    wire.put_blob("other", b"layer")
    refused = wire.put_image("app", "v1", image([b"layer", b"second"]), b"second")
    assert (refused.status, refused.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert [error["detail"]["digest"] for error in refused.json["errors"]] == [sha256(b"layer")]
    assert wire.ask("GET", "/v2/app/manifests/v1").status == 404


def test_an_index_needs_its_children_and_a_foreign_layer_nothing(wire: Wire) -> None:
    """What has urls lives elsewhere; a child lives here."""
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(RAW, OCI_MANIFEST)]})
    refused = wire.put_image("app", "all", index.encode(), b"layer", media_type=OCI_INDEX)
    assert refused.code == "MANIFEST_BLOB_UNKNOWN"
    wire.put_image("app", sha256(RAW), RAW)
    assert wire.put_image("app", "all", index.encode(), media_type=OCI_INDEX).status == 201
    foreign = RAW.replace(b'"size": 5', b'"size": 5, "urls": ["https://example.com/layer"]')
    assert wire.put_image("windows", "v1", foreign).status == 201


def test_a_descriptor_with_a_wrong_size_is_refused(wire: Wire) -> None:
    """A config that carries the sum of the layers' sizes is a classic; most registries let it pass."""
    wrong = RAW.replace(b'"size": 5', b'"size": 6')
    refused = wire.put_image("app", "v1", wrong, b"layer")
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")
    assert "has 5 bytes, not 6" in refused.json["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (RAW, OCI_INDEX),
        (RAW, "text/plain"),
        (RAW, ""),
        (b"", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b'{"layers": []}', OCI_MANIFEST),
        (b'{"config": 1, "layers": []}', OCI_MANIFEST),
        (b'{"layers": {}}', "application/x"),
        (b'{"layers": [], "manifests": []}', OCI_INDEX),
        (RAW.replace(b'"size": 5', b'"size": -5'), OCI_MANIFEST),
        (RAW.replace(b"sha256:", b"md5:"), OCI_MANIFEST),
        (RAW.replace(b'"size": 5', b'"size": 5, "mediaType": 7'), OCI_MANIFEST),
        (image([b"layer"], annotations={"a": 1}), OCI_MANIFEST),
        (RAW.replace(b"{", b'{"schemaVersion": 2,', 1), OCI_MANIFEST),
    ],
)
def test_what_is_no_manifest_is_refused(wire: Wire, raw: bytes, media_type: str) -> None:
    """Content-Type and mediaType agree, descriptors are whole, and names stand once."""
    refused = wire.put_image("app", "v1", raw, b"layer", media_type=media_type)
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")


def test_parameters_of_the_content_type_are_ignored(wire: Wire) -> None:
    """And do not come back."""
    assert wire.put_image("app", "v1", RAW, b"layer", media_type=f"{OCI_MANIFEST}; charset=utf-8").status == 201
    assert wire.ask("GET", "/v2/app/manifests/v1").headers["Content-Type"] == OCI_MANIFEST


@pytest.mark.parametrize("chunked", [False, True])
def test_four_mebibytes_are_taken_and_one_byte_more_is_not(wire: Wire, *, chunked: bool) -> None:
    """The specification's floor is this registry's ceiling, so a client cannot get used to more."""
    wire.put_image("app", "v1", RAW, b"layer")
    for size, status in ((LIMIT, 201), (LIMIT + 1, 413)):
        raw = RAW + b" " * (size - len(RAW))
        body = iter((raw[:1000], raw[1000:])) if chunked else raw
        assert wire.ask("PUT", "/v2/app/manifests/big", body, Content_Type=OCI_MANIFEST).status == status


def test_a_manifest_under_another_digest_is_refused(wire: Wire) -> None:
    """By digest means by this digest."""
    assert wire.put_image("app", sha256(b"other"), RAW, b"layer").code == "DIGEST_INVALID"
    assert wire.put_image("app", "sha256:abc", RAW, b"layer").code == "DIGEST_INVALID"


def test_a_manifest_can_be_named_by_sha512(wire: Wire) -> None:
    """And is then known by that name only."""
    digest = f"sha512:{hashlib.sha512(RAW).hexdigest()}"
    assert wire.put_image("app", f"{digest}?tag=v1", RAW, b"layer").status == 201
    assert wire.ask("HEAD", "/v2/app/manifests/v1").headers["Docker-Content-Digest"] == digest
    assert wire.ask("HEAD", f"/v2/app/manifests/{sha256(RAW)}").status == 404


def test_a_deleted_tag_leaves_its_manifest(wire: Wire) -> None:
    """Deleting by tag must never take more than the tag."""
    wire.put_image("app", f"{sha256(RAW)}?tag=one&tag=two", RAW, b"layer")
    assert wire.ask("DELETE", "/v2/app/manifests/one").status == 202
    assert wire.ask("GET", "/v2/app/manifests/one").code == "MANIFEST_UNKNOWN"
    assert wire.ask("GET", "/v2/app/manifests/two").body == RAW
    assert wire.ask("DELETE", "/v2/app/manifests/one").code == "MANIFEST_UNKNOWN"


def test_a_deleted_manifest_takes_its_tags_with_it(wire: Wire) -> None:
    """A tag on nothing would be a riddle."""
    wire.put_image("app", f"{sha256(RAW)}?tag=one&tag=two", RAW, b"layer")
    assert wire.ask("DELETE", f"/v2/app/manifests/{sha256(RAW)}").status == 202
    assert wire.ask("GET", "/v2/app/tags/list").json["tags"] == []
    assert wire.ask("GET", "/v2/app/manifests/two").code == "MANIFEST_UNKNOWN"
    assert wire.ask("GET", f"/v2/nowhere/manifests/{sha256(RAW)}").code == "NAME_UNKNOWN"
