"""Single steps: every endpoint of the specification's table, on every registry."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    BadReference,
    Client,
    Descriptor,
    DigestMismatch,
    Err,
    NotFound,
    Op,
    Reason,
    Refused,
    RegistryError,
    Repository,
    SizeMismatch,
    consume_blob,
    delete_blob,
    delete_manifest,
    digest_of,
    docker_save,
    get_blob,
    get_manifest,
    has_blob,
    head_manifest,
    list_repositories,
    list_tags,
    mount_blob,
    parse_manifest,
    parse_repository,
    ping,
    push,
    put_blob,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.testing import write_docker_save
from tests.acceptance.conftest import Site
from tests.acceptance.images import small
from tests.acceptance.reader import OCI, Reader


@pytest.fixture
async def pushed(site: Site, client: Client, tmp_path: Path) -> Descriptor:
    """An image to look at, as `1.0`; its manifest."""
    write_docker_save(tmp_path / "app.tar", small("app:1.0", text=site.path))
    return (await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{site.repository}:1.0"))).manifest


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_a_registry_answers_a_ping(site: Site, client: Client) -> None:
    """The first thing anybody asks."""
    await unwrap(ping(client, site.host))


async def test_the_catalogue_lists_what_was_pushed(site: Site, client: Client, pushed: Descriptor) -> None:
    """However many pages it takes, each name once."""
    for page_size in (1, 1000):
        names = await unwrap(list_repositories(client, site.host, page_size=page_size))
        assert site.path in names
        assert len(names) == len(set(names))


@pytest.mark.parametrize("page_size", [1, 3, 1000])
async def test_all_tags_are_listed_however_small_the_pages(
    page_size: int, site: Site, client: Client, pushed: Descriptor
) -> None:
    """The first page is not the whole list."""
    manifest = await unwrap(get_manifest(client, f"{site.repository}:1.0"))
    for minor in range(1, 8):
        await unwrap(put_manifest(client, f"{site.repository}:1.{minor}", manifest))
    tags = await unwrap(list_tags(client, site.repository, page_size=page_size))
    assert sorted(tags) == [f"1.{minor}" for minor in range(8)]


async def test_a_manifest_comes_back_as_the_bytes_that_were_sent(site: Site, client: Client) -> None:
    """A manifest that is written again from its model has another digest: spaces and unknown fields are part of it."""
    config = await unwrap(put_blob(client, site.repository, b'{"architecture":"amd64","os":"linux"}'))
    raw = (
        f'{{"schemaVersion":2,\n\t"mediaType":"{OCI}", "org.example.unknown":[1.50,"\\u00e9"],'
        f'"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config.digest}",'
        f'"size":{config.size}}},"layers":[]}}'
    ).encode()
    manifest = parse_manifest(raw).unwrap()
    stored = await unwrap(put_manifest(client, f"{site.repository}:odd", manifest))
    assert str(stored.digest) == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    for name in (f"{site.repository}:odd", f"{site.repository}@{stored.digest}"):
        assert (await unwrap(get_manifest(client, name))).raw == raw
        assert await unwrap(head_manifest(client, name)) == stored
    assert site.reader.get(f"{site.path}/manifests/odd", Accept=OCI).body == raw


async def test_a_deleted_manifest_takes_its_tags_along(site: Site, client: Client, pushed: Descriptor) -> None:
    """Deletion is by digest, so that nobody loses a sibling by surprise; a tag is refused before any request."""
    site.reset()
    refused = await _reason(delete_manifest(client, f"{site.repository}:1.0"))
    assert isinstance(refused, BadReference)
    if site.embedded is not None:
        assert site.embedded.requests == ()
    await unwrap(delete_manifest(client, f"{site.repository}@{pushed.digest}"))
    for name in (f"{site.repository}:1.0", f"{site.repository}@{pushed.digest}"):
        for verb in (get_manifest, head_manifest):
            assert isinstance(await _reason(verb(client, name)), NotFound)
    assert isinstance(await _reason(delete_manifest(client, f"{site.repository}@{pushed.digest}")), NotFound)


@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024])
async def test_a_blob_goes_in_comes_out_and_goes_away(size: int, site: Site, client: Client) -> None:
    """Every byte counts, also where there is none."""
    content = uuid.uuid4().bytes * (size // 16) + b"x" * (size % 16)
    digest = digest_of(content)
    assert not await unwrap(has_blob(client, site.repository, f"sha256:{'0' * 64}"))
    stored = await unwrap(put_blob(client, site.repository, content))
    assert (stored.digest, stored.size) == (digest, size)
    assert await unwrap(has_blob(client, site.repository, str(digest)))
    assert await unwrap(get_blob(client, site.repository, digest)) == content
    assert await unwrap(consume_blob(client, site.repository, stored, _size)) == size
    await unwrap(delete_blob(client, site.repository, digest))
    assert not await unwrap(has_blob(client, site.repository, digest))
    assert isinstance(await _reason(get_blob(client, site.repository, digest)), NotFound)
    assert isinstance(await _reason(delete_blob(client, site.repository, digest)), NotFound)


async def test_a_blob_of_another_size_than_was_promised_is_refused(site: Site, client: Client) -> None:
    """A descriptor promises a size, and no more than that is read."""
    stored = await unwrap(put_blob(client, site.repository, b"x" * 100_000))
    for size in (99_999, 100_001):
        promised = stored.model_copy(update={"size": size})
        reason = await _reason(consume_blob(client, site.repository, promised, _size))
        assert isinstance(reason, SizeMismatch)


async def test_a_blob_is_mounted_from_a_neighbour(site: Site, client: Client) -> None:
    """No byte moves; and where there is nothing to mount, no session is left open for it."""
    stored = await unwrap(put_blob(client, site.repository, site.path.encode()))
    source = parse_repository(site.repository).unwrap()
    target = f"{site.repository}/neighbour"
    site.reset()
    assert await unwrap(mount_blob(client, target, stored.digest, source=source))
    site.sent_nothing(layers=0)
    assert await unwrap(get_blob(client, target, stored.digest)) == site.path.encode()
    assert not await unwrap(mount_blob(client, target, digest_of(b"nowhere"), source=site.repository))
    if site.embedded is not None:
        assert site.embedded.counts().uploads_open == 0


async def test_a_blob_of_another_host_is_not_mounted(site: Site, client: Client) -> None:
    """Read as a path of this host, the name of another registry's repository would mean a stranger's."""
    reason = await _reason(mount_blob(client, site.repository, digest_of(b"x"), source="hub.example/team/app"))
    assert isinstance(reason, BadReference)


async def test_a_name_made_by_hand_is_checked_like_text(site: Site, client: Client) -> None:
    """A value that no text stands for would put anything into a URL."""
    for made in (Repository(site.host, "../../x"), Repository("bad host", "app"), Repository("nohost", "app")):
        assert isinstance(await _reason(list_tags(client, made)), BadReference)


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, name: get_manifest(client, f"{name}:none"),
        lambda client, name: head_manifest(client, f"{name}:none"),
        list_tags,
        lambda client, name: get_blob(client, name, digest_of(b"none")),
        lambda client, name: delete_manifest(client, f"{name}@{digest_of(b'none')}"),
        lambda client, name: delete_blob(client, name, digest_of(b"none")),
    ],
)
async def test_what_is_not_there_is_not_found_and_no_other_error(
    ask: Callable[[Client, str], Op[Any]], site: Site, client: Client
) -> None:
    """A program decides by the reason; a 404 must never look like a broken network."""
    assert isinstance(await _reason(ask(client, f"{site.repository}/none")), NotFound)


async def test_a_manifest_whose_blobs_are_not_there_is_refused(site: Site, client: Client, pushed: Descriptor) -> None:
    """Registries answer 400 or 404; what is missing is the blob, and their own words reach the caller."""
    manifest = await unwrap(get_manifest(client, f"{site.repository}:1.0"))
    reason = await _reason(put_manifest(client, f"{site.repository}/empty:1.0", manifest))
    assert isinstance(reason, Refused) or (isinstance(reason, NotFound) and reason.what == "blob")
    assert {problem.code for problem in reason.problems} == {"MANIFEST_BLOB_UNKNOWN"}
    assert Reader(site.host).tags(f"{site.path}/empty") == set()


async def test_a_manifest_is_not_stored_under_another_digest(site: Site, client: Client, pushed: Descriptor) -> None:
    """The name must be the content's; that is seen before anything is sent."""
    manifest = await unwrap(get_manifest(client, f"{site.repository}:1.0"))
    name = f"{site.repository}@{digest_of(b'other')}"
    assert isinstance(await _reason(put_manifest(client, name, manifest)), BadReference | DigestMismatch)


async def _size(chunks: AsyncIterator[Result[bytes, RegistryError]]) -> Result[int, RegistryError]:
    size = 0
    async for chunk in chunks:
        if not is_successful(chunk):
            return Failure(chunk.failure())
        size += len(chunk.unwrap())
    return Success(size)
