"""An export in a process of its own: `python -m tests.export.program NAME PATH`. Whoever starts it kills it."""

import asyncio
import sys

from registry_fp import connect, unwrap
from registry_fp.pipelines.export import export_files


async def main(name: str, path: str) -> None:
    """Export, whatever happens to the process."""
    async with connect() as client:
        await unwrap(export_files(client, name, path))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
