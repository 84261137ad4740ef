"""A copy that is struck at any of its requests, or cancelled after any of them, on either side."""

from __future__ import annotations

import asyncio

import pytest

from registry_fp import Client, Copied, Err, Ok, RegistryError, connect, copy, settle
from registry_fp.testing import Answer, Drop, DropAfter, EmbeddedRegistry, Fault, Stall
from registry_fp.testing.faults import Action
from tests.copy import made
from tests.faults.image import settings
from tests.transport.clocks import InstantClock

IMAGE = made.index(
    made.image(made.layer("a", 90_000), made.layer("b", 5_000), platform="linux/amd64"),
    made.image(made.layer("a", 90_000), platform="linux/arm64"),
)
_MOST = 40  # more requests than either side sees

STRIKES: dict[str, Action] = {
    "503": Answer(503),
    "429": Answer(429, {"Retry-After": "2"}),
    "dropped": Drop(),
    "dropped late": Drop(late=True),
    "cut": DropAfter(1_000),
    "stalled": Stall(after=1_000),
}


def begun(
    client: Client, source: EmbeddedRegistry, target: EmbeddedRegistry
) -> asyncio.Task[Ok[Copied] | Err[RegistryError]]:
    """A copy in a task of its own."""
    return asyncio.ensure_future(settle(copy(client, f"{source.host}/app:1.0", f"{target.host}/goal:1.0")))


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("strike", STRIKES)
async def test_one_fault_anywhere_is_survived(side: str, strike: str) -> None:
    """Whatever it is, and whichever request it befalls: the image arrives whole, and nothing stays open."""
    for nth in range(1, _MOST):
        async with EmbeddedRegistry() as source, EmbeddedRegistry() as target:
            limits = settings(answer_timeout=0.5, idle_timeout=0.5) if strike == "stalled" else settings()
            async with connect(limits, clock=InstantClock().clock) as client:
                await asyncio.to_thread(made.put, source.host, "app", IMAGE, "1.0")
                struck = source if side == "source" else target
                struck.reset_counts()
                struck.set_faults(Fault(STRIKES[strike], nth=(nth,)))
                out = await begun(client, source, target)
                seen = struck.counts().requests
                struck.set_faults()
                assert isinstance(out, Ok), (nth, out)
                await asyncio.to_thread(made.check, target.host, "goal", IMAGE, "1.0")
                assert target.counts().uploads_open <= (1 if strike == "dropped late" else 0)
        if seen < nth:
            return
    pytest.fail("there are more requests than were struck")


@pytest.mark.parametrize("side", ["source", "target"])
async def test_a_copy_that_is_cancelled_after_any_request_leaves_nothing_open(side: str) -> None:
    """Neither a session at the target, nor a connection, a task or a slot; and the next copy finishes."""
    for nth in range(1, _MOST):
        async with (
            EmbeddedRegistry() as source,
            EmbeddedRegistry() as target,
            connect(settings(), clock=InstantClock().clock) as client,
        ):
            await asyncio.to_thread(made.put, source.host, "app", IMAGE, "1.0")
            watched = source if side == "source" else target
            watched.reset_counts()
            job = begun(client, source, target)
            while not job.done() and watched.counts().requests < nth:  # noqa: ASYNC110  no event tells it
                await asyncio.sleep(0)
            job.cancel()
            done, _ = await asyncio.wait({job}, timeout=10.0)
            assert done
            finished = not job.cancelled()
            assert target.counts().uploads_open == 0, nth
            assert isinstance(await begun(client, source, target), Ok)
            await asyncio.to_thread(made.check, target.host, "goal", IMAGE, "1.0")
        if finished:
            return
    pytest.fail("there are more requests than were waited for")
