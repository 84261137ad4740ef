"""Copy: what arrives is what was there, byte for byte, and no more is moved than has to be."""

import asyncio
import json

import pytest

from registry_fp import (
    BadReference,
    BlobDone,
    Client,
    CopyOptions,
    Err,
    Event,
    Misconfigured,
    NoSuchPlatform,
    NotFound,
    Settings,
    SeveralFailed,
    connect,
    copy,
    copy_all,
    delete_manifest,
    list_referrers,
    settle,
    unwrap,
)
from registry_fp.testing import Answer, Corrupt, Fault, NotStored, running_registry
from tests.copy import made
from tests.copy.made import Made
from tests.place import Place, fresh
from tests.real.docker_registry import RealRegistry

NESTED = made.index(
    made.index(made.image(made.layer("a"), platform="linux/amd64"), made.image(made.layer("b"))),
    made.image(made.layer("a"), made.layer("c")),
    media_type=made.INDEX,
)
DOCKER = made.index(
    made.image(made.layer("d"), media_type=made.DOCKER_MANIFEST, platform="linux/amd64"),
    made.image(made.layer("e"), media_type=made.DOCKER_MANIFEST, platform="linux/arm64"),
    media_type=made.DOCKER_INDEX,
)


@pytest.mark.parametrize(
    "source",
    [made.image(made.layer("one"), made.layer("two")), made.five_platforms(), NESTED, DOCKER],
    ids=["image", "five platforms", "nested", "docker"],
)
async def test_what_arrives_is_what_was_there_byte_for_byte(
    client: Client, here: Place, there: Place, source: Made
) -> None:
    """Digests are over bytes: a copy that changes one of them is another image."""
    made.put(here.host, here.path, source, "1.0")
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:2.0"))
    made.check(there.host, there.path, source, "2.0")
    assert (str(copied.digest), str(copied.source)) == (source.digest, f"{here.repository}:1.0@{source.digest}")
    assert copied.moved == sum(len(blob) for blob in source.content.values())


async def test_within_one_registry_no_blob_byte_moves(client: Client, here: Place) -> None:
    """Blobs are mounted from one repository to its neighbour."""
    source, goal = made.five_platforms(), fresh()
    made.put(here.host, here.path, source, "1.0")
    if here.embedded is not None:
        here.embedded.reset_counts()
    copied = await unwrap(copy(client, f"{here.repository}:1.0", f"{here.host}/{goal}:1.0"))
    if here.embedded is not None:
        counts = here.embedded.counts()
        assert (counts.blob_bytes_in, counts.blob_bytes_out, counts.uploads_open) == (0, 0, 0)
    assert {blob.outcome for blob in copied.blobs} == {"mounted"}
    made.check(here.host, goal, source, "1.0")


async def test_a_second_copy_asks_for_the_manifests_and_is_done(client: Client, here: Place, there: Place) -> None:
    """A registry keeps what an image points at: where the image is, nothing is asked about its blobs."""
    made.put(here.host, here.path, made.five_platforms(), "1.0")
    await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0"))
    assert there.embedded is not None
    there.embedded.reset_counts()
    again = await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:2.0"))
    assert (again.moved, again.blobs) == (0, ())
    # Is it there, what does it list, are those five there? Put it under the tag; is it the tag's?
    assert there.embedded.counts().requests == 2 + 5 + 2
    made.check(there.host, there.path, made.five_platforms(), "2.0")


async def test_an_index_that_is_there_without_one_of_its_images_gets_it(client: Client, there: Place) -> None:
    """Some registries take an index without what it lists, and some forget a part: a copy is whole when it is done."""
    image = made.five_platforms()
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        source, target = f"{embedded.host}/app:1.0", f"{there.repository}:1.0"
        await unwrap(copy(client, source, target))
        await unwrap(delete_manifest(client, f"{there.repository}@{image.listed[2].digest}"))
        again = await unwrap(copy(client, source, target))
    assert again.moved == 0
    made.check(there.host, there.path, image, "1.0")


async def test_one_platform_is_copied_as_the_image_that_it_is(client: Client, here: Place, there: Place) -> None:
    """Its digest is the one that the index lists, so that signatures of it stay true."""
    source = made.five_platforms()
    made.put(here.host, here.path, source, "1.0")
    options = CopyOptions(platform="linux/arm64")
    await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0", options=options))
    made.check(there.host, there.path, source.listed[1], "1.0")
    assert there.embedded is not None
    assert there.embedded.counts().blob_bytes_in == sum(map(len, source.listed[1].content.values()))


async def test_a_platform_that_is_not_there_is_named_with_those_that_are(
    client: Client, here: Place, there: Place
) -> None:
    """Nobody has to look up what could have been asked for."""
    made.put(here.host, here.path, made.five_platforms(), "1.0")
    options = CopyOptions(platform="plan9/amd64")
    out = await settle(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0", options=options))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, NoSuchPlatform)
    assert "linux/s390x" in out.error.reason.available


async def test_an_image_of_another_platform_than_the_one_that_is_named_is_refused(
    client: Client, here: Place, there: Place
) -> None:
    """Also where it is in no index: it would be found out when it is run."""
    made.put(here.host, here.path, made.image(made.layer("a"), platform="linux/amd64"), "1.0")
    options = CopyOptions(platform="linux/arm64")
    out = await settle(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0", options=options))
    assert isinstance(out, Err)
    assert out.error.reason == NoSuchPlatform("linux/arm64", ("linux/amd64",))


async def test_one_platform_of_an_index_of_indexes_is_an_image(client: Client, here: Place, there: Place) -> None:
    """An index may list one for each of its platforms, and what is asked for is what runs."""
    alone = made.image(made.layer("a"), platform="linux/amd64")
    inner = made.index(alone)
    entry = inner.descriptor(platform={"os": "linux", "architecture": "amd64"})
    raw = json.dumps({"schemaVersion": 2, "mediaType": made.INDEX, "manifests": [entry]}).encode()
    made.put(here.host, here.path, Made(made.INDEX, raw, {}, (inner,)), "1.0")
    options = CopyOptions(platform="linux/amd64")
    await unwrap(copy(client, f"{here.repository}:1.0", f"{there.repository}:1.0", options=options))
    made.check(there.host, there.path, alone, "1.0")


async def test_a_blob_that_two_images_share_is_moved_once(client: Client, here: Place, there: Place) -> None:
    """However many images are copied at once."""
    shared = made.layer("base", 200_000)
    images = [made.image(shared, made.layer(f"top {number}")) for number in range(6)]
    for number, each in enumerate(images):
        made.put(here.host, here.path, each, f"v{number}")
    names = [(f"{here.repository}:v{number}", f"{there.repository}:v{number}") for number in range(6)]
    copied = await unwrap(copy_all(client, names, limit=6))
    different = {digest: blob for each in images for digest, blob in each.content.items()}
    assert sum(each.moved for each in copied) == sum(map(len, different.values()))
    for number, each in enumerate(images):
        made.check(there.host, there.path, each, f"v{number}")


async def test_two_generations_of_referrers_come_along_on_request(client: Client, there: Place) -> None:
    """A signature of an attestation of an image is two generations away from it."""
    image = made.five_platforms()
    sbom = made.artifact(image.listed[0], "application/spdx+json", b"what is in it")
    signature = made.artifact(sbom, "application/vnd.signature", b"who says so")
    with running_registry() as embedded:
        for each, tag in ((image, "1.0"), (sbom, None), (signature, None)):
            made.put(embedded.host, "app", each, tag)
        source, target = f"{embedded.host}/app:1.0", f"{there.repository}:1.0"
        plain = await unwrap(copy(client, source, target))
        assert plain.referrers == ()
        copied = await unwrap(copy(client, source, target, options=CopyOptions(referrers=True)))
    assert {str(each.digest) for each in copied.referrers} == {sbom.digest, signature.digest}
    for each in (image, sbom, signature):
        made.check(there.host, there.path, each)


async def test_referrers_are_found_where_the_registry_does_not_list_them(
    client: Client, real_registry: RealRegistry
) -> None:
    """Debian's docker-registry has no list of referrers: the copy keeps the one of the fallback tag."""
    image = made.image(made.layer("a"))
    notes = [made.artifact(image, "application/spdx+json", content) for content in (b"one", b"two")]
    goal = fresh()
    with running_registry() as embedded:
        for each, tag in ((image, "1.0"), (notes[0], None), (notes[1], None)):
            made.put(embedded.host, "app", each, tag)
        target = f"{real_registry.host}/{goal}:1.0"
        await unwrap(copy(client, f"{embedded.host}/app:1.0", target, options=CopyOptions(referrers=True)))
    found = await unwrap(list_referrers(client, target))
    assert {str(each.digest) for each in found} == {each.digest for each in notes}
    assert {each.artifact_type for each in found} == {"application/spdx+json"}


async def test_tags_that_are_named_after_a_digest_come_along_on_request(client: Client, there: Place) -> None:
    """Older tools keep signatures under them."""
    image = made.image(made.layer("a"))
    signature = made.image(made.layer("signature"))
    name = image.digest.replace(":", "-")
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        made.put(embedded.host, "app", signature, f"{name}.sig")
        made.put(embedded.host, "app", signature, "another")
        source, target = f"{embedded.host}/app:1.0", f"{there.repository}:1.0"
        await unwrap(copy(client, source, target, options=CopyOptions(digest_tags=True)))
    made.check(there.host, there.path, signature, f"{name}.sig")
    _, _, body = made.request(there.host, "GET", f"/v2/{there.path}/tags/list")
    assert set(json.loads(body)["tags"]) == {"1.0", f"{name}.sig"}


async def test_a_layer_that_may_not_be_distributed_stays_a_reference(client: Client, there: Place) -> None:
    """Its bytes are at its own URLs, and often not in the registry at all."""
    image = made.image(made.layer("free"))
    document = json.loads(image.raw)
    document["layers"].insert(
        0, {"mediaType": made.FOREIGN, "digest": made.sha256(b"far"), "size": 3, "urls": ["https://example.com/far"]}
    )
    windows = Made(image.media_type, json.dumps(document).encode(), image.blobs)
    seen: list[Event] = []
    with running_registry() as embedded:
        made.put(embedded.host, "app", windows, "1.0")
        options = CopyOptions(on_event=seen.append)
        copied = await unwrap(copy(client, f"{embedded.host}/app:1.0", f"{there.repository}:1.0", options=options))
    assert [blob.outcome for blob in copied.blobs].count("referenced") == 1
    assert "referenced" in {each.outcome for each in seen if isinstance(each, BlobDone)}
    made.check(there.host, there.path, windows, "1.0")


async def test_a_layer_that_was_left_behind_comes_when_it_is_asked_for(client: Client, there: Place) -> None:
    """The image being there says nothing about it: a registry takes a manifest without such layers."""
    document, far = json.loads(made.image(made.layer("free")).raw), made.layer("far")
    document["layers"].insert(0, made.pointer(made.FOREIGN, far))
    blobs = {**made.image(made.layer("free")).blobs, made.sha256(far): far}
    windows = Made(made.MANIFEST, json.dumps(document).encode(), blobs)
    with running_registry() as embedded:
        made.put(embedded.host, "app", windows, "1.0")
        for foreign, moved in ((False, len(windows.content)), (True, 1)):
            options = CopyOptions(foreign=foreign)
            name = f"{there.repository}:1.0"
            copied = await unwrap(copy(client, f"{embedded.host}/app:1.0", name, options=options))
            assert [blob.moved > 0 for blob in copied.blobs].count(True) == moved - (not foreign)
    made.check(there.host, there.path, windows, "1.0")


async def test_bytes_that_are_not_what_their_digest_says_arrive_nowhere(client: Client, there: Place) -> None:
    """Neither the blob nor the manifest that needs it."""
    image = made.image(made.layer("a", 300_000))
    layer = json.loads(image.raw)["layers"][0]["digest"]
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        embedded.set_faults(Fault(Corrupt(1000), method="GET", path=layer))
        out = await settle(copy(client, f"{embedded.host}/app:1.0", f"{there.repository}:1.0"))
    assert isinstance(out, Err)
    assert type(out.error.reason).__name__ == "DigestMismatch"
    assert made.request(there.host, "HEAD", f"/v2/{there.path}/blobs/{layer}")[0] == 404
    assert made.request(there.host, "HEAD", f"/v2/{there.path}/manifests/1.0")[0] == 404
    assert there.embedded is not None
    assert there.embedded.counts().uploads_open == 0


async def test_a_blob_that_was_acknowledged_and_lost_is_sent_again(client: Client, there: Place) -> None:
    """The registry says so when the manifest comes, and the copy heals it."""
    image = made.image(made.layer("a"))
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        assert there.embedded is not None
        there.embedded.set_faults(Fault(NotStored(), endpoint="end-6", nth=(1,)))
        await unwrap(copy(client, f"{embedded.host}/app:1.0", f"{there.repository}:1.0"))
    made.check(there.host, there.path, image, "1.0")


@pytest.mark.parametrize("bad", ["app:bad tag", "localhost:5000/app@sha256:12", ""])
async def test_a_bad_name_is_refused_before_anything_is_sent(client: Client, there: Place, bad: str) -> None:
    """On either side."""
    for pair in ((bad, f"{there.repository}:1"), (f"{there.repository}:1", bad)):
        out = await settle(copy(client, *pair))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)
    assert there.embedded is not None
    assert there.embedded.counts().requests == 0


async def test_a_target_that_is_pinned_to_another_digest_is_refused(client: Client, there: Place) -> None:
    """And a target that is pinned to the right one gets no tag."""
    image = made.image(made.layer("a"))
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        source = f"{embedded.host}/app:1.0"
        out = await settle(copy(client, source, f"{there.repository}@{made.sha256(b'another')}"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)
        await unwrap(copy(client, source, f"{there.repository}@{image.digest}"))
    made.check(there.host, there.path, image)
    assert json.loads(made.request(there.host, "GET", f"/v2/{there.path}/tags/list")[2])["tags"] in ([], None)


async def test_of_many_copies_every_one_is_tried_and_every_failure_named(client: Client, there: Place) -> None:
    """One that is missing must not keep the others from arriving."""
    with running_registry() as embedded:
        made.put(embedded.host, "app", made.image(made.layer("a")), "1.0")
        names = [(f"{embedded.host}/app:{tag}", f"{there.repository}:{tag}") for tag in ("gone", "1.0", "lost")]
        out = await settle(copy_all(client, names))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SeveralFailed)
    assert [type(each.reason) for each in out.error.reason.errors] == [NotFound, NotFound]
    assert made.request(there.host, "HEAD", f"/v2/{there.path}/manifests/1.0")[0] == 200


async def test_one_connection_is_too_few_for_a_copy_and_says_so(there: Place) -> None:
    """It reads and writes at once; with one connection it would wait for itself."""
    image = made.image(made.layer("a"))
    async with connect(Settings(connections_per_host=1)) as narrow:
        with running_registry() as embedded:
            made.put(embedded.host, "app", image, "1.0")
            out = await settle(copy(narrow, f"{embedded.host}/app:1.0", f"{embedded.host}/other:1.0"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Misconfigured)


async def test_many_copies_within_one_host_that_does_not_mount_never_wait_for_each_other() -> None:
    """Each stream holds two of the host's connections; with few of them, they take turns."""
    layers = [made.layer(f"layer {number}", 100_000) for number in range(12)]
    async with connect(Settings(connections_per_host=3, concurrency=12)) as narrow:
        with running_registry() as embedded:
            made.put(embedded.host, "app", made.image(*layers), "1.0")
            embedded.set_faults(Fault(Answer(405), endpoint="end-11"))
            pairs = [(f"{embedded.host}/app:1.0", f"{embedded.host}/copy-{number}:1.0") for number in range(4)]
            copied = await asyncio.wait_for(unwrap(copy_all(narrow, pairs, limit=4)), 60.0)
    assert all(each.moved > 0 for each in copied)


async def test_an_index_may_list_blobs_as_build_caches_do(client: Client, here: Place, there: Place) -> None:
    """What is no manifest is a blob, whatever it is called: BuildKit lists layers and its own kind of config."""
    config, cached = b'{"layers": []}', made.layer("cached")
    entries = [made.pointer("application/vnd.buildkit.cacheconfig.v0", config), made.pointer(made.LAYER, cached)]
    raw = json.dumps({"schemaVersion": 2, "mediaType": made.INDEX, "manifests": entries}).encode()
    cache = Made(made.INDEX, raw, {made.sha256(each): each for each in (config, cached)})
    made.put(here.host, here.path, cache, "cache")
    await unwrap(copy(client, f"{here.repository}:cache", f"{there.repository}:cache"))
    made.check(there.host, there.path, cache, "cache")


async def test_a_registry_that_refuses_docker_manifests_gets_the_image_in_the_other_family_on_request(
    client: Client, there: Place
) -> None:
    """Unasked, the refusal is the answer: another family is another digest."""
    source = made.image(made.layer("a"), media_type=made.DOCKER_MANIFEST)
    refusing = Answer(400, {"Content-Type": "application/json"}, b'{"errors": [{"code": "MANIFEST_INVALID"}]}')
    assert there.embedded is not None
    there.embedded.set_faults(Fault(refusing, endpoint="end-7", nth=(1, 2)))
    with running_registry() as embedded:
        made.put(embedded.host, "app", source, "1.0")
        names = (f"{embedded.host}/app:1.0", f"{there.repository}:1.0")
        out = await settle(copy(client, *names))
        assert isinstance(out, Err)
        copied = await unwrap(copy(client, *names, options=CopyOptions(on_refusal="convert")))
    assert str(copied.digest) != source.digest
    _, headers, body = made.request(there.host, "GET", f"/v2/{there.path}/manifests/1.0")
    assert (headers["Content-Type"], made.sha256(body)) == (made.MANIFEST, str(copied.digest))


async def test_one_digest_with_two_sizes_is_a_contradiction(client: Client, there: Place) -> None:
    """One of the two is wrong, and who reads the manifest later would believe either."""
    image = made.image(made.layer("a"))
    document = json.loads(image.raw)
    document["layers"].append({**document["layers"][0], "size": 7})
    twisted = Made(image.media_type, json.dumps(document).encode(), image.blobs)
    with running_registry() as embedded:
        made.put(embedded.host, "app", image, "1.0")
        answer = Answer(200, {"Content-Type": twisted.media_type}, twisted.raw)
        embedded.set_faults(Fault(answer, method="GET", endpoint="end-3"))
        out = await settle(copy(client, f"{embedded.host}/app:1.0", f"{there.repository}:1.0"))
    assert isinstance(out, Err)
    assert type(out.error.reason).__name__ == "SizeMismatch"
    assert there.embedded is not None
    assert there.embedded.counts().by_method.get("POST", 0) == 0
