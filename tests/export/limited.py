"""An export that may not write large files: `python -m tests.export.limited BYTES ARCHIVE PATH` says what failed."""

import asyncio
import resource
import sys

from registry_fp import LocalIo, connect, docker_save, settle
from registry_fp.effect.exits import Err
from registry_fp.pipelines.export import export_files


async def main(limit: str, archive: str, path: str) -> None:
    """The number and the path of the error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    async with connect() as client:
        out = await settle(export_files(client, docker_save(archive), path))
    if isinstance(out, Err) and isinstance(out.error.reason, LocalIo):
        print(out.error.reason.errno, out.error.reason.path)  # noqa: T201  for whoever started it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
