"""One copy in a process of its own, and what it costs: `python -m tests.scale.measured_copy SOURCE TARGET`.

It writes one JSON object: how it ended (a digest, or an error's line), the bytes that were moved, and how much the
process grew over an idle client at its peak, in bytes.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from registry_fp import Ok, connect, describe, ping, read_settings, settle
from registry_fp.pipelines.copy import copy


@dataclass(frozen=True, slots=True)
class Cost:
    """What one copy cost."""

    ended: str
    moved: int
    grown: int


def measured_copy(source: str, target: str) -> Cost:
    """Copy in a fresh interpreter, without a cache."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.measured_copy", source, target],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Cost(**json.loads(done.stdout))


async def _measured(source: str, target: str) -> dict[str, object]:
    async with connect(read_settings(cache=False, retries=0).unwrap()) as client:
        for name in (source, target):
            await settle(ping(client, name.partition("/")[0]))
        # From here on the peak is the copy's own (proc(5), clear_refs).
        await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5", "ascii")
        before = _peak()
        out = await settle(copy(client, source, target))
        grown = _peak() - before
    ended, moved = (str(out.value.digest), out.value.moved) if isinstance(out, Ok) else (describe(out.error), 0)
    return {"ended": ended, "moved": moved, "grown": grown}


def _peak() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured(*sys.argv[1:]))))  # noqa: T201  for whoever started it
