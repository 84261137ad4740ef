"""Trees: what a name leads to, and what refers to each part of it."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry_fp import Client, Err, LimitExceeded, NotFound, Unsupported, settle, unwrap
from registry_fp.archive.source import any_archive, docker_save, oci_layout
from registry_fp.pipelines import tree as module
from registry_fp.pipelines.tree import TreeNode, tree
from registry_fp.testing import Answer, Fault, running_registry, write_docker_save
from tests.copy.made import INDEX, Made, artifact, image, layer, put, request, sha256
from tests.place import Place
from tests.real.docker_registry import RealRegistry

UNKNOWN = "unknown/unknown"


def _attestation(about: Made) -> tuple[Made, Mapping[str, object]]:
    """What buildkit writes beside an image, and how an index lists it."""
    made = image(layer(f"provenance of {about.digest}", 100), platform=UNKNOWN)
    noted = {"vnd.docker.reference.digest": about.digest, "vnd.docker.reference.type": "attestation-manifest"}
    return made, made.descriptor(annotations=noted)


def _index(*entries: Mapping[str, object], listed: tuple[Made, ...]) -> Made:
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return Made(INDEX, json.dumps(document).encode(), {}, listed)


def _outline(node: TreeNode) -> tuple[object, ...]:
    """The roles, nested; referrers behind a mark."""
    return (node.role, *map(_outline, node.children), *(("<-", *_outline(each)) for each in node.referrers))


async def test_everything_is_beneath_what_it_belongs_to(place: Place, client: Client) -> None:
    """Index, images, configurations and layers; the signature of a bill of materials beneath that bill."""
    shared = layer("shared")
    one, two = image(shared, layer("one"), platform="linux/amd64"), image(shared, platform="linux/arm64")
    provenance, entry = _attestation(one)
    many = _index(one.descriptor(), two.descriptor(), entry, listed=(one, two, provenance))
    bill = artifact(two, "application/spdx+json", b"a bill of materials")
    signature = artifact(bill, "application/vnd.dev.cosign.artifact.sig.v1+json", b"a signature")
    whole = artifact(many, "application/vnd.example.whole", b"about all of it")
    put(place.host, place.path, many, "1.0")
    for each in (bill, signature, whole):
        put(place.host, place.path, each)
        _refer(place, each)
    grown = await unwrap(tree(client, f"{place.repository}:1.0"))
    assert grown.name == f"{place.repository}:1.0"
    leaf = ("artifact", ("config",), ("layer",))
    assert _outline(grown.root) == (
        "index",
        ("image", ("config",), ("layer",), ("layer",), ("<-", "attestation", ("config",), ("layer",))),
        ("image", ("config",), ("layer",), ("<-", *leaf, ("<-", *leaf))),
        ("<-", *leaf),
    )
    assert str(grown.root.descriptor.digest) == many.digest
    assert [str(each.descriptor.platform) for each in grown.root.children] == ["linux/amd64", "linux/arm64"]
    assert grown.root.children[1].referrers[0].artifact_type == "application/spdx+json"
    assert all(node.present for node in grown.root.nodes)
    manifests = sum(len(each.raw) for each in (*many.all(), bill, signature, whole))
    blobs = {digest: len(raw) for each in (many, bill, signature, whole) for digest, raw in each.content.items()}
    assert grown.size == manifests + sum(blobs.values())
    alone = await unwrap(tree(client, f"{place.repository}:1.0", referrers=False))
    assert not alone.root.referrers
    assert [len(each.referrers) for each in alone.root.children] == [1, 0]  # an attestation is part of the index


def _refer(place: Place, referrer: Made) -> None:
    """On a registry without the list of referrers a client keeps it, under a tag."""
    subject = json.loads(referrer.raw)["subject"]["digest"]
    if request(place.host, "GET", f"/v2/{place.path}/referrers/{subject}")[0] != 200:
        kept = _index(referrer.descriptor(), listed=(referrer,))
        put(place.host, place.path, kept, subject.replace(":", "-"))


async def test_what_is_listed_and_not_there_is_shown_as_such(client: Client) -> None:
    """An index copied for one platform lists them all, which registries allow."""
    here, gone = image(layer("here"), platform="linux/amd64"), image(layer("gone"), platform="linux/arm64")
    other = {"mediaType": "application/vnd.example.thing", "digest": sha256(b"x"), "size": 1}
    sparse = _index(here.descriptor(), gone.descriptor(), other, listed=(here, gone))
    with running_registry() as registry:
        put(registry.host, "team/app", artifact(here, "application/vnd.example", b"x"))  # brings the thing as a blob
        put(registry.host, "team/app", sparse, "1.0")
        registry.set_faults(Fault(Answer(404), endpoint="end-3", path=gone.digest))
        grown = await unwrap(tree(client, f"{registry.host}/team/app:1.0"))
        roles = [(each.role, each.present, bool(each.children)) for each in grown.root.children]
        assert roles == [("image", True, True), ("image", False, False), ("unknown", True, False)]
        out = await settle(tree(client, f"{registry.host}/team/app:2.0"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, NotFound)


async def test_a_list_of_referrers_that_lies_is_not_believed(client: Client, real_registry: RealRegistry) -> None:
    """Under the fallback tag anybody can list anything: only a manifest that names its subject refers to it."""
    one, two = image(layer("one")), image(layer("two"))
    lie = _index(two.descriptor(), one.descriptor(), listed=(two, one))
    path = f"team-{uuid.uuid4().hex[:12]}/app"
    put(real_registry.host, path, one, "1.0")
    put(real_registry.host, path, lie, one.digest.replace(":", "-"))
    grown = await unwrap(tree(client, f"{real_registry.host}/{path}:1.0"))
    assert _outline(grown.root) == ("image", ("config",), ("layer",))


async def test_a_tree_that_has_no_end_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes that each list the next one twice make two to the power of their number."""
    made = image(layer("leaf", 10))
    for _ in range(14):
        made = _index(made.descriptor(), {**made.descriptor(), "annotations": {"a": "b"}}, listed=(made,))
    monkeypatch.setattr(module, "_NODES", 1000)
    with running_registry() as registry:
        put(registry.host, "team/app", made, "1.0")
        out = await settle(tree(client, f"{registry.host}/team/app:1.0", referrers=False))
        assert isinstance(out, Err)
        assert out.error.reason == LimitExceeded("parts in a tree", 1000)


async def test_a_layout_on_disk_has_a_tree_too(
    client: Client, sample_archives: dict[str, Path], tmp_path: Path
) -> None:
    """In a folder or in a tar; an archive without manifests has none."""
    for name in ("umoci-oci", "skopeo-zstd-oci", "skopeo-oci.tar"):
        grown = await unwrap(tree(client, oci_layout(sample_archives[name])))
        assert (grown.root.role, len(grown.root.children)) == ("image", 4)
        assert await unwrap(tree(client, any_archive(sample_archives[name]))) == grown
    saved = write_docker_save(tmp_path / "app.tar", layout="legacy").path
    out = await settle(tree(client, docker_save(saved)))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)
