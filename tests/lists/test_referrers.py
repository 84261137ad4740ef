"""Referrers: the same answer from a registry that keeps the list, and from one whose clients keep it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry_fp import (
    BadReference,
    Client,
    Denied,
    Descriptor,
    Err,
    MalformedDocument,
    NotFound,
    Ok,
    Op,
    PolicyRefused,
    Reason,
    ServerFault,
    Settings,
    connect,
    digest_of,
    parse_digest,
    put_blob,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.manifest import parse_manifest
from registry_fp.domain.model import Annotations
from registry_fp.operations.referrers import list_referrers, referrer_pages
from registry_fp.protocol.referrer import referrers_tag
from registry_fp.testing import running_registry
from tests.acceptance.conftest import Site
from tests.lists.lister import Told, serving, told
from tests.testing.wire import OCI_INDEX, OCI_MANIFEST, descriptor, image

SUBJECT = digest_of(b"subject")
SBOM, SIGNATURE = "application/vnd.example.sbom", "application/vnd.example.signature+json"
FALLBACK = f"/v2/app/manifests/{referrers_tag(SUBJECT)}"
LIST = f"/v2/app/referrers/{SUBJECT}"


async def _reason(op: Op[Any]) -> Reason:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _entry(text: str, kind: str, **more: Any) -> dict[str, Any]:
    return descriptor(text.encode(), OCI_MANIFEST, artifactType=kind, **more)


def _index(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **more}


ENTRIES = [_entry("one", SBOM), _entry("two", SIGNATURE, annotations={"by": "me"}), _entry("three", SBOM)]


def _digests(found: tuple[Descriptor, ...]) -> list[str]:
    return [str(each.digest) for each in found]


async def _about(client: Client, site: Site, subject: bytes, *kinds: str) -> list[dict[str, Any]]:
    """Artifacts about a subject; a registry that does not list them gets the list as clients keep it."""
    await unwrap(put_blob(client, site.repository, b"{}"))
    entries = []
    for kind in kinds:
        raw = image(subject=descriptor(subject, OCI_MANIFEST), artifactType=kind)
        await unwrap(put_manifest(client, f"{site.repository}@{digest_of(raw)}", parse_manifest(raw).unwrap()))
        entries.append(descriptor(raw, OCI_MANIFEST, artifactType=kind))
    if site.embedded is None:
        kept = parse_manifest(json.dumps(_index(*entries)).encode()).unwrap()
        await unwrap(put_manifest(client, f"{site.repository}:{referrers_tag(digest_of(subject))}", kept))
    return entries


async def test_the_same_referrers_with_and_without_the_api(site: Site, client: Client) -> None:
    """A signature must be found wherever the image was copied to."""
    raw = image(annotations={"about": site.path})
    await unwrap(put_blob(client, site.repository, b"{}"))
    await unwrap(put_manifest(client, f"{site.repository}:1.0", parse_manifest(raw).unwrap()))
    entries = await _about(client, site, raw, SBOM, SIGNATURE)
    for name in (f"{site.repository}:1.0", f"{site.repository}@{digest_of(raw)}"):
        found = await unwrap(list_referrers(client, name))
        assert sorted(_digests(found)) == sorted(entry["digest"] for entry in entries)
        [one] = await unwrap(list_referrers(client, name, artifact_type=SIGNATURE))
        assert (one.artifact_type, str(one.digest)) == (SIGNATURE, entries[1]["digest"])
        assert await unwrap(list_referrers(client, name, artifact_type="application/none")) == ()


async def test_what_nobody_refers_to_has_no_referrers(site: Site, client: Client) -> None:
    """None is an answer, and no failure: also for a digest, and a repository, that the registry has never seen."""
    assert await unwrap(list_referrers(client, f"{site.repository}@{SUBJECT}")) == ()
    assert isinstance(await _reason(list_referrers(client, f"{site.repository}:none")), NotFound)


async def test_referrers_come_in_pages(client: Client) -> None:
    """An image that is scanned every night has more of them than one page holds."""
    with running_registry(page_limit=2, relative_locations=True) as registry:
        site = Site(registry.host, "app", registry)
        entries = await _about(client, site, b"subject", *(f"application/vnd.example.{number}" for number in range(7)))
        site.reset()
        found = await unwrap(list_referrers(client, f"{site.repository}@{SUBJECT}"))
        assert sorted(_digests(found)) == sorted(entry["digest"] for entry in entries)
        assert registry.counts().by_endpoint == {"end-12a": 4}
        sizes = []
        async for page in referrer_pages(client, f"{site.repository}@{SUBJECT}"):
            assert isinstance(page, Ok)
            sizes.append(len(page.value.entries))
        assert sizes == [2, 2, 2, 1]


@pytest.mark.parametrize("applied", ["", "artifactType", "other"])
async def test_the_filter_is_applied_by_one_of_the_two(applied: str, client: Client) -> None:
    """A registry may leave it to us, and says so by saying nothing."""

    def answer(target: str) -> Told:
        entries = [ENTRIES[0], ENTRIES[2]] if applied == "artifactType" else ENTRIES
        assert target.endswith("?artifactType=application%2Fvnd.example.sbom")
        return told(_index(*entries), Content_Type=OCI_INDEX, OCI_Filters_Applied=applied)

    async with serving(answer) as lister:
        found = await unwrap(list_referrers(client, f"{lister.host}/app@{SUBJECT}", artifact_type=SBOM))
        assert _digests(found) == [ENTRIES[0]["digest"], ENTRIES[2]["digest"]]


@pytest.mark.parametrize(
    "lacking",
    [
        told({}, 404),
        Told(b"404 page not found\n", 404),
        told({"errors": [{"code": "UNSUPPORTED"}]}, 400),
        told({}, 405),
        told({}, 406),
        Told(b"<html>Welcome</html>", 200, {"Content-Type": "text/html; charset=utf-8"}),
    ],
)
async def test_a_registry_without_the_list_is_asked_for_the_tag(lacking: Told, client: Client) -> None:
    """The specification says 404; before there was a specification, registries said other things."""

    def answer(target: str) -> Told:
        return told(_index(*ENTRIES), Content_Type=OCI_INDEX) if target == FALLBACK else lacking

    async with serving(answer) as lister:
        name = f"{lister.host}/app@{SUBJECT}"
        assert _digests(await unwrap(list_referrers(client, name))) == [entry["digest"] for entry in ENTRIES]
        assert lister.asked == [f"GET {LIST}", f"GET {FALLBACK}"]
        [two] = await unwrap(list_referrers(client, name, artifact_type=SIGNATURE))
        assert two.annotations == Annotations({"by": "me"})


async def test_without_the_list_and_without_the_tag_there_are_none(client: Client) -> None:
    """Nobody has written one: most images of most registries."""
    async with serving(lambda _: told({}, 404)) as lister:
        assert await unwrap(list_referrers(client, f"{lister.host}/app@{SUBJECT}")) == ()


@pytest.mark.parametrize(("status", "kind"), [(403, Denied), (500, ServerFault)])
async def test_a_registry_that_fails_is_no_registry_without_the_list(status: int, kind: type[Reason]) -> None:
    """An empty list would say that nothing was signed."""
    async with connect(Settings(retries=0)) as client, serving(lambda _: told({}, status)) as lister:
        assert isinstance(await _reason(list_referrers(client, f"{lister.host}/app@{SUBJECT}")), kind)
        assert lister.asked == [f"GET {LIST}"]


async def test_a_tag_that_holds_something_else_is_no_list(client: Client) -> None:
    """Somebody's image under that tag is not the absence of referrers."""

    def answer(target: str) -> Told:
        return Told(image(), 200, {"Content-Type": OCI_MANIFEST}) if target == FALLBACK else told({}, 404)

    async with serving(answer) as lister:
        assert isinstance(await _reason(list_referrers(client, f"{lister.host}/app@{SUBJECT}")), MalformedDocument)


async def test_who_has_told_one_page_must_tell_the_next(client: Client) -> None:
    """A 404 behind the first page is a broken list, and the tag beside it is another list."""

    def answer(target: str) -> Told:
        return told({}, 404) if "last" in target else told(_index(*ENTRIES), following=f"{LIST}?last=x")

    async with serving(answer) as lister:
        pages = [page async for page in referrer_pages(client, f"{lister.host}/app@{SUBJECT}")]
        assert [isinstance(page, Ok) for page in pages] == [True, False]
        assert isinstance(await _reason(list_referrers(client, f"{lister.host}/app@{SUBJECT}")), NotFound)
        assert f"GET {FALLBACK}" not in lister.asked


async def test_a_list_of_referrers_stays_on_its_registry(client: Client) -> None:
    """A foreign Link would make others say who signed our image."""

    def answer(_: str) -> Told:
        return told(_index(*ENTRIES), following=f"http://127.0.0.1:1{LIST}?last=x")

    async with serving(answer) as lister:
        assert isinstance(await _reason(list_referrers(client, f"{lister.host}/app@{SUBJECT}")), PolicyRefused)


async def test_entries_that_are_none_are_left_out_and_counted(client: Client) -> None:
    """One broken entry must not hide the others; null is an empty list."""
    broken = [{"digest": "sha256:../../x", "size": 1, "mediaType": "a/b"}, None, 7, {**ENTRIES[0], "size": -1}]
    async with serving(lambda _: told(_index(*broken, *ENTRIES))) as lister:
        [page] = [page async for page in referrer_pages(client, f"{lister.host}/app@{SUBJECT}")]
        assert isinstance(page, Ok)
        assert (len(page.value.entries), page.value.left_out) == (3, 4)
    async with serving(lambda _: told(_index() | {"manifests": None})) as lister:
        assert await unwrap(list_referrers(client, f"{lister.host}/app@{SUBJECT}")) == ()


async def test_a_referrer_that_is_told_twice_is_one(client: Client) -> None:
    """Pages overlap when somebody attaches between them."""

    def answer(target: str) -> Told:
        if "last" in target:
            return told(_index(ENTRIES[1], ENTRIES[2]))
        return told(_index(*ENTRIES[:2]), following=f"{LIST}?last=x")

    async with serving(answer) as lister:
        found = await unwrap(list_referrers(client, f"{lister.host}/app@{SUBJECT}"))
        assert _digests(found) == [entry["digest"] for entry in ENTRIES]


async def test_a_bad_name_is_refused_before_anything_is_sent(client: Client) -> None:
    """As with every other verb."""
    assert isinstance(await _reason(list_referrers(client, "App@x")), BadReference)


def test_the_tag_of_a_long_digest_is_cut_as_the_specification_says() -> None:
    """A tag has at most 128 characters; every client must cut at the same place."""
    long = parse_digest(f"sha512:{'a' * 64}{'b' * 64}").unwrap()
    assert referrers_tag(long) == f"sha512-{'a' * 64}"
    assert referrers_tag(SUBJECT) == f"sha256-{SUBJECT.hex}"
