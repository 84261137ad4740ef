"""Plans of deletions: the truth about what would go, at no cost."""

from __future__ import annotations

from typing import Any

from registry_fp import (
    Client,
    Conflict,
    Err,
    LimitExceeded,
    NotFound,
    Op,
    Reason,
    digest_of,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.manifest import parse_manifest
from registry_fp.pipelines.delete import delete
from registry_fp.pipelines.delete_plan import plan_delete
from tests.acceptance.conftest import Site
from tests.tags.shelf import stored
from tests.testing.wire import OCI_INDEX, OCI_MANIFEST, image


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


async def test_a_plan_by_digest_is_what_then_goes(site: Site, client: Client) -> None:
    """Whoever looked before is not surprised afterwards."""
    made = await stored(client, site.repository, "a", "1.0", "latest")
    await stored(client, site.repository, "b", "other")
    plan = await unwrap(plan_delete(client, f"{site.repository}@{made.digest}"))
    assert (plan.removes, set(plan.tags), plan.kept) == ("manifest", {"1.0", "latest"}, ())
    before = site.reader.tags(site.path)
    await unwrap(delete(client, plan.reference))
    assert before - site.reader.tags(site.path) == set(plan.tags)


async def test_a_plan_by_tag_tells_who_stays(site: Site, client: Client) -> None:
    """The other names of the same image are what people fear for."""
    made = await stored(client, site.repository, "a", "1.0", "latest")
    await stored(client, site.repository, "b", "other")
    for name in (f"{site.repository}:1.0", f"{site.repository}:1.0@{made.digest}"):
        plan = await unwrap(plan_delete(client, name))
        assert (plan.removes, plan.tags, plan.kept) == ("tag", ("1.0",), ("latest",))
        assert plan.manifest == made
        assert [each.size for each in plan.content] == [2]
        assert plan.size == made.size + 2


async def test_a_plan_changes_nothing(site: Site, client: Client) -> None:
    """It reads, and no more: that is proven by what the registry was asked."""
    made = await stored(client, site.repository, "a", "1.0", "latest")
    site.reset()
    await unwrap(plan_delete(client, f"{site.repository}@{made.digest}"))
    if site.embedded is not None:
        assert set(site.embedded.counts().by_method) == {"GET", "HEAD"}
        assert site.embedded.counts().by_method["HEAD"] == 2
    assert site.reader.tags(site.path) == {"1.0", "latest"}


async def test_a_plan_names_what_would_lose_its_subject(site: Site, client: Client) -> None:
    """Signatures without the image that they sign are litter that nobody finds."""
    made = await stored(client, site.repository, "a", "1.0")
    raw = image(
        subject={"mediaType": OCI_MANIFEST, "digest": str(made.digest), "size": made.size}, artifactType="a/sbom"
    )
    about = await unwrap(put_manifest(client, f"{site.repository}:about", parse_manifest(raw).unwrap()))
    plan = await unwrap(plan_delete(client, f"{site.repository}:1.0"))
    assert [each.digest for each in plan.referrers] == ([about.digest] if site.embedded is not None else [])


async def test_the_content_of_an_index_is_its_manifests(site: Site, client: Client) -> None:
    """Its platforms stay where they are, under their digests."""
    made = await stored(client, site.repository, "a", "1.0")
    entry = f'{{"mediaType":"{OCI_MANIFEST}","digest":"{made.digest}","size":{made.size}}}'
    raw = f'{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{entry},{entry}]}}'.encode()
    await unwrap(put_manifest(client, f"{site.repository}:all", parse_manifest(raw).unwrap()))
    plan = await unwrap(plan_delete(client, f"{site.repository}:all"))
    assert ([each.digest for each in plan.content], plan.size) == ([made.digest], len(raw) + made.size)


async def test_a_manifest_without_a_tag_can_be_planned(site: Site, client: Client) -> None:
    """Also where it is all that a repository has, which some registries then do not know."""
    await stored(client, site.repository, "a")
    raw = image(annotations={"text": "alone"})
    made = await unwrap(put_manifest(client, f"{site.repository}@{digest_of(raw)}", parse_manifest(raw).unwrap()))
    plan = await unwrap(plan_delete(client, f"{site.repository}@{made.digest}"))
    assert (plan.tags, plan.kept) == ((), ())


async def test_a_plan_that_could_not_be_whole_is_none(site: Site, client: Client) -> None:
    """From a part of the tags nobody could tell what goes."""
    await stored(client, site.repository, "a", "1", "2", "3")
    assert await _reason(plan_delete(client, f"{site.repository}:1", tags_limit=2)) == LimitExceeded(
        "tags to look at", 2
    )
    assert len((await unwrap(plan_delete(client, f"{site.repository}:1", tags_limit=3))).kept) == 2


async def test_a_plan_is_of_what_is_there(site: Site, client: Client) -> None:
    """Not of what was there when a list was made."""
    made = await stored(client, site.repository, "a", "1.0")
    stale = digest_of(b"stale")
    assert await _reason(plan_delete(client, f"{site.repository}:1.0@{stale}")) == Conflict(stale, made.digest)
    assert isinstance(await _reason(plan_delete(client, f"{site.repository}:none")), NotFound)
