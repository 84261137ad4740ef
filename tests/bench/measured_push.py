"""One push in a process of its own, and what it costs: `python -m tests.bench.measured_push ARCHIVE TARGET`.

It writes one JSON object: how it ended, seconds, bytes sent, and how much the process grew over an idle client at its
peak (`grown`, bytes), and the longest that the event loop kept anybody waiting (`lag`, seconds; `own` is the most
processor time that the loop's thread itself took in one wait, so the rest of a lag is the machine's).
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

from registry_fp import Ok, connect, describe, docker_save, ping, push, read_settings, settle

_TICK = 0.005


async def measured(archive: str, target: str) -> dict[str, object]:
    """Push, and watch the process from inside."""
    lags, own = [0.0], [0.0]
    async with connect(read_settings(cache=False, retries=0).unwrap()) as client:
        await settle(ping(client, target.partition("/")[0]))
        # From here on the peak is the push's own (proc(5), clear_refs).
        await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5", "ascii")
        before, begun = _peak(), time.perf_counter()
        ticker = asyncio.create_task(_ticking(lags, own))
        try:
            out = await settle(push(client, docker_save(archive), target))
        finally:
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker
        seconds, grown = time.perf_counter() - begun, _peak() - before
    ended, sent = (str(out.value.digest), out.value.sent) if isinstance(out, Ok) else (describe(out.error), 0)
    return {"ended": ended, "seconds": seconds, "sent": sent, "grown": grown, "lag": max(lags), "own": max(own)}


async def _ticking(lags: list[float], own: list[float]) -> None:
    while True:
        begun, spent = time.perf_counter(), time.thread_time()
        await asyncio.sleep(_TICK)
        lags.append(time.perf_counter() - begun - _TICK)
        own.append(time.thread_time() - spent)


def _peak() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(*sys.argv[1:]))))  # noqa: T201  for whoever started it
