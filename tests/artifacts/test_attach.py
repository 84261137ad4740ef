"""Attaching: what is attached is found again, on every registry, by every reader; and can be taken away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    BadReference,
    Client,
    Descriptor,
    Err,
    NotFound,
    Reference,
    connect,
    get_manifest,
    parse_reference,
    put_manifest,
    settle,
    traverse,
    unwrap,
)
from registry_fp.domain.errors import Misconfigured
from registry_fp.operations.referrers import list_referrers
from registry_fp.pipelines.artifact import ArtifactOptions, push_artifact
from registry_fp.pipelines.attach import attach, detach
from registry_fp.pipelines.referrer import store_referrer
from tests.acceptance.reader import OCI
from tests.artifacts.conftest import INDEX, Site, fallback, image_in
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool

SBOM = ArtifactOptions(artifact_type="application/spdx+json", annotations={"org.example.by": "us"})


def reference(text: str) -> Reference:
    """A parsed name."""
    return parse_reference(text).unwrap()


def digests(entries: list[dict[str, Any]]) -> set[str]:
    """What is listed, when nothing is listed twice."""
    assert len({entry["digest"] for entry in entries}) == len(entries)
    return {entry["digest"] for entry in entries}


async def test_what_is_attached_is_listed_with_its_type_and_annotations(
    site: Site, client: Client, subject: Descriptor, files: list[Path]
) -> None:
    """By the registry, or under the fallback tag; a reader chooses by type without reading each manifest."""
    attached = await unwrap(attach(client, f"{site.repository}:1.0", files, options=SBOM))
    assert attached.subject == subject
    assert attached.listed_by == ("registry" if site.embedded and not site.gate else "fallback tag")
    [entry] = await site.listed(subject)
    assert entry == {
        "mediaType": OCI,
        "digest": str(attached.digest),
        "size": attached.manifest.size,
        "annotations": {"org.example.by": "us"},
        "artifactType": "application/spdx+json",
    }
    [ours] = await unwrap(list_referrers(client, f"{site.repository}:1.0", artifact_type="application/spdx+json"))
    assert ours.digest == attached.digest
    assert await site.tags() - {fallback(subject)} == {"1.0"}


async def test_attaching_the_same_again_changes_nothing(
    site: Site, client: Client, subject: Descriptor, files: list[Path]
) -> None:
    """A build that is repeated leaves one attachment."""
    name = f"{site.repository}@{subject.digest}"
    first = await unwrap(attach(client, name, files))
    again = await unwrap(attach(client, name, files))
    assert (again.digest, again.sent) == (first.digest, 0)
    assert digests(await site.listed(subject)) == {str(first.digest)}


async def test_an_artifact_is_attached_to_an_artifact(
    site: Site, client: Client, subject: Descriptor, files: list[Path]
) -> None:
    """A signature of a bill of materials of an image."""
    sbom = await unwrap(attach(client, f"{site.repository}@{subject.digest}", files))
    signature = await unwrap(attach(client, f"{site.repository}@{sbom.digest}", files[0]))
    assert digests(await site.listed(subject)) == {str(sbom.digest)}
    assert digests(await site.listed(sbom.manifest)) == {str(signature.digest)}


async def test_a_subject_need_not_be_there_yet(site: Site, client: Client, files: list[Path]) -> None:
    """The specification allows it: an attachment may be copied before what it is attached to."""
    absent = Descriptor(
        media_type=OCI, digest=(await unwrap(push_artifact(client, [], f"{site.host}/o/o:1"))).digest, size=7
    )
    pushed = await unwrap(
        push_artifact(client, files, f"{site.repository}:sig", options=ArtifactOptions(subject=absent))
    )
    assert digests(await site.listed(absent)) == {str(pushed.digest)}


async def test_twelve_at_once_lose_nothing(site: Site, client: Client, subject: Descriptor) -> None:
    """One client, and another one that knows nothing of it: every attachment is in the list."""
    async with connect() as other:
        jobs = [
            attach(
                client if number % 2 else other,
                f"{site.repository}@{subject.digest}",
                [],
                options=ArtifactOptions(artifact_type=f"application/x-{number}"),
            )
            for number in range(12)
        ]
        attached = await unwrap(traverse(jobs, lambda job: job, limit=12))
    assert digests(await site.listed(subject)) == {str(each.digest) for each in attached}


async def test_detaching_removes_the_manifest_and_its_entry(
    site: Site, client: Client, subject: Descriptor, files: list[Path]
) -> None:
    """And nothing else: the other attachment and the image stay."""
    gone = await unwrap(attach(client, f"{site.repository}:1.0", files[0]))
    stays = await unwrap(attach(client, f"{site.repository}:1.0", files[1]))
    await unwrap(detach(client, f"{site.repository}@{gone.digest}"))
    assert digests(await site.listed(subject)) == {str(stays.digest)}
    assert (await site.get(f"manifests/{gone.digest}", Accept=OCI)).status == 404
    assert (await site.get("manifests/1.0", Accept=OCI)).status == 200
    out = await settle(detach(client, f"{site.repository}@{gone.digest}"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, NotFound)
    await unwrap(detach(client, f"{site.repository}@{stays.digest}"))
    assert await site.listed(subject) == []
    await unwrap(attach(client, f"{site.repository}:1.0", files[2]))
    assert len(await site.listed(subject)) == 1


async def test_some_come_while_others_go(site: Site, client: Client, subject: Descriptor) -> None:
    """In the end the list is what is there: no entry without its manifest, no manifest without its entry."""
    name = f"{site.repository}@{subject.digest}"

    def typed(number: int) -> ArtifactOptions:
        return ArtifactOptions(artifact_type=f"application/x-{number}")

    async with connect() as other:
        old = [await unwrap(attach(client, name, [], options=typed(number))) for number in range(3)]
        going = [detach(other, f"{site.repository}@{each.digest}") for each in old]
        coming = [attach(client, name, [], options=typed(number)) for number in range(3, 6)]
        gone, came = await asyncio.gather(
            unwrap(traverse(going, lambda job: job, limit=3)), unwrap(traverse(coming, lambda job: job, limit=3))
        )
    assert len(gone) == 3
    assert digests(await site.listed(subject)) == {str(each.digest) for each in came}


async def test_what_oras_attached_and_what_we_attached_is_one_list(  # noqa: PLR0917  fixtures
    site: Site, client: Client, subject: Descriptor, oras: Tool, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One before us, one behind us, both tools see all three."""
    monkeypatch.chdir(files[0].parent)
    name = f"{site.repository}@{subject.digest}"
    await oras("attach", "--plain-http", "--artifact-type", "a/first", name, "report.json")
    ours = await unwrap(attach(client, name, files, options=SBOM))
    await oras("attach", "--plain-http", "--artifact-type", "a/last", name, "report.json")
    told = json.loads((await oras("discover", "--plain-http", "--format", "json", name)).stdout)
    listed = await site.listed(subject)
    kinds = {"a/first", "a/last", "application/spdx+json"}
    assert {entry["artifactType"] for entry in listed} == kinds
    assert {entry["artifactType"] for entry in told["referrers"]} == kinds
    assert str(ours.digest) in digests(listed)


async def test_the_list_has_the_bytes_that_oras_writes(
    real_registry: RealRegistry, client: Client, oras: Tool, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tools that keep one list do not write it anew for each other's sake."""
    monkeypatch.chdir(files[0].parent)
    created = {"org.opencontainers.image.created": "2020-01-01T00:00:00Z", "z": "<"}
    words = [word for key, text in created.items() for word in ("--annotation", f"{key}={text}")]
    lists = []
    for path in ("theirs", "ours"):
        site = Site(real_registry.host, f"lists-{files[0].parent.parent.name.lower()}/{path}")
        subject = await image_in(client, site.repository)
        name = f"{site.repository}@{subject.digest}"
        for kind in ("a/one", "a/two"):
            if path == "theirs":
                await oras("attach", "--plain-http", "--artifact-type", kind, *words, name, "report.json")
            else:
                options = ArtifactOptions(artifact_type=kind, annotations=created)
                await unwrap(attach(client, name, files[0], options=options))
        lists.append((await site.get(f"manifests/{fallback(subject)}", Accept=INDEX)).body)
    assert lists[0] == lists[1]


async def test_a_manifest_with_a_subject_that_comes_from_elsewhere_is_listed_too(
    site: Site, client: Client, subject: Descriptor, files: list[Path]
) -> None:
    """Who copies a signature has the same duty as who makes it."""
    attached = await unwrap(attach(client, f"{site.repository}:1.0", files))
    raw = await unwrap(get_manifest(client, f"{site.repository}@{attached.digest}"))
    plain = (await unwrap(put_manifest(client, f"{site.repository}:copy", raw))).digest
    assert plain == attached.digest
    await unwrap(detach(client, f"{site.repository}@{attached.digest}"))
    back = await unwrap(store_referrer(client, reference(f"{site.repository}:copy"), raw))
    assert back == attached.listed_by
    assert digests(await site.listed(subject)) == {str(attached.digest)}
    unattached = await unwrap(get_manifest(client, f"{site.repository}:1.0"))
    assert await unwrap(store_referrer(client, reference(f"{site.repository}:again"), unattached)) is None


async def test_what_is_no_attachment_is_not_detached(site: Site, client: Client, subject: Descriptor) -> None:
    """A tag could be anything by now, and an image is not removed by a slip."""
    for name in (f"{site.repository}:1.0", f"{site.repository}@{subject.digest}"):
        out = await settle(detach(client, name))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)
    assert (await site.get("manifests/1.0", Accept=OCI)).status == 200


async def test_nothing_is_attached_to_nothing(site: Site, client: Client, files: list[Path]) -> None:
    """And nothing is uploaded for it."""
    out = await settle(attach(client, f"{site.repository}:none", files))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, NotFound)
    if site.embedded is not None:
        assert site.embedded.counts().blob_bytes_in == 0
    twice = await settle(attach(client, f"{site.repository}:1.0", files, options=ArtifactOptions(subject="a:1")))
    assert isinstance(twice, Err)
    assert isinstance(twice.error.reason, Misconfigured)
