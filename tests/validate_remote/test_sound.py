"""What is whole is said to be whole, whatever kind it is; and every part of it was asked for once."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress

import pytest

from registry_fp import Client, Settings, connect, unwrap
from registry_fp.pipelines.validate_remote import validate_remote
from registry_fp.testing import DropAfter, Fault, Stall
from tests.codec.streams import packed
from tests.copy.made import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    FOREIGN,
    MANIFEST,
    Made,
    artifact,
    five_platforms,
    image,
    index,
    layer,
    sha256,
)
from tests.layout.written import containerd_index
from tests.scale import filled
from tests.transport.clocks import InstantClock
from tests.validate_remote.conftest import Vault
from tests.validate_remote.images import image_of

TAR = "application/vnd.oci.image.layer.v1.tar"
PLAIN = b"no tar at all, and nobody asks: a layer is what its diff_id says"


def _docker() -> Made:
    images = (image(layer(name), platform=name, media_type=DOCKER_MANIFEST) for name in ("linux/amd64", "linux/arm64"))
    return index(*images, media_type=DOCKER_INDEX)


def _nested() -> Made:
    one, two = (image(layer("shared"), layer(name), platform=name) for name in ("linux/amd64", "linux/s390x"))
    return index(index(one, two), one)


SOUND = {
    "one image": image(layer("one"), layer("two")),
    "one image for five platforms": five_platforms(),
    "an index in an index": _nested(),
    "an index with attestations": containerd_index([image(layer("one"), platform="linux/amd64")]),
    "a zstd layer": image_of([packed("zstd", PLAIN)], [sha256(PLAIN)], layer_type=f"{TAR}+zstd"),
    "a layer that is not compressed": image_of([PLAIN], [sha256(PLAIN)], layer_type=TAR),
    "a layer of no bytes": image_of([b""], [sha256(b"")], layer_type=TAR),
    "two members of gzip": image_of([packed("gzip", PLAIN) * 2], [sha256(PLAIN * 2)]),
    "a layer of a kind that nobody knows": image_of([PLAIN], [sha256(b"?")], layer_type="application/vnd.test.sealed"),
    "an artifact": artifact(image(layer("one")), "application/spdx+json", b"a bill of materials"),
    "a chart, whose layer is no layer": image_of(
        [PLAIN], [], layer_type=f"{TAR}+gzip", config=b'{"name": "app"}', config_type="application/vnd.test.chart+json"
    ),
    "Docker's schema 2": image(layer("one"), media_type=DOCKER_MANIFEST),
    "Docker's index": _docker(),
}


@pytest.mark.parametrize("kind", SOUND)
async def test_what_is_whole_is_described(kind: str, vault: Vault, client: Client) -> None:
    """Every manifest and every blob is told, each once, and each was asked for once: nothing else was."""
    made = SOUND[kind]
    found = await unwrap(validate_remote(client, vault.put(made)))
    manifests = {each.digest: each.raw for each in made.all()}
    assert str(found.reference) == f"{vault.host}/{vault.path}:1.0@{made.digest}"
    assert [str(each.digest) for each in found.manifests] == list(manifests)
    assert found.manifests[-1] == found.manifest
    assert sorted(str(each.digest) for each in found.blobs) == sorted(made.content)
    assert found.size == sum(map(len, (*manifests.values(), *made.content.values())))
    assert found.foreign == ()
    if vault.embedded is not None:
        paths = [each.path.rpartition("/")[2] for each in vault.embedded.requests]
        assert sorted(paths) == sorted({**manifests, **made.content, "1.0": b""}.keys() - {made.digest})
        assert dict(vault.embedded.counts().by_method) == {"GET": len(paths)}


@pytest.mark.parametrize("count", [5, 50])
async def test_an_image_more_costs_two_requests_more(count: int, vault: Vault, client: Client) -> None:
    """Its manifest and its configuration: the layer that all of them share is read once."""
    made = filled.index(0)
    images = [image_of([filled.SHARED], config=_config(number), platform="linux/amd64") for number in range(count)]
    made = index(*images)
    filled.put(vault.host, vault.path, made, "1.0")
    if vault.embedded is not None:
        vault.embedded.reset_counts()
    found = await unwrap(validate_remote(client, f"{vault.host}/{vault.path}:1.0", concurrency=3))
    assert (len(found.manifests), len(found.blobs)) == (1 + count, 1 + count)
    if vault.embedded is not None:
        counts = vault.embedded.counts()
        assert (counts.requests, counts.by_status[200]) == (2 + 2 * count, 2 + 2 * count)
        assert counts.blob_bytes_out + counts.manifest_bytes_out == found.size
        assert counts.peak_in_flight <= 3


def _config(number: int) -> bytes:
    document = json.loads(next(iter(image(filled.SHARED).blobs.values())))
    return json.dumps({**document, "author": f"number {number}"}).encode()


async def test_one_platform_is_one_image(vault: Vault, client: Client) -> None:
    """The others are not looked at, and may be gone."""
    made = five_platforms()
    name, wanted = vault.put(made), made.listed[1]
    for other in made.listed[2:]:
        vault.lose(other)
    if vault.embedded is not None:
        vault.embedded.reset_counts()
    found = await unwrap(validate_remote(client, name, platform="linux/arm64"))
    assert str(found.digest) == wanted.digest
    assert {str(each.digest) for each in found.blobs} == set(wanted.blobs)
    if vault.embedded is not None:
        assert vault.embedded.counts().requests == 2 + len(wanted.blobs)


async def test_a_foreign_layer_is_named_and_not_asked_for(vault: Vault, client: Client) -> None:
    """Its bytes are not the registry's to give; that it has a diff_id is still counted."""
    far = layer("far")
    plain = image(layer("near"), layer("far"))
    document = json.loads(plain.raw)
    document["layers"][1] |= {"mediaType": FOREIGN, "urls": ["https://example.com/far"]}
    blobs = {digest: content for digest, content in plain.blobs.items() if content != far}
    made = Made(MANIFEST, json.dumps(document).encode(), blobs)
    found = await unwrap(validate_remote(client, vault.put(made)))
    assert [str(each.digest) for each in found.foreign] == [sha256(far)]
    assert {str(each.digest) for each in found.blobs} == set(blobs)
    if vault.embedded is not None:
        assert vault.embedded.counts().requests == 1 + len(blobs)


async def test_a_layer_that_is_foreign_to_one_image_only_is_proven(vault: Vault, client: Client) -> None:
    """The other one needs its bytes."""
    plain = image(layer("near"), platform="linux/amd64")
    document = json.loads(plain.raw)
    document["layers"][0]["mediaType"] = FOREIGN
    made = index(Made(MANIFEST, json.dumps(document).encode(), plain.blobs, (), "linux/arm64"), plain)
    found = await unwrap(validate_remote(client, vault.put(made)))
    assert found.foreign == ()
    assert {str(each.digest) for each in found.blobs} == set(plain.blobs)


async def test_what_a_descriptor_carries_is_not_asked_for(vault: Vault, client: Client) -> None:
    """It is proven where it stands."""
    plain = image(layer("near"))
    document = json.loads(plain.raw)
    config = plain.blobs[document["config"]["digest"]]
    document["config"]["data"] = base64.b64encode(config).decode()
    made = Made(MANIFEST, json.dumps(document).encode(), plain.blobs)
    await unwrap(validate_remote(client, vault.put(made)))
    if vault.embedded is not None:
        assert vault.embedded.counts().requests == 2


async def test_a_stream_that_is_cut_is_resumed_and_no_fault(counting: Vault) -> None:
    """A poor line says nothing about the image: the rest is asked for, and nothing comes twice."""
    made = image(layer("large", 900_000))
    name, large = counting.put(made), max(made.blobs, key=lambda digest: len(made.blobs[digest]))
    counting.registry.set_faults(Fault(DropAfter(300_000), "GET", "end-2", large, nth=(1, 2)))
    async with connect(Settings(cache=False), clock=InstantClock().clock) as client:
        found = await unwrap(validate_remote(client, name))
    assert counting.registry.counts().by_status[206] == 2
    assert counting.registry.counts().blob_bytes_out == sum(each.size for each in found.blobs)


async def test_a_tag_that_moves_meanwhile_changes_nothing(counting: Vault, client: Client) -> None:
    """What was begun is proven to its end, by digests: after the first request nothing is asked for by its tag."""
    await unwrap(validate_remote(client, counting.put(five_platforms())))
    tags = [each.path for each in counting.registry.requests if each.path.endswith("/1.0")]
    assert len(tags) == 1
    assert counting.registry.requests[0].path == tags[0]


async def test_a_proof_that_is_cancelled_leaves_nothing_behind(counting: Vault, client: Client) -> None:
    """Between the bytes of a layer as well as at any other moment; the next one is none the worse for it."""
    made = image(layer("large", 900_000))
    name, large = counting.put(made), max(made.blobs, key=lambda digest: len(made.blobs[digest]))
    counting.registry.set_faults(Fault(Stall(300_000), "GET", "end-2", large))
    job = asyncio.create_task(validate_remote(client, name).awaitable())
    while counting.registry.counts().blob_bytes_out < 300_000:  # noqa: ASYNC110  the registry has another thread
        await asyncio.sleep(0)
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
    counting.registry.set_faults()
    for turns in range(1, 90, 4):
        job = asyncio.create_task(validate_remote(client, name).awaitable())
        for _ in range(turns):
            await asyncio.sleep(0)
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
    await unwrap(validate_remote(client, name))
