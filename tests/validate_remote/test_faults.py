"""Whatever is wrong with an image is found, and all of it, each by its digest."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from registry_fp import Client, Settings, connect, settle, unwrap
from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.effect.exits import Err
from registry_fp.pipelines.validate_remote import validate_remote
from registry_fp.testing import Answer, DropAfter, Fault, running_registry
from registry_fp.transport.host_settings import HostSettings
from tests.copy.made import (
    INDEX,
    MANIFEST,
    Made,
    five_platforms,
    image,
    index,
    layer,
    pointer,
    put,
    sha256,
)
from tests.place import fresh
from tests.real.docker_registry import RealRegistry
from tests.validate_remote.conftest import Vault
from tests.validate_remote.images import flipped, image_of

ONE = image(layer("one"), layer("two"))
CONFIG_DIGEST, LAYER_DIGEST, OTHER_DIGEST = ONE.blobs


async def _error(client: Client, name: str, platform: str | None = None) -> RegistryError:
    done = await settle(validate_remote(client, name, platform=platform))
    assert isinstance(done, Err)
    return done.error


def _named(error: RegistryError) -> dict[str, Reason]:
    """Each fault, by the name of what it is about."""
    errors = error.reason.errors if isinstance(error.reason, why.SeveralFailed) else (error,)
    return {each.target: each.reason for each in errors}


STORED: dict[str, tuple[Callable[[bytes], bytes], type[object]]] = {
    "one bit is another one": (flipped, why.DigestMismatch),
    "its last byte is gone": (lambda content: content[:-1], why.SizeMismatch),
    "nothing is left of it": (lambda _: b"", why.SizeMismatch),
    "it has a byte more": (lambda content: content + b"\0", why.SizeMismatch),
}


@pytest.mark.parametrize("digest", [CONFIG_DIGEST, LAYER_DIGEST], ids=["configuration", "layer"])
@pytest.mark.parametrize("damage", STORED)
async def test_a_blob_that_was_changed_where_it_lies_is_named(
    damage: str, digest: str, vault: Vault, client: Client
) -> None:
    """A registry gives what its disk gives; a layer that does not unpack any more is first of all not its digest."""
    name = vault.put(ONE)
    change, reason = STORED[damage]
    vault.kept(digest).write_bytes(change(ONE.blobs[digest]))
    error = await _error(client, name)
    assert (error.target, type(error.reason)) == (vault.name(digest), reason)


@pytest.mark.parametrize("digest", [CONFIG_DIGEST, LAYER_DIGEST], ids=["configuration", "layer"])
async def test_a_blob_that_is_gone_is_named(digest: str, vault: Vault, client: Client) -> None:
    """Whoever pulled it would be the first to know."""
    name = vault.put(ONE)
    vault.kept(digest).unlink()
    error = await _error(client, name)
    assert (error.doing, error.target) == ("get_blob", vault.name(digest))
    assert isinstance(error.reason, why.NotFound)


async def test_a_manifest_that_is_gone_does_not_hide_what_else_is_wrong(vault: Vault, client: Client) -> None:
    """The other images are read to their end, and the layer that all of them share is not blamed."""
    made = five_platforms()
    name, gone, hurt = vault.put(made), made.listed[2], list(made.listed[4].blobs)[-1]
    vault.lose(gone)
    vault.kept(hurt).write_bytes(flipped(made.content[hurt]))
    error = await _error(client, name)
    found = _named(error)
    assert {target: type(reason) for target, reason in found.items()} == {
        vault.name(gone.digest): why.NotFound,
        vault.name(hurt): why.DigestMismatch,
    }
    assert isinstance(error.reason, why.SeveralFailed)
    assert (error.doing, error.target) == ("validate_remote", name)
    # What is beneath a manifest that is gone is not known, so it is not counted.
    assert error.reason.total == 1 + len(made.listed) + len(made.content) - 2
    assert list(found) == [vault.name(gone.digest), vault.name(hurt)]


async def test_everything_that_is_wrong_is_listed(vault: Vault, client: Client) -> None:
    """Two blobs of one image, and a third of another: one run is enough to know what to push again."""
    made = five_platforms()
    name = vault.put(made)
    first, *_, last = made.listed
    gone, hurt, short = next(iter(first.blobs)), list(first.blobs)[2], list(last.blobs)[2]
    vault.kept(gone).unlink()
    vault.kept(hurt).write_bytes(flipped(made.content[hurt]))
    vault.kept(short).write_bytes(made.content[short][:100])
    error = await _error(client, name)
    assert {target: type(reason) for target, reason in _named(error).items()} == {
        vault.name(gone): why.NotFound,
        vault.name(hurt): why.DigestMismatch,
        vault.name(short): why.SizeMismatch,
    }
    assert isinstance(error.reason, why.SeveralFailed)
    assert error.reason.total == len(list(made.all())) + len(made.content)


PACKED = layer("one")
LIES: dict[str, tuple[Made, str, Reason]] = {
    "a false diff_id": (
        image_of([PACKED], [sha256(b"else")]),
        sha256(PACKED),
        why.InvalidImage(
            "diff_id mismatch",
            sha256(PACKED),
            f"expected {sha256(b'else')}, found {sha256(gzip.decompress(PACKED))}",
        ),
    ),
    "too few diff_ids": (
        made := image_of([PACKED, layer("two")], [sha256(gzip.decompress(PACKED))]),
        made.digest,
        why.InvalidImage("layer count", made.digest, "2 layers and 1 diff_ids"),
    ),
    "more diff_ids than layers": (
        made := image_of([PACKED], [sha256(gzip.decompress(PACKED))] * 2),
        made.digest,
        why.InvalidImage("layer count", made.digest, "1 layers and 2 diff_ids"),
    ),
    "gzip that is cut short": (
        image_of([PACKED[:-20]], [sha256(gzip.decompress(PACKED))]),
        sha256(PACKED[:-20]),
        why.InvalidImage("bad layer", sha256(PACKED[:-20]), "the compressed stream is cut short"),
    ),
    "one layer with two diff_ids": (
        image_of([PACKED, PACKED], [sha256(gzip.decompress(PACKED)), sha256(b"else")]),
        sha256(PACKED),
        why.InvalidImage("diff_id mismatch", sha256(PACKED), "one layer has two of them"),
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_image_that_is_not_what_it_says_is_not_sound(lie: str, vault: Vault, client: Client) -> None:
    """Every digest is right here, and no registry finds anything wrong."""
    made, digest, reason = LIES[lie]
    error = await _error(client, vault.put(made))
    assert (error.doing, error.target, error.reason) == ("validate_remote", vault.name(digest), reason)


async def test_a_configuration_that_is_none_is_not_sound(vault: Vault, client: Client) -> None:
    """Its layers are still read."""
    made = image_of([PACKED[:-20]], [], config=b'{"os": 1}')
    name = vault.put(made)
    vault.kept(sha256(PACKED[:-20])).write_bytes(b"")
    found = _named(await _error(client, name))
    config = found[vault.name(sha256(b'{"os": 1}'))]
    assert isinstance(config, why.InvalidImage)
    assert config.kind == "bad config"
    assert isinstance(found[vault.name(sha256(PACKED[:-20]))], why.SizeMismatch)


async def test_two_sizes_of_one_blob_are_a_contradiction(real_registry: RealRegistry, client: Client) -> None:
    """One of the two images cannot be pulled; which, nobody can say."""
    plain = image(layer("one"), platform="linux/amd64")
    document = json.loads(plain.raw)
    document["layers"][0]["size"] += 1
    other = Made(MANIFEST, json.dumps(document).encode(), {}, (), "linux/arm64")
    vault = Vault(real_registry.host, fresh(), real_registry.storage)
    error = await _error(client, vault.put(index(plain, other)))
    size = len(layer("one"))
    assert (error.target, error.reason) == (
        vault.name(sha256(layer("one"))),
        why.SizeMismatch(size, size + 1),
    )


async def test_a_manifest_of_another_kind_than_the_index_says_is_named(vault: Vault, client: Client) -> None:
    """A client that trusts the index would look for layers in it."""
    inner = index(image(layer("one"), platform="linux/amd64"))
    entry = pointer(MANIFEST, inner.raw)
    outer = Made(
        INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode(), {}, (inner,)
    )
    error = await _error(client, vault.put(outer))
    assert (error.target, error.reason) == (vault.name(inner.digest), why.MediaTypeMismatch(MANIFEST, INDEX))


WIRE = {
    "refused": (Fault(Answer(403), "GET", "end-2", LAYER_DIGEST[7:]), why.Denied),
    "broken": (Fault(Answer(500), "GET", "end-2", LAYER_DIGEST[7:]), why.ServerFault),
    "cut": (Fault(DropAfter(10), "GET", "end-2", LAYER_DIGEST[7:]), why.ConnectionLost),
}


@pytest.mark.parametrize("fault", WIRE)
async def test_a_blob_that_does_not_come_is_not_proven(fault: str, counting: Vault, client: Client) -> None:
    """It may be there; that is not what was asked. The other one is proven, and not named."""
    name = counting.put(ONE)
    counting.registry.set_faults(WIRE[fault][0])
    error = await _error(client, name)
    assert (error.target, type(error.reason)) == (counting.name(LAYER_DIGEST), WIRE[fault][1])


async def test_a_sound_mirror_does_not_hide_a_registry_that_is_not(counting: Vault) -> None:
    """It is the registry that is proven; the mirror hears nothing of it."""
    name = counting.put(ONE)
    counting.kept(LAYER_DIGEST).write_bytes(flipped(ONE.blobs[LAYER_DIGEST]))
    with running_registry() as mirror:
        put(mirror.host, counting.path, ONE, "1.0")
        mirror.reset_counts()
        hosts = {counting.host: HostSettings(mirrors=(mirror.host,))}
        async with connect(Settings(retries=0, cache=False, hosts=hosts)) as client:
            error = await _error(client, name)
        assert mirror.counts().requests == 0
    assert isinstance(error.reason, why.DigestMismatch)


async def test_what_is_asked_for_wrongly_is_refused_before_anything_is_sent(counting: Vault, client: Client) -> None:
    """A misspelt name is no verdict on an image."""
    name = counting.put(five_platforms())
    for asked, platform, concurrency, reason in (
        ("no such name", None, None, why.BadReference),
        (name, "a/b/c/d/e", None, why.BadReference),
        (name, None, 0, why.Misconfigured),
    ):
        out = await settle(validate_remote(client, asked, platform=platform, concurrency=concurrency))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, reason)
    assert counting.registry.counts().requests == 0
    for wanted in ("linux/mips", "plan9/amd64"):
        error = await _error(client, name, wanted)
        assert isinstance(error.reason, why.NoSuchPlatform)
    alone = counting.put(image(layer("one"), platform="linux/amd64"))
    assert isinstance((await _error(client, alone, "linux/arm64")).reason, why.NoSuchPlatform)
    await unwrap(validate_remote(client, alone, platform="linux/amd64"))


async def test_a_name_that_leads_nowhere_is_not_found(vault: Vault, client: Client) -> None:
    """And so is one of an image that was removed."""
    error = await _error(client, f"{vault.host}/{vault.path}:none")
    assert isinstance(error.reason, why.NotFound)


async def test_images_that_share_a_configuration_are_each_named(vault: Vault, client: Client) -> None:
    """The configuration is sound; what does not fit it is two of the three images."""
    one, two = layer("one"), layer("two")
    sound = image_of([one], platform="linux/amd64")
    config = next(content for content in sound.blobs.values() if content != one)
    more = image_of([one, two], config=config, platform="linux/arm64")
    fewer = image_of([], config=config, platform="linux/s390x")
    error = await _error(client, vault.put(index(sound, more, fewer)))
    assert _named(error) == {
        vault.name(more.digest): why.InvalidImage("layer count", more.digest, "2 layers and 1 diff_ids"),
        vault.name(fewer.digest): why.InvalidImage("layer count", fewer.digest, "0 layers and 1 diff_ids"),
    }
