"""A proof in a process of its own that may write no byte to any file: `python -m tests.validate_remote.measured NAME`.

It prints one JSON object: how many bytes it proved, and how many bytes the process grew at its peak.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from registry_fp import connect, ping, read_settings, unwrap
from registry_fp.pipelines.validate_remote import validate_remote


async def main(name: str) -> None:
    """Prove it, with every write to a file forbidden by the kernel (a process that tries is ended by SIGXFSZ)."""
    async with connect(read_settings(cache=False, retries=0).unwrap()) as client:
        await unwrap(ping(client, name.partition("/")[0]))
        # From here on the peak is the proof's own (proc(5), clear_refs); the file of the kernel comes before the limit.
        await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5", "ascii")
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        before = _peak()
        found = await unwrap(validate_remote(client, name))
        print(json.dumps({"size": found.size, "grown": _peak() - before}))  # noqa: T201  for whoever started it


def _peak() -> int:
    return int(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
