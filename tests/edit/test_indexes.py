"""Indexes in registries: made of images that are there, and changed image by image."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry_fp import BadReference, Client, Misconfigured, NoSuchPlatform, NotFound, Op, Unsupported, unwrap
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.edit_index import IndexEdit, create_index, edit_index
from registry_fp.pipelines.rewritten import RewriteOptions
from tests.formats.place import DOCKER, DOCKER_LIST, OCI, OCI_INDEX, Place, fresh, sha256
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool


async def _reason(op: Op[Any]) -> object:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _platforms(place: Place, name: str) -> list[str]:
    """The platforms of an index, each image of which is there with all its blobs."""
    found = []
    for entry in place.manifest(name)[0]["manifests"]:
        image, raw, kind = place.manifest(entry["digest"])
        assert (len(raw), kind) == (entry["size"], entry["mediaType"])
        for blob in (image["config"], *image["layers"]):
            place.blob(blob)
        found.append(
            "/".join(entry["platform"][part] for part in ("os", "architecture", "variant") if part in entry["platform"])
        )
    return found


@pytest.mark.parametrize(("kind", "index_kind"), [(DOCKER, DOCKER_LIST), (OCI, OCI_INDEX)])
async def test_an_index_is_made_of_images(kind: str, index_kind: str, place: Place, client: Client) -> None:
    """Their platforms are what their configurations say, variant and all."""
    place.image("amd64", kind=kind)
    place.image("arm", kind=kind, architecture="arm", config={"variant": "v7"})
    names = [f"{place.repository}:{tag}" for tag in ("amd64", "arm")]
    done = await unwrap(create_index(client, names, f"{place.repository}:all"))
    assert _platforms(place, "all") == ["linux/amd64", "linux/arm/v7"]
    assert (place.manifest("all")[2], done.moved, done.source) == (index_kind, 0, None)


async def test_images_come_from_other_repositories_and_registries(
    place: Place, embedded: Place, client: Client
) -> None:
    """Each builder pushes where it may; the index brings them together, and keeps their bytes."""
    near = place.neighbour()
    place.image("1", architecture="amd64")
    near.image("1", architecture="arm64", kind=DOCKER)
    embedded.image("1", architecture="s390x")
    goal = place.neighbour()
    names = [f"{each.repository}:1" for each in (place, near, embedded)]
    done = await unwrap(create_index(client, names, f"{goal.repository}:all", annotations={"a": "1"}))
    assert _platforms(goal, "all") == ["linux/amd64", "linux/arm64", "linux/s390x"]
    index, _, kind = goal.manifest("all")
    assert (kind, index["annotations"]) == (OCI_INDEX, {"a": "1"})
    sources = [sha256(each.manifest("1")[1]) for each in (place, near, embedded)]
    assert [entry["digest"] for entry in index["manifests"]] == sources
    assert done.moved == sum(blob.descriptor.size for blob in done.blobs if blob.outcome == "uploaded") > 0


async def test_an_index_that_is_added_is_its_images(embedded: Place, client: Client) -> None:
    """An index in an index is a thing that most readers cannot choose from."""
    embedded.index("two", [embedded.image(None, architecture=name) for name in ("amd64", "arm64")])
    embedded.image("one", architecture="s390x")
    names = [f"{embedded.repository}:{tag}" for tag in ("two", "one")]
    await unwrap(create_index(client, names, f"{embedded.repository}:all"))
    assert _platforms(embedded, "all") == ["linux/amd64", "linux/arm64", "linux/s390x"]
    only = RewriteOptions(platform="linux/arm64")
    await unwrap(create_index(client, names, f"{embedded.repository}:arm", options=only))
    assert _platforms(embedded, "arm") == ["linux/arm64", "linux/s390x"]


@pytest.fixture
def three(place: Place) -> list[dict[str, Any]]:
    """An index of three images, the first of them with an attestation, as `1`."""
    images = [place.image(None, architecture=name) for name in ("amd64", "arm64", "s390x")]
    about = {"vnd.docker.reference.digest": images[0]["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    attestation = place.image(None, layers=[b"provenance"])
    unknown = {"architecture": "unknown", "os": "unknown"}
    listed = [*images, {**attestation, "platform": unknown, "annotations": about}]
    place.index("1", listed, annotations={"a": "1"}, x_more=[1.5])
    return listed


async def test_platforms_are_kept_and_left_out(three: list[dict[str, Any]], place: Place, client: Client) -> None:
    """An attestation goes where its image goes; nothing is downloaded to leave something out."""
    source = f"{place.repository}:1"
    both = ["linux/x86_64", "linux/arm64/v8"]
    for tag, edit, left in (
        ("only", IndexEdit(only=both), [three[0], three[1], three[3]]),
        ("without", IndexEdit(without=["linux/amd64"]), three[1:3]),
        ("both", IndexEdit(only=both, without=["linux/amd64"]), three[1:2]),
    ):
        done = await unwrap(edit_index(client, source, f"{place.repository}:{tag}", edit))
        assert place.manifest(tag)[0]["manifests"] == left
        assert place.manifest(tag)[0]["x_more"] == [1.5]
        assert done.moved == 0


async def test_an_image_is_added_and_takes_the_place_of_an_older_one(
    three: list[dict[str, Any]], place: Place, embedded: Place, client: Client
) -> None:
    """The release of one platform, without the others."""
    newer = embedded.image("new", architecture="amd64", layers=[b"newer"])
    embedded.image("more", architecture="ppc64le")
    edit = IndexEdit(
        add=[f"{embedded.repository}:new", f"{embedded.repository}:more"], annotations={"a": None, "b": "2"}
    )
    goal = place.neighbour()
    await unwrap(edit_index(client, f"{place.repository}:1", f"{goal.repository}:2", edit))
    assert _platforms(goal, "2") == ["linux/amd64", "linux/arm64", "linux/s390x", "linux/ppc64le"]
    index = goal.manifest("2")[0]
    assert index["manifests"][0]["digest"] == newer["digest"]
    assert index["manifests"][1:3] == three[1:3]
    assert index["annotations"] == {"b": "2"}


async def test_an_edit_of_nothing_keeps_the_digest(three: list[dict[str, Any]], place: Place, client: Client) -> None:
    """Also one that adds what is there."""
    source, target = f"{place.repository}:1", f"{place.repository}:2"
    there = f"{place.repository}@{three[1]['digest']}"
    for edit in (IndexEdit(), IndexEdit(add=[there]), IndexEdit(annotations={"a": "1"}), IndexEdit(add=[source])):
        await unwrap(edit_index(client, source, target, edit))
        assert place.manifest("2")[1] == place.manifest("1")[1]


async def test_bad_names_platforms_and_annotations_are_refused_before_any_request(
    embedded: Place, client: Client
) -> None:
    """As everywhere."""
    assert embedded.registry is not None
    one, two = f"{embedded.repository}:1", f"{embedded.repository}:2"
    for edit in (IndexEdit(add=["UPPER"]), IndexEdit(only=["a/b/c/d"]), IndexEdit(without=["no such"])):
        assert isinstance(await _reason(edit_index(client, one, two, edit)), BadReference)
    assert isinstance(await _reason(create_index(client, ["UPPER"], two)), BadReference)
    assert isinstance(await _reason(create_index(client, [], two)), Misconfigured)
    assert isinstance(await _reason(create_index(client, [one], two, annotations={"a": "\0"})), Misconfigured)
    nothing = RewriteOptions(concurrency=0)
    assert isinstance(await _reason(create_index(client, [one], two, options=nothing)), Misconfigured)
    assert embedded.registry.requests == ()
    assert isinstance(await _reason(create_index(client, [one], two)), NotFound)


async def test_what_cannot_be_made_is_refused_before_anything_is_sent(embedded: Place, client: Client) -> None:
    """Two images for one platform, a chart, a platform that is not there, an image where an index is asked for."""
    assert embedded.registry is not None
    one, two = f"{embedded.repository}:1", f"{embedded.repository}:2"
    embedded.image("1")
    embedded.image("2", layers=[b"other"])
    chart = {**embedded.manifest("1")[0], "config": {"mediaType": "application/x", **embedded.has(b"{}")}}
    embedded.put("chart", json.dumps(chart).encode(), OCI)
    embedded.index("index", [embedded.image(None, architecture="arm64")])
    goal = f"{Place(embedded.host, fresh()).repository}:new"
    embedded.registry.reset_counts()
    index = f"{embedded.repository}:index"
    for op, kind in (
        (create_index(client, [one, two], goal), Misconfigured),
        (create_index(client, [one, f"{embedded.repository}:chart"], goal), Unsupported),
        (edit_index(client, index, goal, IndexEdit(only=["linux/amd64"])), NoSuchPlatform),
        (edit_index(client, index, goal, IndexEdit(without=["linux/arm64"])), Misconfigured),
        (edit_index(client, index, goal, IndexEdit(add=[one, two])), Misconfigured),
        (edit_index(client, one, goal, IndexEdit()), Unsupported),
    ):
        assert isinstance(await _reason(op), kind)
    assert set(embedded.registry.counts().by_method) == {"GET"}


async def test_skopeo_chooses_from_an_index_of_ours(real_registry: RealRegistry, client: Client, skopeo: Tool) -> None:
    """Another reader finds the image for each machine."""
    place = Place(real_registry.host, fresh())
    place.image("a", kind=DOCKER)
    place.image("b", kind=DOCKER, architecture="arm64")
    await unwrap(create_index(client, [f"{place.repository}:{tag}" for tag in "ab"], f"{place.repository}:all"))
    for architecture in ("amd64", "arm64"):
        choice = (f"--override-arch={architecture}", "--override-os=linux")
        shown = await skopeo(*choice, "inspect", "--tls-verify=false", f"docker://{place.repository}:all")
        assert json.loads(shown.stdout)["Architecture"] == architecture


async def test_a_build_cache_is_no_index_of_images(embedded: Place, client: Client) -> None:
    """BuildKit's lists blobs under an index's media type, and a list of images of them would lead nowhere."""
    blob = embedded.has(b"cached")
    entry = {**blob, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}
    embedded.index("cache", [entry])
    goal = f"{embedded.repository}:all"
    assert isinstance(await _reason(create_index(client, [f"{embedded.repository}:cache"], goal)), Unsupported)
