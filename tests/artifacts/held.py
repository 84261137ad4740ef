"""A process that has staged a file in a folder, and hangs: run as `python -m tests.artifacts.held FOLDER`."""

import asyncio
import sys

from returns.result import Success

from registry_fp import unwrap
from registry_fp.archive.artifact_folder import OpenFolder, stage, with_folder
from registry_fp.effect.operation import Op
from registry_fp.protocol.message import Chunks


async def _content() -> Chunks:
    yield Success(b"half of it")
    sys.stdout.write("staged\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _staged(folder: OpenFolder) -> Op[None]:
    return stage(folder, "0", _content())


if __name__ == "__main__":
    asyncio.run(unwrap(with_folder(sys.argv[1], _staged)))
