"""The fallback tag: a list that everybody writes, without a lock, and that loses nobody's entry."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from registry_fp import (
    Client,
    Denied,
    Descriptor,
    Err,
    MalformedDocument,
    Refused,
    ServerFault,
    Settings,
    connect,
    delete_manifest,
    get_manifest,
    parse_manifest,
    put_manifest,
    settle,
    unwrap,
)
from registry_fp.domain.errors import Conflict
from registry_fp.pipelines.artifact import ArtifactOptions, PushedArtifact
from registry_fp.pipelines.attach import attach, detach
from registry_fp.pipelines.fallback import QUIET_SECONDS, ROUNDS_LIMIT
from registry_fp.testing import Answer, Drop, Fault
from registry_fp.transport.clock import Clock
from tests.artifacts.conftest import INDEX, Site, fallback, image_in
from tests.artifacts.test_attach import digests
from tests.real.docker_registry import RealRegistry
from tests.transport.clocks import InstantClock


def typed(kind: str) -> ArtifactOptions:
    """An artifact that is different from others by its type."""
    return ArtifactOptions(artifact_type=f"application/x-{kind}")


async def attached(client: Client, site: Site, subject: Descriptor, kind: str) -> PushedArtifact:
    """One more attachment."""
    return await unwrap(attach(client, f"{site.repository}@{subject.digest}", [], options=typed(kind)))


async def written(client: Client, site: Site, subject: Descriptor, entries: list[dict[str, Any]], **more: Any) -> None:
    """What some client writes under the tag, whatever is there."""
    raw = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **more}).encode()
    await unwrap(put_manifest(client, f"{site.repository}:{fallback(subject)}", parse_manifest(raw).unwrap()))


class Turns:
    """A clock whose every waiting is somebody else's turn."""

    def __init__(self, *turns: Callable[[], Awaitable[object]], always: bool = False) -> None:
        self._turns = list(turns)
        self._always = always
        self.waits: list[float] = []
        self.clock = Clock(lambda: 0.0, lambda: 0.0, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self._turns:
            turn = self._turns[0] if self._always else self._turns.pop(0)
            await turn()


async def test_it_costs_one_write_and_two_readings(gated: Site, client: Client) -> None:
    """What is there is looked at again before it is believed."""
    assert gated.gate is not None
    subject = await image_in(client, gated.repository)
    tag = fallback(subject)
    turns = Turns()
    async with connect(clock=turns.clock) as patient:
        await attached(patient, gated, subject, "a")
        assert (gated.gate.count("PUT", tag), gated.gate.count("GET", tag)) == (1, 2)
        assert len(turns.waits) == 1
        assert QUIET_SECONDS <= turns.waits[0] <= 2 * QUIET_SECONDS
        await attached(patient, gated, subject, "a")
        assert (gated.gate.count("PUT", tag), gated.gate.count("GET", tag)) == (1, 3)


@pytest.mark.parametrize("conditional", [True, False], ids=["If-Match", "no condition"])
async def test_who_is_written_over_while_it_looks_again_comes_back(
    conditional: bool, gated: Site, client: Client
) -> None:
    """Two read the same list, and write one after the other: the first one sees that it is gone, and writes again."""
    assert gated.gate is not None
    gated.gate.conditional = conditional
    subject = await image_in(client, gated.repository)
    tag = fallback(subject)
    early = await attached(client, gated, subject, "early")
    waiting, overwritten = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        waiting.set()
        await overwritten.wait()

    async with connect(clock=Turns(pause).clock) as other:
        jobs: list[asyncio.Task[PushedArtifact]] = []

        async def first_theirs(method: str, path: str) -> None:
            if method == "PUT" and tag in path and not jobs:
                jobs.append(asyncio.ensure_future(attached(other, gated, subject, "theirs")))
                await waiting.wait()  # they have read and written: and now comes what we made of our older reading

        gated.gate.before = first_theirs
        ours = await attached(client, gated, subject, "ours")
        overwritten.set()
        theirs = await jobs[0]
    assert digests(await gated.listed(subject)) == {str(each.digest) for each in (early, ours, theirs)}
    refused = [
        status for method, path, status in gated.gate.passed if method == "PUT" and tag in path and status == 412
    ]
    assert len(refused) == (1 if conditional else 0)


async def test_on_condition_nobody_who_has_gone_away_is_lost(gated: Site, client: Client) -> None:
    """They read, wrote, looked again and left, all between our reading and our writing: we are told, and read again."""
    assert gated.gate is not None
    gated.gate.conditional = True
    subject = await image_in(client, gated.repository)
    tag = fallback(subject)
    early = await attached(client, gated, subject, "early")
    theirs: list[PushedArtifact] = []

    async with connect(clock=Turns().clock) as other:

        async def first_theirs(method: str, path: str) -> None:
            assert gated.gate is not None
            if method == "PUT" and tag in path:
                gated.gate.before = None
                theirs.append(await attached(other, gated, subject, "theirs"))

        gated.gate.before = first_theirs
        ours = await attached(client, gated, subject, "ours")
    assert digests(await gated.listed(subject)) == {str(each.digest) for each in (early, ours, *theirs)}


async def test_who_writes_an_old_list_over_ours_takes_nobody_away(gated: Site, client: Client) -> None:
    """A tool that does not look again: what it forgot, ours and others', is restored, and what it brought stays."""
    subject = await image_in(client, gated.repository)
    early = await attached(client, gated, subject, "early")
    [entry] = await gated.listed(subject)
    theirs = await attached(client, gated, await image_in(client, gated.repository, "[]"), "theirs")
    brought = {**entry, "digest": str(theirs.digest), "size": theirs.manifest.size}
    turns = Turns(lambda: written(client, gated, subject, [brought]))
    async with connect(clock=turns.clock) as patient:
        ours = await attached(patient, gated, subject, "ours")
    assert digests(await gated.listed(subject)) == {str(each.digest) for each in (early, ours, theirs)}
    assert len(turns.waits) == 2


async def test_who_is_rightly_gone_is_not_brought_back(gated: Site, client: Client) -> None:
    """What is detached while we wait stays away."""
    subject = await image_in(client, gated.repository)
    early = await attached(client, gated, subject, "early")
    async with connect(clock=Turns().clock) as other:
        turns = Turns(lambda: unwrap(detach(other, f"{gated.repository}@{early.digest}")))
        async with connect(clock=turns.clock) as patient:
            ours = await attached(patient, gated, subject, "ours")
    assert digests(await gated.listed(subject)) == {str(ours.digest)}


async def test_what_is_detached_does_not_come_back_with_an_old_list(gated: Site, client: Client) -> None:
    """Somebody writes what they read before: the manifest is gone, so its entry goes too."""
    assert gated.gate is not None
    subject = await image_in(client, gated.repository)
    gone, stays = [await attached(client, gated, subject, kind) for kind in ("gone", "stays")]
    before = await gated.listed(subject)

    async def an_old_list(method: str, path: str) -> None:
        if method == "DELETE":
            await written(client, gated, subject, before)

    gated.gate.before = an_old_list
    await unwrap(detach(client, f"{gated.repository}@{gone.digest}"))
    assert digests(await gated.listed(subject)) == {str(stays.digest)}


async def test_who_always_writes_over_us_wins_in_the_end(gated: Site, client: Client) -> None:
    """Two that never agree must not write for ever: it is told, with what was to be there and what is."""
    assert gated.gate is not None
    subject = await image_in(client, gated.repository)
    await written(client, gated, subject, [])
    turns = Turns(lambda: written(client, gated, subject, []), always=True)
    async with connect(clock=turns.clock) as patient:
        out = await settle(attach(patient, f"{gated.repository}@{subject.digest}", []))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Conflict)
    assert out.error.reason.expected != out.error.reason.found
    assert len(turns.waits) == ROUNDS_LIMIT


async def test_what_others_have_written_into_the_list_stays(gated: Site, client: Client) -> None:
    """Fields that we do not know, in an entry or in the list, are somebody's."""
    subject = await image_in(client, gated.repository)
    await attached(client, gated, subject, "a")
    [entry] = await gated.listed(subject)
    foreign = {**entry, "org.example.unknown": [1.50, "é"], "data": "e30="}
    await written(client, gated, subject, [foreign, entry], annotations={"who": "they"}, more={"x": None})
    await attached(client, gated, subject, "b")
    index = json.loads((await gated.get(f"manifests/{fallback(subject)}", Accept=INDEX)).body)
    assert (index["annotations"], index["more"]) == ({"who": "they"}, {"x": None})
    assert [each for each in index["manifests"] if each["digest"] == entry["digest"]] == [foreign]
    assert len(index["manifests"]) == 2


async def test_a_tag_that_is_no_list_is_not_written_over(gated: Site, client: Client) -> None:
    """It is somebody's image that is called so; that is told, and the image stays."""
    subject = await image_in(client, gated.repository)
    image = await unwrap(get_manifest(client, f"{gated.repository}:1.0"))
    await unwrap(put_manifest(client, f"{gated.repository}:{fallback(subject)}", image))
    out = await settle(attach(client, f"{gated.repository}:1.0", []))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, MalformedDocument)
    assert (await gated.get(f"manifests/{fallback(subject)}", Accept="*/*")).body == image.raw


async def test_entries_whose_manifests_are_gone_do_not_stop_others(real_registry: RealRegistry, client: Client) -> None:
    """Registries refuse a list of what they do not have: what was deleted without being detached goes from the list."""
    site = Site(real_registry.host, f"dead-{uuid.uuid4().hex[:12]}")
    subject = await image_in(client, site.repository)
    dead, alive = [await attached(client, site, subject, kind) for kind in ("dead", "alive")]
    await unwrap(delete_manifest(client, f"{site.repository}@{dead.digest}"))
    ours = await attached(client, site, subject, "ours")
    assert digests(await site.listed(subject)) == {str(each.digest) for each in (alive, ours)}


async def test_a_lost_answer_is_read_from_the_list(gated: Site) -> None:
    """The write was done, and nobody knows: the list says so, and it is not written twice."""
    assert gated.embedded is not None
    assert gated.gate is not None
    clock = InstantClock()
    async with connect(clock=clock.clock) as client:
        direct = replace(gated, host=gated.embedded.host, gate=None)
        subject = await image_in(client, direct.repository)
        tag = fallback(subject)
        gated.embedded.set_faults(Fault(Drop(late=True), method="PUT", path=tag, nth=(1,)))
        ours = await attached(client, gated, subject, "a")
    assert digests(await gated.listed(subject)) == {str(ours.digest)}


@pytest.mark.parametrize(("status", "reason"), [(503, ServerFault), (403, Denied), (400, Refused)])
async def test_a_registry_that_does_not_take_the_list_is_told(status: int, reason: type, gated: Site) -> None:
    """After as many attempts as the settings allow, and at once where another attempt would be of no use."""
    assert gated.embedded is not None
    async with connect(Settings(retries=2), clock=InstantClock().clock) as client:
        subject = await image_in(client, gated.repository)
        tag = fallback(subject)
        gated.embedded.set_faults(Fault(Answer(status), method="PUT", path=tag))
        out = await settle(attach(client, f"{gated.repository}@{subject.digest}", []))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, reason)
    asked = [seen for seen in gated.embedded.requests if seen.method == "PUT" and tag in seen.path]
    assert len(asked) == (3 if status == 503 else 1)
