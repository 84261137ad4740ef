"""A source that stops giving bytes: the target's session must not wait for it for ever, and is not to blame."""

from __future__ import annotations

import asyncio

from registry_fp import TimedOut, connect, copy, settle
from registry_fp.effect.exits import Err, Ok
from registry_fp.testing import EmbeddedRegistry, Fault, Stall
from tests.copy import made
from tests.faults.image import settings
from tests.transport.clocks import InstantClock

IMAGE = made.image(made.layer("a", 300_000))
LIMITS = settings(answer_timeout=0.4, idle_timeout=0.4)


async def test_a_stalled_source_ends_the_upload_and_is_named() -> None:
    """A registry holds a session for hours; who could keep a thousand of them open would need no bytes for it."""
    async with (
        EmbeddedRegistry() as source,
        EmbeddedRegistry() as target,
        connect(LIMITS, clock=InstantClock().clock) as client,
    ):
        await asyncio.to_thread(made.put, source.host, "app", IMAGE, "1.0")
        largest = max(IMAGE.blobs, key=lambda digest: len(IMAGE.blobs[digest]))
        stalled = Fault(Stall(after=100_000), method="GET", path=largest, nth=(1,))
        source.set_faults(stalled, Fault(Stall(), method="GET", path=largest))
        source.reset_counts()
        out = await settle(copy(client, f"{source.host}/app:1.0", f"{target.host}/goal:1.0"))
        assert isinstance(out, Err)
        assert (out.error.doing, out.error.target) == ("get_blob", f"{source.host}/app@{largest}")
        assert isinstance(out.error.reason, TimedOut)
        asked = [each for each in source.requests if largest in each.path and each.method == "GET"]
        sessions = [each for each in target.requests if each.method == "POST"]
        assert len(asked) <= 2 * len(sessions)  # a source that is asked again and again is not so in one session
        assert target.counts().uploads_open == 0


async def test_a_source_that_stalls_once_goes_on_in_the_same_session() -> None:
    """What the target has of a large layer is not sent again because the source was out of breath."""
    async with (
        EmbeddedRegistry() as source,
        EmbeddedRegistry() as target,
        connect(LIMITS, clock=InstantClock().clock) as client,
    ):
        await asyncio.to_thread(made.put, source.host, "app", IMAGE, "1.0")
        largest = max(IMAGE.blobs, key=lambda digest: len(IMAGE.blobs[digest]))
        source.set_faults(Fault(Stall(after=100_000), method="GET", path=largest, nth=(1,)))
        out = await settle(copy(client, f"{source.host}/app:1.0", f"{target.host}/goal:1.0"))
        assert isinstance(out, Ok)
        await asyncio.to_thread(made.check, target.host, "goal", IMAGE, "1.0")
        assert len([each for each in target.requests if each.method == "POST"]) == len(IMAGE.blobs)
