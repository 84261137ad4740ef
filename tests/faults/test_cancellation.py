"""Cancellation: at every step of a push, promptly, and with nothing left in the registry or in the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import pytest

from registry_fp import Client, PushOptions, connect, docker_save, mount_blob, push, put_blob
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import DeadlineExceeded, RegistryError
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op
from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing import EmbeddedRegistry, Fault, Stall
from tests.faults.image import Archive, settings, write_mixed
from tests.faults.outcome import TAG, Outcome, check, until
from tests.faults.test_one_fault import COLD
from tests.transport.clocks import InstantClock


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The image; read only."""
    return write_mixed(tmp_path_factory.mktemp("cancellation") / "app.tar")


def begun(client: Client, archive: Archive, registry: EmbeddedRegistry, concurrency: int = 1) -> asyncio.Task[Outcome]:
    """A push in a task of its own."""
    options = PushOptions(concurrency=concurrency)
    return asyncio.ensure_future(
        settle(push(client, docker_save(archive.path), f"{registry.host}/app:{TAG}", options=options))
    )


def _has_seen(registry: EmbeddedRegistry, requests: int) -> bool:
    return registry.counts().requests >= requests


async def cancelled(job: asyncio.Task[Outcome], *, times: int = 1) -> None:
    """Cancel, perhaps again while the first one is being obeyed; it ends, and soon."""
    loop = asyncio.get_running_loop()
    asked = loop.time()
    for _ in range(times):
        job.cancel()
        await asyncio.sleep(0)
    done, _ = await asyncio.wait({job}, timeout=10.0)
    assert done, "it does not end"
    assert loop.time() - asked < 3.0
    assert job.cancelled() or isinstance(job.result(), Ok)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_push_that_is_cancelled_after_any_request_leaves_nothing(
    archive: Archive, concurrency: int, times: int
) -> None:
    """The answer is on its way: also that to a POST, whose session nobody knows yet."""
    for nth in range(1, COLD + 1):
        async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
            job = begun(client, archive, registry, concurrency)
            await until(job, partial(_has_seen, registry, nth))
            await cancelled(job, times=times)
            await check(registry, "app", archive.saved, await _outcome(job))


async def test_a_push_that_is_cancelled_during_any_request_leaves_nothing(archive: Archive) -> None:
    """The registry has stopped in the middle of it: neither it nor the session must hold us up for long."""
    limits = settings(answer_timeout=0.3, idle_timeout=0.3)
    for nth in range(1, COLD + 1):
        async with EmbeddedRegistry() as registry, connect(limits, clock=InstantClock().clock) as client:
            registry.set_faults(Fault(Stall(), nth=(nth,)))
            job = begun(client, archive, registry)
            await until(job, partial(_has_seen, registry, nth))
            await cancelled(job)
            await check(registry, "app", archive.saved, await _outcome(job))


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_push_that_is_cancelled_at_any_step_leaves_nothing(archive: Archive, concurrency: int) -> None:
    """Not only where requests begin and end: also while a thread reads, a chunk waits, a clean-up runs."""
    steps = 0
    finished = False
    while not finished:
        steps += 11
        async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
            job = begun(client, archive, registry, concurrency)
            for _ in range(steps):
                await asyncio.sleep(0)
            finished = job.done() or steps > 600
            await cancelled(job)
            await check(registry, "app", archive.saved, await _outcome(job))


BLOBS: Final[Mapping[str, Callable[[Client, str], Op[object]]]] = {
    "put": lambda client, host: put_blob(client, f"{host}/app", b"content"),
    "mount": lambda client, host: mount_blob(client, f"{host}/app", digest_of(b"content"), source=f"{host}/base"),
}


@pytest.mark.parametrize("what", BLOBS)
async def test_a_blob_that_is_cancelled_leaves_no_session(what: str) -> None:
    """A session whose answer was on its way is taken back by who asked for it: nobody else knows where it is."""
    for nth in (1, 2):
        async with (
            EmbeddedRegistry(profile=RegistryProfile(mount="opens")) as registry,
            connect(settings(), clock=InstantClock().clock) as client,
        ):
            job = asyncio.ensure_future(settle(BLOBS[what](client, registry.host)))
            while not job.done() and not _has_seen(registry, nth):  # noqa: ASYNC110  a registry sets no event of ours
                await asyncio.sleep(0)
            job.cancel()
            await asyncio.wait({job})
            assert registry.counts().uploads_open == 0


async def test_the_client_of_a_cancelled_push_is_as_good_as_new(archive: Archive) -> None:
    """A service goes on with it: no slot, no flight and no connection stays taken."""
    limits = settings(connections_per_host=1)
    async with EmbeddedRegistry() as registry, connect(limits, clock=InstantClock().clock) as client:
        for nth in (1, 3, 5, 9):
            registry.reset_counts()
            job = begun(client, archive, registry)
            await until(job, partial(_has_seen, registry, nth))
            await cancelled(job)
        await check(registry, "app", archive.saved, await begun(client, archive, registry))


async def _outcome(job: asyncio.Task[Outcome]) -> Outcome:
    """What came of it; a cancelled push is a failed one to whoever looks at the registry."""
    return Err(RegistryError("push", "app", DeadlineExceeded(0.0))) if job.cancelled() else await job
