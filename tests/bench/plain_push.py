"""The push of the README in a process of its own: `python -m tests.bench.plain_push ARCHIVE TARGET`."""

import asyncio
import sys

from registry_fp import connect, docker_save, push, read_settings, unwrap


async def main(archive: str, target: str) -> None:
    """Push; the cache is off, so that each run is a first one."""
    async with connect(read_settings(cache=False).unwrap()) as client:
        await unwrap(push(client, docker_save(archive), target))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
