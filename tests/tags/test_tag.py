"""Tag: another name for the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    BadReference,
    Client,
    Err,
    NotConfirmed,
    NotFound,
    Op,
    Reason,
    docker_save,
    get_manifest,
    push,
    put_blob,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.manifest import parse_manifest
from registry_fp.pipelines.tag import tag
from registry_fp.testing import Fault, NotStored, running_registry, write_docker_save
from tests.acceptance.conftest import Site
from tests.acceptance.images import small
from tests.acceptance.reader import DOCKER, OCI
from tests.testing.wire import OCI_INDEX, image


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_a_tag_is_the_same_bytes_under_another_name(site: Site, client: Client, tmp_path: Path) -> None:
    """A release is a tag on what was tested; written again it would be something else."""
    write_docker_save(tmp_path / "app.tar", small("app:1.0", text=site.path))
    pushed = await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{site.repository}:1.0"))
    before = site.reader.get(f"{site.path}/manifests/1.0", Accept=f"{DOCKER}, {OCI}")
    site.reset()
    for name, new in ((f"{site.repository}:1.0", "stable"), (f"{site.repository}@{pushed.digest}", "1")):
        assert await unwrap(tag(client, name, new)) == pushed.manifest
        after = site.reader.get(f"{site.path}/manifests/{new}", Accept=f"{DOCKER}, {OCI}")
        assert (after.body, after.headers["Content-Type"]) == (before.body, before.headers["Content-Type"])
    if site.embedded is not None:
        asked = {request.endpoint for request in site.embedded.requests}
        assert asked == {"end-3", "end-7a"}
        assert site.embedded.counts().blob_bytes_in == site.embedded.counts().blob_bytes_out == 0
    assert site.reader.tags(site.path) == {"1.0", "stable", "1"}


async def test_a_tag_moves(site: Site, client: Client) -> None:
    """`latest` is what it was told last."""
    await unwrap(put_blob(client, site.repository, b"{}"))
    for number in ("1", "2"):
        raw = image(annotations={"number": number})
        await unwrap(put_manifest(client, f"{site.repository}:{number}", parse_manifest(raw).unwrap()))
        moved = await unwrap(tag(client, f"{site.repository}:{number}", "latest"))
        assert (await unwrap(get_manifest(client, f"{site.repository}:latest"))).raw == raw
        assert moved.size == len(raw)


async def test_an_index_is_tagged_like_an_image(site: Site, client: Client) -> None:
    """All its platforms come along, because nothing of it is rewritten: not even its white space."""
    raw = f'{{ "schemaVersion":2,\n"mediaType":"{OCI_INDEX}", "manifests":[] ,"x":1.50}}'.encode()
    await unwrap(put_manifest(client, f"{site.repository}:1.0", parse_manifest(raw).unwrap()))
    await unwrap(tag(client, f"{site.repository}:1.0", "all"))
    assert site.reader.get(f"{site.path}/manifests/all", Accept=OCI_INDEX).body == raw


@pytest.mark.parametrize(("name", "new"), [("{}:1.0", "-x"), ("{}:1.0", "a/b"), ("{}:1.0", ""), ("{}:-", "x")])
async def test_a_bad_name_is_refused_before_anything_is_sent(name: str, new: str, site: Site, client: Client) -> None:
    """A tag with a slash would be a path of somebody's choice."""
    site.reset()
    out = await settle(tag(client, name.format(site.repository), new))
    assert isinstance(out, Err)
    assert (out.error.doing, type(out.error.reason)) == ("tag", BadReference)
    if site.embedded is not None:
        assert site.embedded.requests == ()


async def test_what_is_not_there_cannot_be_tagged(site: Site, client: Client) -> None:
    """And the new tag is not there either, afterwards."""
    assert isinstance(await _reason(tag(client, f"{site.repository}:none", "x")), NotFound)
    assert site.reader.tags(site.path) == set()


async def test_a_tag_that_the_registry_forgot_is_no_success(client: Client) -> None:
    """Success means that the registry shows it, whatever it said before; also where the tag shows something older."""
    with running_registry() as registry:
        name = f"{registry.host}/app"
        await unwrap(put_blob(client, name, b"{}"))
        for new, number in (("1", "1"), ("2", "2")):
            raw = image(annotations={"number": number})
            await unwrap(put_manifest(client, f"{name}:{new}", parse_manifest(raw).unwrap()))
        registry.set_faults(Fault(NotStored(), endpoint="end-7"))
        assert isinstance(await _reason(tag(client, f"{name}:1", "new")), NotConfirmed)
        assert isinstance(await _reason(tag(client, f"{name}:1", "2")), NotConfirmed)
