"""One pull in a process of its own, and how much it grew: `python -m tests.bench.pull_measured NAME PATH`.

It writes how many bytes the process grew at its peak over an idle client.
"""

import asyncio
import sys
from pathlib import Path

from registry_fp import connect, docker_save, ping, read_settings, settle, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.pull import pull


async def grown(name: str, to: str) -> int:
    """Pull, and watch the process from inside."""
    async with connect(read_settings(cache=False, retries=0).unwrap()) as client:
        await settle(ping(client, name.partition("/")[0]))
        # From here on the peak is the pull's own (proc(5), clear_refs).
        await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5", "ascii")
        before = _peak()
        await unwrap(pull(client, name, oci_layout(to) if "layout" in to else docker_save(to)))
        return _peak() - before


def _peak() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(asyncio.run(grown(*sys.argv[1:])))  # noqa: T201  for whoever started it
