"""What must hold after a push, whatever happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from registry_fp import Pushed
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, Ok
from registry_fp.testing import EmbeddedRegistry, SeenRequest
from tests.acceptance.reader import Reader, Saved

TAG = "1.0"
Outcome = Ok[Pushed] | Err[RegistryError]


async def check(registry: EmbeddedRegistry, path: str, saved: Saved, out: Outcome, *, orphans: int = 0) -> None:
    """A success is the whole image; a failure has no tag, or a whole image under it; no session is open any more.

    `orphans` are the sessions that nobody can know: the answer that named them was lost, or giving them up was refused.
    """
    registry.set_faults()
    assert registry.counts().uploads_open <= orphans, [
        (seen.method, seen.endpoint, seen.status) for seen in registry.requests
    ]
    reader = Reader(registry.host)
    if isinstance(out, Ok):
        stored = await asyncio.to_thread(reader.prove, path, TAG, saved)
        assert stored.digest == str(out.value.digest)
    elif TAG in await asyncio.to_thread(reader.tags, path):
        await asyncio.to_thread(reader.prove, path, TAG, saved)


async def until(job: asyncio.Task[Outcome], holds: Callable[[], bool]) -> None:
    """Let the loop turn until something is so, or the job is done; no event tells what a registry has seen."""
    while not job.done() and not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


def lost_sessions(seen: Sequence[SeenRequest]) -> int:
    """How many answers that name a session, or give one up, never came."""
    return sum(
        each.status is None if each.endpoint in {"end-4a", "end-11"} else each.status != 204
        for each in seen
        if each.endpoint in {"end-4a", "end-11", "end-14"}
    )
