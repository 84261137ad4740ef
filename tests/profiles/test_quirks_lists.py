"""Lists, and what is not listed: pages in every form, and what a registry does not do is told by name."""

from pathlib import Path
from typing import Any, Protocol

import pytest

from registry_fp import (
    ArtifactOptions,
    Client,
    Denied,
    Err,
    HostSettings,
    Op,
    Reason,
    Refused,
    Settings,
    TagNotDeletable,
    Unauthenticated,
    Unsupported,
    anonymous,
    attach,
    connect,
    copy,
    delete,
    delete_blob,
    delete_tag,
    list_referrers,
    list_repositories,
    list_tags,
    settle,
    tag,
    unwrap,
)
from registry_fp.protocol.profile import LinkShape
from registry_fp.testing import Answer, Fault, running_registry
from tests.copy import made
from tests.lists.lister import serving, told
from tests.profiles.kind import Kind, kind

IMAGE = made.image(made.layer("one"))


class _Listed(Protocol):
    def __call__(self, client: Client, host: str, /, *, page_size: int) -> Op[tuple[str, ...]]: ...


def _tags_of_app(client: Client, host: str, /, *, page_size: int) -> Op[tuple[str, ...]]:
    return list_tags(client, f"{host}/app", page_size=page_size)


async def _filled(there: Kind, client: Client, *tags: str) -> None:
    with running_registry() as here:
        made.put(here.host, "app", IMAGE, "0")
        for each in ("0", *tags):
            await unwrap(copy(client, f"{here.host}/app:0", f"{there.host}/app:{each}"))


@pytest.mark.parametrize("link", ["absolute", "relative", "none"])
@pytest.mark.parametrize("page_size", [2, 3, 1000])
async def test_every_tag_is_listed_once(link: LinkShape, page_size: int, client: Client, tmp_path: Path) -> None:
    """By whatever names the next page; where nothing does, by the last name (sonatype/nexus-public#117)."""
    tags = tuple(str(number) for number in range(7))
    with kind(tmp_path / "there", link=link, page_max=None if link == "none" else 3) as there:
        await _filled(there, client, *tags[1:])
        assert await unwrap(list_tags(client, f"{there.host}/app", page_size=page_size)) == tags


@pytest.mark.parametrize("link", ["absolute", "relative", "none"])
async def test_a_registry_that_refuses_long_pages_is_asked_for_shorter_ones(
    link: LinkShape, client: Client, tmp_path: Path
) -> None:
    """Asking for more entries than a registry likes is no reason to get none (google/go-containerregistry#1091)."""
    tags = tuple(str(number) for number in range(7))
    with kind(tmp_path / "there", link=link, page_max=100, refuses_long_pages=True) as there:
        await _filled(there, client, *tags[1:])
        assert await unwrap(list_tags(client, f"{there.host}/app")) == tags
        assert await unwrap(list_repositories(client, there.host)) == ("app",)


@pytest.mark.parametrize(
    ("status", "kinds"), [(401, Unauthenticated), (403, Denied), (404, Unsupported), (405, Unsupported)]
)
async def test_a_catalogue_that_is_denied_is_told_by_name(
    status: int, kinds: type[Reason], client: Client, tmp_path: Path
) -> None:
    """After one question: asking again does not help (docker/hub-feedback#2094)."""
    with kind(tmp_path / "there") as there:
        there.registry.set_faults(Fault(Answer(status), endpoint="catalog"))
        out = await settle(list_repositories(client, there.host))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, kinds)
        assert there.registry.counts().by_endpoint["catalog"] == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_where_a_catalogue_is_known_to_be_missing_no_credentials_are_asked_for(
    status: int, tmp_path: Path
) -> None:
    """Hosted registries deny what they do not have, and whoever believes that looks for a password in vain."""
    with kind(tmp_path / "there") as there:
        there.registry.set_faults(Fault(Answer(status), endpoint="catalog"))
        settings = Settings(cache=False, hosts={there.host: HostSettings(profile="ghcr")})
        async with connect(settings, keychain=anonymous) as client:
            out = await settle(list_repositories(client, there.host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)


@pytest.mark.parametrize(("page_size", "asked"), [(7, 7), (5000, 1000)])
@pytest.mark.parametrize(
    ("listed", "path"),
    [(list_repositories, "/v2/_catalog"), (_tags_of_app, "/v2/app/tags/list")],
    ids=["names", "tags"],
)
async def test_no_longer_page_is_asked_for_than_a_registry_is_known_to_give(
    listed: _Listed, path: str, page_size: int, asked: int
) -> None:
    """A question that is known to be refused is one too many, and the answer to it is short pages."""
    async with serving(lambda _: told({"tags": [], "repositories": []})) as lister:
        settings = Settings(cache=False, hosts={lister.host: HostSettings(profile="ecr")})
        async with connect(settings, keychain=anonymous) as client:
            assert await unwrap(listed(client, lister.host, page_size=page_size)) == ()
        assert lister.asked == [f"GET {path}?n={asked}"]


@pytest.mark.parametrize(
    ("facts", "verb", "kinds"),
    [
        ({"tag_delete": False}, delete_tag, TagNotDeletable),
        ({"delete": False}, delete_tag, TagNotDeletable),
        ({"delete": False}, delete, Refused),
        ({"delete": False}, delete_blob, Refused),
    ],
    ids=["a tag", "anything, by tag", "anything", "a blob"],
)
async def test_what_cannot_be_deleted_is_told_by_name_and_stays(
    facts: dict[str, Any], verb: Any, kinds: type[Reason], client: Client, tmp_path: Path
) -> None:
    """Above all, no digest is deleted in the place of a tag (google/go-containerregistry#1578)."""
    with kind(tmp_path / "there", **facts) as there:
        await _filled(there, client, "1")
        name = f"{there.host}/app"
        asked = {
            delete_tag: lambda: delete_tag(client, f"{name}:1"),
            delete: lambda: delete(client, f"{name}@{IMAGE.digest}"),
            delete_blob: lambda: delete_blob(client, name, next(iter(IMAGE.blobs))),
        }
        out = await settle(asked[verb]())
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, kinds)
        with there.seen_plainly() as plain:
            for each in ("0", "1"):
                made.check(plain.host, "app", IMAGE, each)


@pytest.mark.parametrize(
    "facts",
    [{"absent_status": 401}, {"absent_status": 403}, {"absent_status": 404}, {"head": 405}, {"head_digest": False}],
    ids=str,
)
async def test_a_tag_goes_and_its_siblings_stay(facts: dict[str, Any], client: Client, tmp_path: Path) -> None:
    """That it is gone is proven, however the registry tells (google/go-containerregistry#1691)."""
    with kind(tmp_path / "there", **facts) as there:
        await _filled(there, client)
        await unwrap(tag(client, f"{there.host}/app:0", "1"))
        await unwrap(delete_tag(client, f"{there.host}/app:1"))
        assert await unwrap(list_tags(client, f"{there.host}/app")) == ("0",)
        await unwrap(delete(client, f"{there.host}/app@{IMAGE.digest}"))
        with there.seen_plainly() as plain:
            assert made.request(plain.host, "GET", f"/v2/app/manifests/{IMAGE.digest}")[0] == 404


@pytest.mark.parametrize(
    "facts",
    [
        {"referrers": True},
        {"referrers": False},
        {"referrers": False, "head_digest": False},
        {"referrers": False, "head": 405},
        {"referrers": False, "absent_status": 403},
        {"referrers": False, "absent_status": 401},
    ],
    ids=str,
)
async def test_what_is_attached_is_listed(facts: dict[str, Any], client: Client, tmp_path: Path) -> None:
    """By the registry, or by the tag that stands for its list, which is not there before the first."""
    (tmp_path / "note.txt").write_text("checked")
    with kind(tmp_path / "there", **facts) as there:
        await _filled(there, client)
        name = f"{there.host}/app@{IMAGE.digest}"
        attached = [
            (await unwrap(attach(client, name, [tmp_path / "note.txt"], options=ArtifactOptions(of)))).digest
            for of in ("application/x.one", "application/x.two")
        ]
        assert {each.digest for each in await unwrap(list_referrers(client, name))} == set(attached)
