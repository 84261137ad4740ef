"""Edits of images in registries: a configuration and a manifest are made, and nothing else moves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry_fp import BadReference, Client, Misconfigured, NotFound, Op, Unsupported, unwrap
from registry_fp.domain.edit import ImageEdit
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.edit import edit_image
from registry_fp.pipelines.rewritten import RewriteOptions
from tests.formats.place import DOCKER, OCI, Place, fresh, sha256
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool

EDIT = ImageEdit(
    env={"PATH": "/usr/bin", "STAGE": "ä = b"}, labels={"org.example": "1"}, entrypoint=["/run"], cmd=[], user="1000"
)


async def _reason(op: Op[Any]) -> object:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _config(place: Place, name: str) -> dict[str, Any]:
    return dict(json.loads(place.blob(place.manifest(name)[0]["config"])))


@pytest.mark.parametrize("kind", [DOCKER, OCI])
async def test_only_the_configuration_and_the_manifest_are_sent(kind: str, place: Place, client: Client) -> None:
    """The layers are where they were, and keep their digests."""
    place.image("1", kind=kind, config={"config": {"Env": ["PATH=/bin"], "Cmd": ["x"], "Healthcheck": {"Test": ["y"]}}})
    if place.registry is not None:
        place.registry.reset_counts()
    done = await unwrap(edit_image(client, f"{place.repository}:1", f"{place.repository}:2", EDIT))
    counts = None if place.registry is None else place.registry.counts()
    before, after = place.manifest("1")[0], place.manifest("2")[0]
    assert {**after, "config": before["config"]} == before
    was, became = _config(place, "1"), _config(place, "2")
    assert list(became) == list(was)
    assert {**became, "config": was["config"]} == was
    assert became["config"] == {
        "Env": ["PATH=/usr/bin", "STAGE=ä = b"],
        "Healthcheck": {"Test": ["y"]},
        "Labels": {"org.example": "1"},
        "Entrypoint": ["/run"],
        "User": "1000",
    }
    assert done.moved == after["config"]["size"]
    assert str(done.digest) == sha256(place.manifest("2")[1])
    if counts is not None:
        assert (counts.blob_bytes_in, counts.blob_bytes_out) == (after["config"]["size"], before["config"]["size"])


async def test_an_edited_image_goes_to_another_repository_and_another_registry(
    place: Place, embedded: Place, client: Client
) -> None:
    """On one host its layers are mounted; to another one they are copied."""
    place.image("1")
    near = place.neighbour()
    done = await unwrap(edit_image(client, f"{place.repository}:1", f"{near.repository}:2", EDIT))
    assert done.moved == near.manifest("2")[0]["config"]["size"]
    far = await unwrap(edit_image(client, f"{place.repository}:1", f"{embedded.repository}:2", EDIT))
    assert far.digest == done.digest
    image = embedded.manifest("2")[0]
    assert [embedded.blob(layer) for layer in image["layers"]] == [b"one", b"two"]


async def test_every_image_of_an_index_is_edited_and_what_vouched_for_the_old_ones_is_left_out(
    place: Place, client: Client
) -> None:
    """An attestation tells how an image was built, and this one was not built so."""
    images = [place.image(None, architecture=name) for name in ("amd64", "arm64")]
    about = {"vnd.docker.reference.digest": images[0]["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    attested = place.image(None, layers=[b"provenance"])
    unknown = {"architecture": "unknown", "os": "unknown"}
    place.index("1", [*images, {**attested, "platform": unknown, "annotations": about}], annotations={"kept": "1"})
    done = await unwrap(edit_image(client, f"{place.repository}:1", f"{place.repository}:2", EDIT))
    index = place.manifest("2")[0]
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]
    assert index["annotations"] == {"kept": "1"}
    for entry in index["manifests"]:
        config = _config(place, entry["digest"])
        assert (config["architecture"], config["config"]["User"]) == (entry["platform"]["architecture"], "1000")
    assert len(done.manifests) == 3


async def test_one_image_of_an_index_can_be_edited(embedded: Place, client: Client) -> None:
    """The target is that image, as it is for a copy of one platform."""
    embedded.index("1", [embedded.image(None, architecture=name) for name in ("amd64", "arm64")])
    options = RewriteOptions(platform="linux/arm64")
    await unwrap(edit_image(client, f"{embedded.repository}:1", f"{embedded.repository}:2", EDIT, options=options))
    assert _config(embedded, "2")["architecture"] == "arm64"


async def test_an_edit_that_changes_nothing_keeps_the_digest(place: Place, client: Client) -> None:
    """It is a tag, then."""
    place.image("1")
    for edit in (ImageEdit(), ImageEdit(user="", env={"NEVER": None})):
        done = await unwrap(edit_image(client, f"{place.repository}:1", f"{place.repository}:2", edit))
        assert (place.manifest("2")[1], done.moved) == (place.manifest("1")[1], 0)


async def test_annotations_are_the_manifests(embedded: Place, client: Client) -> None:
    """The configuration does not hear of them, and is not sent."""
    embedded.image("1", annotations={"a": "1", "b": "2"})
    edit = ImageEdit(annotations={"a": None, "c": "3"})
    done = await unwrap(edit_image(client, f"{embedded.repository}:1", f"{embedded.repository}:2", edit))
    before, after = embedded.manifest("1")[0], embedded.manifest("2")[0]
    assert after == {**before, "annotations": {"b": "2", "c": "3"}}
    assert done.moved == 0


async def test_the_same_edit_gives_the_same_digest_everywhere(embedded: Place, client: Client) -> None:
    """No date and no name of a machine goes into it."""
    embedded.image("1")
    names = (f"{embedded.repository}:2", f"{embedded.neighbour().repository}:3")
    done = [await unwrap(edit_image(client, f"{embedded.repository}:1", name, EDIT)) for name in names]
    assert done[0].digest == done[1].digest


async def test_what_is_wrong_with_an_edit_is_said_before_any_request(embedded: Place, client: Client) -> None:
    """As everywhere."""
    assert embedded.registry is not None
    one, two = f"{embedded.repository}:1", f"{embedded.repository}:2"
    for edit in (ImageEdit(env={"A=B": "1"}), ImageEdit(user="\0"), ImageEdit(annotations={"": "1"})):
        assert isinstance(await _reason(edit_image(client, one, two, edit)), Misconfigured)
    assert isinstance(await _reason(edit_image(client, one, f"{one}@{sha256(b'')}", EDIT)), BadReference)
    assert embedded.registry.requests == ()
    assert isinstance(await _reason(edit_image(client, one, two, EDIT)), NotFound)


async def test_what_has_no_configuration_of_an_image_is_not_edited(embedded: Place, client: Client) -> None:
    """A chart is not run."""
    image = embedded.manifest(embedded.image(None)["digest"])[0]
    chart = {**image, "config": {**image["config"], "mediaType": "application/vnd.cncf.helm.config.v1+json"}}
    embedded.put("1", json.dumps(chart).encode(), OCI)
    assert embedded.registry is not None
    embedded.registry.reset_counts()
    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    assert isinstance(await _reason(edit_image(client, *both, EDIT)), Unsupported)
    docker = ImageEdit(annotations={"a": "1"})
    embedded.image("3", kind=DOCKER)
    embedded.registry.reset_counts()
    assert isinstance(await _reason(edit_image(client, f"{embedded.repository}:3", both[1], docker)), Unsupported)
    assert set(embedded.registry.counts().by_method) == {"GET"}


async def test_skopeo_reads_the_edited_configuration(real_registry: RealRegistry, client: Client, skopeo: Tool) -> None:
    """Another reader finds what was asked for, where it looks for it."""
    place = Place(real_registry.host, fresh())
    place.image("1", kind=DOCKER)
    edit = ImageEdit(env={"STAGE": "prod"}, labels={"org.example": "1"}, working_dir="/srv")
    await unwrap(edit_image(client, f"{place.repository}:1", f"{place.repository}:2", edit))
    name = f"docker://{place.repository}:2"
    shown = json.loads((await skopeo("inspect", "--tls-verify=false", "--override-os=linux", name)).stdout)
    assert (shown["Env"], shown["Labels"]) == (["STAGE=prod"], {"org.example": "1"})
    config = json.loads((await skopeo("inspect", "--tls-verify=false", "--config", name)).stdout)
    assert config["config"]["WorkingDir"] == "/srv"
