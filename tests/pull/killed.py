"""A pull that tells of every blob that is done: `python -m tests.pull.killed NAME PATH`. Whoever starts it kills it."""

import asyncio
import sys

from registry_fp import BlobDone, connect, docker_save, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.pull import PullOptions, pull


async def main(name: str, path: str) -> None:
    """One line for each blob, at once."""

    def watch(event: object) -> None:
        if isinstance(event, BlobDone):
            print(event.outcome, flush=True)  # noqa: T201  for whoever started it

    to = oci_layout(path) if "layout" in path else docker_save(path)
    async with connect() as client:
        await unwrap(pull(client, name, to, options=PullOptions(concurrency=1, on_event=watch)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
