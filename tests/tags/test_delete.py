"""Delete: what was named goes, and nothing else, whatever a registry makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from registry_fp import (
    BadReference,
    Client,
    Conflict,
    Denied,
    Err,
    NotFound,
    Op,
    ProtocolViolation,
    Reason,
    Refused,
    TagNotDeletable,
    digest_of,
    head_manifest,
    settle,
    unwrap,
)
from registry_fp.pipelines.delete import delete, delete_tag
from registry_fp.testing import Answer, Drop, Fault, running_registry
from tests.acceptance.conftest import Site
from tests.lists.lister import Told, serving, told
from tests.real.docker_registry import RealRegistry
from tests.tags.shelf import stored
from tests.testing.wire import OCI_MANIFEST, sha256


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_one_tag_goes_or_nothing_does(site: Site, client: Client) -> None:
    """Of two tags on one manifest only the named one goes; where that cannot be, the other one's name is told."""
    made = await stored(client, site.repository, "a", "1.0", "latest")
    other = await stored(client, site.repository, "b", "other")
    out = await settle(delete_tag(client, f"{site.repository}:1.0"))
    left = site.reader.tags(site.path)
    if site.embedded is None:
        assert isinstance(out, Err)
        assert out.error.reason == TagNotDeletable(made.digest, ("latest",))
        assert left == {"1.0", "latest", "other"}
    else:
        assert not isinstance(out, Err)
        assert left == {"latest", "other"}
    assert await unwrap(head_manifest(client, f"{site.repository}@{made.digest}")) == made
    assert await unwrap(head_manifest(client, f"{site.repository}:other")) == other


async def test_no_digest_is_ever_deleted_in_place_of_a_tag(site: Site, client: Client) -> None:
    """A deletion by digest takes every tag along: it is sent only for a name that is a digest."""
    made = await stored(client, site.repository, "a", "1.0")
    site.reset()
    await settle(delete_tag(client, f"{site.repository}:1.0"))
    await settle(delete(client, f"{site.repository}:1.0"))
    await settle(delete(client, f"{site.repository}:1.0@{made.digest}"))
    if site.embedded is not None:
        deleted = {request.path for request in site.embedded.requests if request.method == "DELETE"}
        assert deleted == {f"/v2/{site.path}/manifests/1.0"}
    assert site.reader.get(f"{site.path}/manifests/{made.digest}", Accept=OCI_MANIFEST).status == 200


async def test_a_name_that_is_a_digest_takes_every_tag_along(site: Site, client: Client) -> None:
    """That is what it asks for, and it is proven to be gone."""
    made = await stored(client, site.repository, "a", "1.0", "latest")
    other = await stored(client, site.repository, "b", "other")
    await unwrap(delete(client, f"{site.repository}@{made.digest}"))
    assert site.reader.tags(site.path) == {"other"}
    assert isinstance(await _reason(delete(client, f"{site.repository}@{made.digest}")), NotFound)
    assert await unwrap(head_manifest(client, f"{site.repository}:other")) == other


async def test_what_is_not_there_is_not_found(site: Site, client: Client) -> None:
    """Also where the registry could not have deleted it."""
    await stored(client, site.repository, "a", "1.0")
    for name in (f"{site.repository}:none", f"{site.repository}/none:1.0"):
        assert isinstance(await _reason(delete_tag(client, name)), NotFound)
    assert site.reader.tags(site.path) == {"1.0"}


async def test_a_tag_beside_a_digest_goes_only_if_it_stands_for_it(site: Site, client: Client) -> None:
    """Whoever cleans up by a list that is an hour old must not delete what was pushed since."""
    made = await stored(client, site.repository, "a", "1.0")
    stale = digest_of(b"an hour ago")
    assert await _reason(delete(client, f"{site.repository}:1.0@{stale}")) == Conflict(stale, made.digest)
    assert site.reader.tags(site.path) == {"1.0"}
    out = await settle(delete_tag(client, f"{site.repository}:1.0@{made.digest}"))
    assert isinstance(out, Err) == (site.embedded is None)


@pytest.mark.parametrize("name", ["{}@" + sha256(b""), "{}:-", "{}:a/b:c"])
async def test_what_is_no_tag_is_refused_before_anything_is_sent(name: str, site: Site, client: Client) -> None:
    """A digest is no tag: to delete by it is another decision."""
    site.reset()
    out = await settle(delete_tag(client, name.format(site.repository)))
    assert isinstance(out, Err)
    assert (out.error.doing, type(out.error.reason)) == ("delete_tag", BadReference)
    if site.embedded is not None:
        assert site.embedded.requests == ()


async def test_all_siblings_are_told_and_no_stranger(real_registry: RealRegistry, client: Client) -> None:
    """Whoever then decides to delete the digest must know what goes; one HEAD for each tag tells."""
    repository = f"{real_registry.host}/siblings"
    tags = [f"t{number}" for number in range(40)]
    made = await stored(client, repository, "a", *tags)
    await stored(client, repository, "b", *(f"x{number}" for number in range(40)))
    reason = await _reason(delete_tag(client, f"{repository}:t7"))
    assert isinstance(reason, TagNotDeletable)
    assert (reason.digest, set(reason.siblings)) == (made.digest, set(tags) - {"t7"})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(405), TagNotDeletable),
        (Answer(400), TagNotDeletable),
        (Answer(400, body=b'{"errors":[{"code":"DIGEST_INVALID"}]}'), TagNotDeletable),
        (Answer(400, body=b'{"errors":[{"code":"UNSUPPORTED"}]}'), TagNotDeletable),
        (Answer(400, body=b'{"errors":[{"code":"NAME_INVALID"}]}'), Refused),
        (Answer(403), Denied),
    ],
)
async def test_a_refusal_is_told_for_what_it_is(answer: Answer, kind: type[Reason], client: Client) -> None:
    """Not to be allowed is mended by another account; not to be able, by nothing but a deletion of the whole."""
    with running_registry(faults=[Fault(answer, method="DELETE")]) as registry:
        await stored(client, f"{registry.host}/app", "a", "1.0", "latest")
        reason = await _reason(delete_tag(client, f"{registry.host}/app:1.0"))
        assert isinstance(reason, kind)
        if isinstance(reason, TagNotDeletable):
            assert reason.siblings == ("latest",)


async def test_siblings_that_cannot_be_told_are_not_taken_for_none(client: Client) -> None:
    """An empty list would invite to delete the digest."""
    faults = [
        Fault(Answer(405), method="DELETE"),
        Fault(Answer(403), path="latest"),
    ]
    with running_registry() as registry:
        await stored(client, f"{registry.host}/app", "a", "1.0", "latest")
        registry.set_faults(*faults)
        assert isinstance(await _reason(delete_tag(client, f"{registry.host}/app:1.0")), Denied)


async def test_a_deletion_whose_answer_was_lost_is_done(client: Client) -> None:
    """The second request finds nothing, because the first one was heard."""
    with running_registry(faults=[Fault(Drop(late=True), method="DELETE", nth=(1,))]) as registry:
        await stored(client, f"{registry.host}/app", "a", "1.0", "latest")
        await unwrap(delete_tag(client, f"{registry.host}/app:1.0"))
        assert registry.counts().by_method["DELETE"] == 2


async def test_a_deletion_that_was_accepted_and_not_done_is_no_success(client: Client) -> None:
    """A registry that says 202 and keeps the tag is found out."""
    with running_registry(faults=[Fault(Answer(202), method="DELETE")]) as registry:
        made = await stored(client, f"{registry.host}/app", "a", "1.0")
        for name in ("app:1.0", f"app@{made.digest}"):
            assert isinstance(await _reason(delete(client, f"{registry.host}/{name}")), ProtocolViolation)


@dataclass
class Shop:
    """A registry that does with a deletion what `deleting` does to its tags; manifests are there while tags are."""

    tags: dict[str, str]
    deleting: Callable[[Shop, str], None]
    untagged: bool = False
    deleted: list[str] = field(default_factory=list)

    def __call__(self, target: str) -> Told:
        """The answer; a DELETE is told by its target, which nobody else has."""
        name = target.rpartition("/")[2].partition("?")[0]
        if "/tags/list" in target:
            return told({"tags": sorted(self.tags)})
        digest = self.tags.get(name, name)
        if digest not in self.tags.values() and not (self.untagged and ":" in digest):
            return told({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
        return Told(b"{}", 200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest})

    def delete(self, target: str) -> Told:
        """202, and what then happens."""
        self.deleted.append(target)
        self.deleting(self, target.rpartition("/")[2])
        return Told(b"", 202)


def _alone(shop: Shop, tag: str) -> None:
    del shop.tags[tag]


def _all_of_it(shop: Shop, tag: str) -> None:
    digest = shop.tags[tag]
    shop.tags = {name: each for name, each in shop.tags.items() if each != digest}


def _pushed_again(shop: Shop, tag: str) -> None:
    shop.tags[tag] = sha256(b"newer")


@pytest.mark.parametrize(
    ("tags", "deleting", "kind"),
    [
        (["1.0", "latest"], _alone, None),
        (["1.0"], _alone, None),  # the last tag of a manifest: registries that then collect it are within their rights
        (["1.0", "latest", "1"], _all_of_it, ProtocolViolation),
        (["1.0"], _all_of_it, None),
        (["1.0", "latest"], _pushed_again, Conflict),
    ],
)
async def test_siblings_that_went_with_a_tag_are_missed(
    tags: list[str], deleting: Callable[[Shop, str], None], kind: type[Reason] | None, client: Client
) -> None:
    """Some registries take a tag for its digest. Nothing can undo that; but it is not called a success."""
    shop = Shop({**dict.fromkeys(tags, sha256(b"a")), "other": sha256(b"b")}, deleting)
    async with serving(shop, DELETE=shop.delete) as lister:
        out = await settle(delete_tag(client, f"{lister.host}/app:1.0"))
        assert shop.deleted == ["/v2/app/manifests/1.0"]
        if kind is None:
            assert not isinstance(out, Err), out
            return
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, kind)
        if isinstance(out.error.reason, ProtocolViolation):
            assert out.error.reason.rule.endswith("1, latest")
