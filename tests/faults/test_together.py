"""Pushes at the same time: each blob goes once, and nobody's failure is anybody else's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from registry_fp import Client, PushOptions, connect, docker_save, push
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.testing import Answer, Drop, DropAfter, EmbeddedRegistry, Fault, Stall
from tests.faults.image import Archive, settings, write_mixed
from tests.faults.outcome import TAG, Outcome, check, lost_sessions, until
from tests.transport.clocks import HeldClock, InstantClock


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Archive]:
    """Two images; read only."""
    folder = tmp_path_factory.mktemp("together")
    return write_mixed(folder / "0.tar"), write_mixed(folder / "1.tar", seed=1)


def begun(client: Client, archive: Archive, registry: EmbeddedRegistry, path: str = "app") -> asyncio.Task[Outcome]:
    """A push in a task of its own."""
    options = PushOptions(concurrency=2)
    target = f"{registry.host}/{path}:{TAG}"
    return asyncio.ensure_future(settle(push(client, docker_save(archive.path), target, options=options)))


def has_seen(registry: EmbeddedRegistry, method: str, times: int = 1) -> bool:
    """Whether such a request has come so often."""
    return sum(each.method == method for each in registry.requests) >= times


@pytest.mark.parametrize("many", [2, 8])
async def test_the_same_image_pushed_at_the_same_time_goes_once(archives: tuple[Archive, Archive], many: int) -> None:
    """Sixteen jobs of one build push the same base image within a second."""
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        outs = await asyncio.gather(*(begun(client, archives[0], registry) for _ in range(many)))
        counts = registry.counts()
        assert (counts.by_method["PATCH"], counts.by_endpoint["end-6"]) == (2, 4)
        for out in outs:
            assert isinstance(out, Ok)
            await check(registry, "app", archives[0].saved, out)
        sent = [out.value.sent for out in outs if isinstance(out, Ok)]
        assert sum(sent) == counts.blob_bytes_in


@pytest.mark.parametrize("at", ["PATCH", "PUT", "POST", "HEAD"])
async def test_who_waits_for_a_push_that_is_cancelled_goes_on_alone(archives: tuple[Archive, Archive], at: str) -> None:
    """One user presses Ctrl-C; the others must not see it."""
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        registry.set_faults(Fault(Stall(), method=at, nth=(1,)))
        leader = begun(client, archives[0], registry)
        await until(leader, lambda: has_seen(registry, at))
        follower = begun(client, archives[0], registry)
        for _ in range(20):
            await asyncio.sleep(0)
        registry.set_faults()
        leader.cancel()
        await asyncio.wait({leader})
        assert leader.cancelled()
        out = await follower
        assert isinstance(out, Ok)
        await check(registry, "app", archives[0].saved, out)


@pytest.mark.parametrize("at", ["PATCH", "POST"])
async def test_who_waits_for_a_push_that_fails_goes_on_alone(archives: tuple[Archive, Archive], at: str) -> None:
    """What one was refused, the other may still be allowed."""
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        registry.set_faults(Fault(Answer(403), method=at, nth=(1,)))
        leader = begun(client, archives[0], registry)
        follower = begun(client, archives[0], registry)
        first, second = await asyncio.gather(leader, follower)
        outs = sorted((first, second), key=lambda out: isinstance(out, Ok))
        assert isinstance(outs[0], Err)
        assert isinstance(outs[0].error.reason, why.Denied)
        assert isinstance(outs[1], Ok)
        await check(registry, "app", archives[0].saved, outs[1])


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(Answer(503), method="PATCH", nth=(1, 2, 3)), Fault(Drop(late=True), endpoint="end-6", nth=(1, 3))],
        [
            Fault(DropAfter(40_000), method="PATCH", nth=(1, 3)),
            Fault(Answer(429, {"Retry-After": "3"}), nth=(4, 9, 20)),
        ],
        [Fault(Answer(404), endpoint="end-6", nth=(1, 2)), Fault(Drop(), endpoint="end-7", nth=(1, 2))],
    ],
)
async def test_eight_pushes_of_two_images_to_two_repositories_all_arrive_through_faults(
    archives: tuple[Archive, Archive], faults: list[Fault]
) -> None:
    """A busy service and a bad day: mounts, shared blobs, faults and waiting, all at the same time."""
    async with EmbeddedRegistry(faults=faults) as registry, connect(settings(), clock=InstantClock().clock) as client:
        jobs = [(archives[n % 2], f"team/{n % 4}-{n % 2}") for n in range(8)]
        outs = await asyncio.gather(*(begun(client, archive, registry, path) for archive, path in jobs))
        registry.set_faults()
        assert registry.counts().uploads_open <= lost_sessions(registry.requests)
        for (archive, path), out in zip(jobs, outs, strict=True):
            assert isinstance(out, Ok), out
            await check(registry, path, archive.saved, out, orphans=lost_sessions(registry.requests))


async def test_a_registry_that_restarts_in_the_middle_gets_the_whole_image(
    archives: tuple[Archive, Archive], tmp_path: Path
) -> None:
    """An update of the registry takes seconds: its sessions are lost, its blobs are not."""
    time = HeldClock()
    async with connect(settings(), clock=time.clock) as client:
        async with EmbeddedRegistry(tmp_path) as before:
            before.set_faults(Fault(Stall(1000), method="PATCH", nth=(2,)))
            host, job = before.host, begun(client, archives[0], before)
            await until(job, lambda: has_seen(before, "PATCH", 2))
        await time.asleep(1)  # it has noticed, and waits before it tries again
        async with EmbeddedRegistry(tmp_path, port=int(host.rpartition(":")[2])) as after:
            await until(job, lambda: time.move(20.0))
            out = await job
            assert isinstance(out, Ok), out
            await check(after, "app", archives[0].saved, out)
