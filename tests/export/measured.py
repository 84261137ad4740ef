"""How much a process grows for one export: `python -m tests.export.measured NAME PATH` writes the bytes at its peak."""

import asyncio
import sys
from pathlib import Path

from registry_fp import connect, ping, read_settings, settle, unwrap
from registry_fp.pipelines.export import export_files


async def grown(name: str, to: str) -> int:
    """Export, and watch the process from inside."""
    async with connect(read_settings(cache=False, retries=0).unwrap()) as client:
        await settle(ping(client, name.partition("/")[0]))
        # From here on the peak is the export's own (proc(5), clear_refs).
        await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5", "ascii")
        before = _peak()
        await unwrap(export_files(client, name, to))
        return _peak() - before


def _peak() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(asyncio.run(grown(*sys.argv[1:])))  # noqa: T201  for whoever started it
