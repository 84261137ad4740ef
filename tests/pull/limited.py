"""A pull that may not write large files: `python -m tests.pull.limited BYTES NAME PATH`; it exits as the error does."""

import asyncio
import errno
import resource
import sys

from registry_fp import connect, docker_save, settle
from registry_fp.archive.source import oci_layout
from registry_fp.domain.errors import LocalIo
from registry_fp.effect.exits import Err
from registry_fp.pipelines.pull import pull


async def main(limit: str, name: str, path: str) -> int:
    """74, as for every failure of the disk, or 1 for anything else."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    async with connect() as client:
        out = await settle(pull(client, name, oci_layout(path) if "layout" in path else docker_save(path)))
    full = isinstance(out, Err) and isinstance(out.error.reason, LocalIo) and out.error.reason.errno == errno.EFBIG
    return 74 if full else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
