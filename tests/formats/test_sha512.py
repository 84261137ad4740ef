"""sha512: content that is named by it is sent, found, proven and moved like any other."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Descriptor,
    Digest,
    DigestMismatch,
    Refused,
    RegistryError,
    consume_blob,
    digest_of,
    get_blob,
    get_manifest,
    has_blob,
    head_manifest,
    parse_manifest,
    parse_repository,
    put_manifest,
    unwrap,
)
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.placement import upload_blob
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import transfer
from registry_fp.protocol.message import Chunks, held_body
from registry_fp.testing import Corrupt, Fault, running_registry
from tests.formats.place import OCI, Place, fresh

CONTENT: Final = b"content that is named by sha512" * 1000


def _sha512(content: bytes) -> str:
    return f"sha512:{hashlib.sha512(content).hexdigest()}"


def _descriptor(content: bytes, media_type: str = "application/octet-stream") -> Descriptor:
    return Descriptor(media_type=media_type, digest=digest_of(content, "sha512"), size=len(content))


async def _uploaded(client: Client, place: Place, content: bytes) -> str:
    repository = parse_repository(place.repository).unwrap()
    return await unwrap(upload_blob(client, repository, _descriptor(content), held_body(content)))


async def test_a_blob_goes_and_comes_under_its_sha512(place: Place, client: Client) -> None:
    """Debian's docker-registry takes it too, and calls it by a sha256 in its answer."""
    assert str(_descriptor(CONTENT).digest) == _sha512(CONTENT)
    assert await _uploaded(client, place, CONTENT) == "uploaded"
    assert await unwrap(has_blob(client, place.repository, _sha512(CONTENT)))
    assert await unwrap(get_blob(client, place.repository, _sha512(CONTENT))) == CONTENT
    assert await _uploaded(client, place, CONTENT) == "exists"


async def test_the_session_is_opened_for_sha512(embedded: Place, client: Client) -> None:
    """A registry that hashes while it receives has to know with what (end-4c)."""
    assert embedded.registry is not None
    await _uploaded(client, embedded, CONTENT)
    assert [each.endpoint for each in embedded.registry.requests if each.method == "POST"] == ["end-4c"]


async def test_a_byte_that_changed_on_the_way_is_noticed(embedded: Place, client: Client) -> None:
    """Proven against the algorithm that was asked for, whichever way it is read."""
    assert embedded.registry is not None
    await _uploaded(client, embedded, CONTENT)
    embedded.registry.set_faults(Fault(Corrupt(7), "GET", "end-2"))

    async def all_of(chunks: Chunks) -> Result[None, RegistryError]:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
        return Success(None)

    wanted = Digest("sha512", _sha512(CONTENT)[7:])
    for op in (
        get_blob(client, embedded.repository, wanted),
        consume_blob(client, embedded.repository, _descriptor(CONTENT), all_of),
    ):
        out: Any = await settle(op)
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, DigestMismatch)
        assert out.error.reason.expected == wanted


async def test_bytes_that_are_not_the_digests_are_not_stored(embedded: Place, client: Client) -> None:
    """The registry proves it as we do."""
    repository = parse_repository(embedded.repository).unwrap()
    wrong = held_body(CONTENT[:-1] + b"?")
    out = await settle(upload_blob(client, repository, _descriptor(CONTENT), wrong))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Refused)
    assert not await unwrap(has_blob(client, embedded.repository, _sha512(CONTENT)))


def _image(place: Place) -> bytes:
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    config_type = "application/vnd.oci.image.config.v1+json"
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": len(CONTENT)}
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": config_type, **place.has(config)},
            "layers": [{**layer, "digest": _sha512(CONTENT)}],
        }
    ).encode()


async def test_a_manifest_is_put_and_got_by_its_sha512(embedded: Place, client: Client) -> None:
    """Its name is over its bytes, by the algorithm of whoever names it."""
    await _uploaded(client, embedded, CONTENT)
    manifest = parse_manifest(_image(embedded), algorithm="sha512").unwrap()
    name = f"{embedded.repository}@{_sha512(manifest.raw)}"
    assert (await unwrap(put_manifest(client, name, manifest))).digest == manifest.digest
    got = await unwrap(get_manifest(client, name))
    assert (got.raw, str(got.digest)) == (manifest.raw, _sha512(manifest.raw))
    assert (await unwrap(head_manifest(client, name))).digest == manifest.digest


async def test_an_image_that_is_named_by_sha512_moves_to_another_registry(embedded: Place, client: Client) -> None:
    """Layer by layer, and by the names that it has."""
    with running_registry() as registry:
        place = Place(registry.host, fresh(), registry)
        await _uploaded(client, place, CONTENT)
        raw = _image(place)
        place.put(_sha512(raw), raw, OCI)
        origin = RepositoryStore(client, parse_repository(place.repository).unwrap())
        goal = RepositoryStore(client, parse_repository(embedded.repository).unwrap())
        root = await unwrap(get_manifest(client, f"{place.repository}@{_sha512(raw)}"))
        done = await unwrap(transfer(root, origin, goal, limit=2))
    assert str(done.manifest.digest) == _sha512(raw)
    status, _, stored = embedded.ask("GET", f"manifests/{_sha512(raw)}", Accept=OCI)
    assert (status, stored) == (200, raw)
    status, _, layer = embedded.ask("GET", f"blobs/{_sha512(CONTENT)}")
    assert (status, layer) == (200, CONTENT)
