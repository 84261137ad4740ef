"""A copy in a process of its own that may write no byte to any file: `python -m tests.copy.bounded_copy SOURCE TARGET`.

It prints one JSON object: how many bytes it moved, and how many bytes the process grew over an idle client at its peak.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from registry_fp import connect, copy, ping, read_settings, unwrap


async def main(source: str, target: str) -> None:
    """Copy, with every write to a file forbidden by the kernel (a process that tries is ended by SIGXFSZ)."""
    async with connect(read_settings(cache=False).unwrap()) as client:
        for name in (source, target):
            await unwrap(ping(client, name.partition("/")[0]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        before = _memory("VmRSS")
        copied = await unwrap(copy(client, source, target))
        print(json.dumps({"moved": copied.moved, "grown": _memory("VmHWM") - before}))  # noqa: T201  for whoever started it


def _memory(name: str) -> int:
    return int(Path("/proc/self/status").read_text("ascii").partition(f"{name}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
