"""A program that leaves a registry in the worst state a client can, and ends it.

Run as `python -m tests.testing.untidy DIRECTORY`; it must say nothing.
"""

import asyncio
import hashlib
import logging
import socket
import sys
from pathlib import Path

from registry_fp.testing import EmbeddedRegistry, Fault, Stall, running_registry

BLOB = bytes(8_000_000)  # more than the buffers of a connection hold
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
STALLED = [Fault(Stall(), endpoint="end-1")]


def ask(registry: EmbeddedRegistry, line: str, body: bytes = b"", length: int = 0) -> socket.socket:
    """A connection that has sent a request and read nothing."""
    address, _, port = registry.host.partition(":")
    plain = socket.create_connection((address, int(port)))
    plain.sendall(f"{line} HTTP/1.1\r\nHost: {registry.host}\r\nContent-Length: {length}\r\n\r\n".encode() + body)
    return plain


def untidy(registry: EmbeddedRegistry) -> list[socket.socket]:
    """Connections left open in every state, and downloads abandoned in the middle."""
    with ask(registry, f"POST /v2/app/blobs/uploads/?digest={DIGEST}", BLOB, len(BLOB)) as pushed:
        pushed.recv(4000)
    opened = [ask(registry, "POST /v2/app/blobs/uploads/")]
    location = opened[0].recv(4000).decode().partition("Location: ")[2].partition("\r\n")[0]
    download = f"GET /v2/app/blobs/{DIGEST}"
    opened += [ask(registry, "GET /v2/"), ask(registry, f"PATCH {location}", b"xyz", 9000), ask(registry, download)]
    for _ in range(20):
        with ask(registry, download) as abandoned:
            abandoned.recv(100)
    while registry.counts().in_flight < 3:
        pass
    return opened


async def in_the_running_loop(root: Path) -> None:
    """The registry must leave no task."""
    async with EmbeddedRegistry(root, faults=STALLED) as registry:
        opened = await asyncio.to_thread(untidy, registry)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left
    for plain in opened:
        plain.close()


def in_a_thread(root: Path) -> None:
    """The registry must leave no thread: one that is left would keep the program from ending."""
    with running_registry(root, faults=STALLED) as registry:
        opened = untidy(registry)
    for plain in opened:
        plain.close()


if __name__ == "__main__":
    # Python's development mode warns of slow callbacks; on a busy machine everything is slow.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    in_a_thread(Path(sys.argv[1]))
    asyncio.run(in_the_running_loop(Path(sys.argv[1])))
