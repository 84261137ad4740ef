"""A pull or a copy in a process of its own: `python -m tests.bench.pull_plain KIND FROM TO`."""

import asyncio
import sys

from registry_fp import connect, docker_save, read_settings, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.copy import copy
from registry_fp.pipelines.pull import pull


async def main(kind: str, name: str, to: str) -> None:
    """Do one of them; the cache is off, so that each run is a first one."""
    async with connect(read_settings(cache=False).unwrap()) as client:
        if kind == "copy":
            await unwrap(copy(client, name, to))
        else:
            await unwrap(pull(client, name, docker_save(to) if kind == "docker" else oci_layout(to)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
