"""Leaving: whatever happens during an examination, the registry has afterwards what it had before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_fp import Client, Settings, anonymous, connect, doctor, settle
from registry_fp.testing import Answer, Drop, EmbeddedRegistry, Fault, NotStored, running_registry
from tests.doctor.ward import census, examined, files, found, seen, stocked

QUESTIONS = 32
"""More than an examination asks."""

ENDPOINTS = [f"end-{number}" for number in range(2, 15)]


@pytest.mark.parametrize("number", range(1, QUESTIONS))
async def test_who_is_cancelled_leaves_nothing(number: int, client: Client, tmp_path: Path) -> None:
    """At each of the questions, when the registry has done what it was asked, and nobody has heard of it yet."""
    with running_registry(tmp_path) as plain:
        stocked(plain.host)
    before = files(tmp_path)
    async with EmbeddedRegistry(tmp_path) as registry:
        job = asyncio.ensure_future(settle(doctor(client, f"{registry.host}/team/app")))
        while not job.done() and len(registry.requests) < number:  # noqa: ASYNC110  a registry sets no event of ours
            await asyncio.sleep(0)
        job.cancel()
        await asyncio.wait({job})
        assert job.cancelled() or number > len(registry.requests)
        assert files(tmp_path) == before
        assert registry.counts().uploads_open == 0


@pytest.mark.parametrize("action", [Drop(late=True), Answer(500, late=True), Answer(504, late=True)])
@pytest.mark.parametrize("endpoint", ["end-6", "end-7"])
async def test_what_was_stored_without_a_word_is_deleted_too(
    endpoint: str, action: Drop | Answer, client: Client, tmp_path: Path
) -> None:
    """A connection that breaks, or a proxy that gives up, after the registry has acted, and before it could say so."""
    with running_registry(tmp_path) as registry:
        place = stocked(registry.host)
        before = files(tmp_path)
        registry.set_faults(Fault(action, endpoint=endpoint))
        diagnosis = await examined(client, place)
        assert files(tmp_path) == before
        assert registry.counts().uploads_open == 0
    assert found(diagnosis, "traces").told == "everything that was stored was deleted again"


async def test_what_was_not_stored_in_spite_of_its_word_is_no_trace(client: Client, tmp_path: Path) -> None:
    """A registry that answers 201 and keeps nothing."""
    with running_registry(tmp_path) as registry:
        place = stocked(registry.host)
        before = files(tmp_path)
        registry.set_faults(Fault(NotStored(), endpoint="end-6"))
        diagnosis = await examined(client, place)
        assert files(tmp_path) == before
    assert (found(diagnosis, "ranges").verdict, found(diagnosis, "traces").verdict) == ("unknown", "yes")


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault(Answer(403), endpoint="end-10", nth=(2,)), ["the blob"]),
        (Fault(Answer(500), endpoint="end-10", nth=(2,)), ["the blob"]),
        (Fault(Answer(405), endpoint="end-9", nth=(3,)), ["the manifest", "the blob"]),
    ],
)
async def test_what_had_to_stay_is_named(fault: Fault, left: list[str], client: Client) -> None:
    """Whoever may delete what is not there may not always delete what is."""
    with running_registry() as registry:
        place = stocked(registry.host)
        registry.set_faults(fault)
        diagnosis = await examined(client, place)
    traces = diagnosis.about("traces")
    assert [each.told.removeprefix("left behind: ").split(f" {place}")[0] for each in traces] == left
    assert all("@sha256:" in each.told for each in traces)


@given(
    statuses=st.dictionaries(
        st.sampled_from(ENDPOINTS), st.sampled_from([200, 201, 202, 204, 400, 401, 403, 404, 405, 416, 429, 500, 503])
    )
)
@settings(max_examples=60)
def test_whatever_is_answered_there_is_a_diagnosis_and_nothing_new(statuses: dict[str, int]) -> None:
    """Registries answer whatever they like; and what an examination cannot delete it does not begin, or names."""

    async def diagnosed() -> None:
        async with EmbeddedRegistry() as registry:
            place = await asyncio.to_thread(stocked, registry.host)
            before = await asyncio.to_thread(census, registry.host)
            faults = [Fault(Answer(status), endpoint=endpoint) for endpoint, status in statuses.items()]
            registry.set_faults(*faults)
            async with connect(Settings(cache=False, retries=0), keychain=anonymous) as client:
                diagnosis = await examined(client, place)
            registry.set_faults()
            is_clean = "no" not in {each.verdict for each in diagnosis.about("traces")}
            # What answers that it has deleted something, and has not, is beyond help.
            honest = not {"end-9", "end-10"} & statuses.keys()
            assert not (is_clean and honest) or await asyncio.to_thread(census, registry.host) == before
            honest = "end-14" not in statuses and statuses.get("end-6") not in (201, 204)
            assert not honest or registry.counts().uploads_open == 0

    asyncio.run(diagnosed())


async def test_what_is_done_twice_is_done_twice(client: Client) -> None:
    """Two at once do not disturb one another: everything that they make has a name of its own."""
    with running_registry() as registry:
        place = stocked(registry.host)
        before = census(registry.host)
        one, other = await asyncio.gather(examined(client, place), examined(client, place))
        assert census(registry.host) == before
    assert seen(one) == seen(other)
