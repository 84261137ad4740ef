"""Registries that take one family alone: what they refuse is stored in the other one."""

from __future__ import annotations

import json
from typing import Final

import pytest

from registry_fp import Client, NotFound, Refused, ServerFault, Settings, connect, parse_repository, unwrap
from registry_fp.domain.errors import Reason
from registry_fp.effect.exits import Err, settle
from registry_fp.operations.manifests import get_manifest
from registry_fp.pipelines.convert import Converting, converting
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import Transferred, transfer
from registry_fp.testing import Answer, Fault
from tests.formats.place import DOCKER, DOCKER_LIST, OCI, OCI_INDEX, Place

MANIFEST_INVALID: Final = json.dumps({"errors": [{"code": "MANIFEST_INVALID", "message": "media type"}]}).encode()
UNSUPPORTED: Final = json.dumps({"errors": [{"code": "UNSUPPORTED", "message": "schema 2"}]}).encode()
# As zot, registries behind a proxy, and others answer to a kind that they do not take.
WAYS: Final = {
    "400 MANIFEST_INVALID": Answer(400, body=MANIFEST_INVALID),
    "415": Answer(415, body=b"<html>"),
    "405 UNSUPPORTED": Answer(405, body=UNSUPPORTED),
}


async def _moved(client: Client, source: Place, target: Place, tag: str) -> tuple[Converting, Transferred | Reason]:
    """One transfer, one request at a time, to a registry that may be particular."""
    origin = RepositoryStore(client, parse_repository(source.repository).unwrap())
    goal = converting(RepositoryStore(client, parse_repository(target.repository).unwrap()))
    root = await unwrap(get_manifest(client, f"{source.repository}:{tag}"))
    out = await settle(transfer(root, origin, goal, tag=tag, limit=1))
    return goal, out.error.reason if isinstance(out, Err) else out.value


@pytest.mark.parametrize("way", WAYS)
async def test_an_image_that_is_refused_is_stored_in_the_other_family(
    way: str, embedded: Place, client: Client
) -> None:
    """Each registry has its own way to say that it does not take a kind."""
    assert embedded.registry is not None
    old = embedded.image("1", kind=DOCKER)
    goal = embedded.neighbour()
    embedded.registry.set_faults(Fault(WAYS[way], "PUT", "end-7", nth=(1,)))
    store, done = await _moved(client, embedded, goal, "1")
    image, _, kind = goal.manifest("1")
    assert (kind, image["mediaType"]) == (OCI, OCI)
    assert isinstance(done, Transferred)
    assert {str(digest): each.media_type for digest, each in store.became.items()} == {old["digest"]: OCI}
    for blob in (image["config"], *image["layers"]):
        goal.blob(blob)


async def test_an_index_follows_the_images_that_were_refused(embedded: Place, client: Client) -> None:
    """Its entries must name what is there."""
    assert embedded.registry is not None
    images = [embedded.image(None, kind=DOCKER, architecture=name) for name in ("amd64", "arm64")]
    embedded.index("1", images, kind=DOCKER_LIST)
    goal = embedded.neighbour()
    embedded.registry.set_faults(Fault(WAYS["415"], "PUT", "end-7", nth=(1, 3)))
    store, _ = await _moved(client, embedded, goal, "1")
    index, _, kind = goal.manifest("1")
    assert (kind, len(store.became)) == (OCI_INDEX, 3)
    assert [goal.manifest(entry["digest"])[2] for entry in index["manifests"]] == [OCI, OCI]


async def test_a_registry_that_takes_no_lists_of_dockers_gets_an_index_of_the_same_images(
    embedded: Place, client: Client
) -> None:
    """What it took stays as it was: only the list is another one."""
    assert embedded.registry is not None
    images = [embedded.image(None, kind=DOCKER, architecture=name) for name in ("amd64", "arm64")]
    embedded.index("1", images, kind=DOCKER_LIST)
    goal = embedded.neighbour()
    embedded.registry.set_faults(Fault(WAYS["400 MANIFEST_INVALID"], "PUT", "end-7", path="/manifests/1$", nth=(1,)))
    await _moved(client, embedded, goal, "1")
    index, _, kind = goal.manifest("1")
    assert (kind, [entry["digest"] for entry in index["manifests"]]) == (OCI_INDEX, [each["digest"] for each in images])


async def test_what_is_taken_is_not_converted(place: Place, client: Client) -> None:
    """The digest is worth more than the family."""
    place.image("1", kind=DOCKER)
    goal = place.neighbour()
    store, _ = await _moved(client, place, goal, "1")
    assert (goal.manifest("1")[1], store.became) == (place.manifest("1")[1], {})


async def test_a_registry_that_takes_neither_is_believed_in_what_it_said_first(embedded: Place, client: Client) -> None:
    """The second refusal is of a manifest that nobody asked for."""
    assert embedded.registry is not None
    embedded.image("1", kind=DOCKER)
    goal = embedded.neighbour()
    embedded.registry.set_faults(
        Fault(WAYS["415"], "PUT", "end-7", nth=(1,)), Fault(WAYS["400 MANIFEST_INVALID"], "PUT", "end-7")
    )
    _, reason = await _moved(client, embedded, goal, "1")
    assert isinstance(reason, Refused)
    assert reason.status == 415
    assert goal.ask("GET", "manifests/1")[0] == 404


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (503, ServerFault)])
async def test_any_other_failure_is_no_reason_to_convert(status: int, kind: type, embedded: Place) -> None:
    """A registry that is down has not said a word about media types."""
    assert embedded.registry is not None
    embedded.image("1", kind=DOCKER)
    goal = embedded.neighbour()
    embedded.registry.set_faults(Fault(Answer(status, {"Retry-After": "0"}), "PUT", "end-7"))
    embedded.registry.reset_counts()
    async with connect(Settings(retries=0)) as client:
        store, reason = await _moved(client, embedded, goal, "1")
    assert isinstance(reason, kind)
    assert store.became == {}
    put = [each for each in embedded.registry.requests if each.endpoint.startswith("end-7")]
    assert {each.headers["Content-Type"] for each in put} == {DOCKER}
