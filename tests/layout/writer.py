"""A process that writes to a layout; run as `python -m tests.layout.writer FOLDER ...`.

add FOLDER NUMBER COUNT   COUNT images of one layer each, and one layer that every process writes
hang FOLDER               a blob of which the second half never comes
fill FOLDER BYTES         a blob that is larger than a file may be
"""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncGenerator

from returns.result import Result, Success

from registry_fp import Err, RegistryError, settle, unwrap
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.manifest import RawManifest, render_image_manifest
from registry_fp.effect.operation import Op
from registry_fp.pipelines.event import ignore
from registry_fp.pipelines.layout_store import layout_store
from registry_fp.protocol.message import Body


class Origin:
    """One blob's bytes."""

    name = "a test"
    repository = None

    def __init__(self, content: bytes, *, hang: bool = False) -> None:
        self._content = content
        self._hang = hang

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """There is none."""
        raise NotImplementedError("one blob, and no manifest: placing a blob asks for none")

    def body(self, wanted: Descriptor) -> Body:
        """The bytes in pieces, so that writers meet."""
        return Body(self._chunks, wanted.size)

    async def _chunks(self) -> AsyncGenerator[Result[bytes, RegistryError], None]:
        for start in range(0, len(self._content), 4096):
            yield Success(self._content[start : start + 4096])
            await asyncio.sleep(0)
            if self._hang and start > len(self._content) // 2:
                sys.stdout.write("half\n")
                sys.stdout.flush()
                await asyncio.Event().wait()


def named(content: bytes) -> Descriptor:
    """A layer's descriptor."""
    return Descriptor(media_type="application/vnd.oci.image.layer.v1.tar", digest=digest_of(content), size=len(content))


async def add(folder: str, number: str, count: str) -> None:
    """Images, each listed under a name of its own."""
    store = await unwrap(layout_store(folder))
    shared = bytes(300_000)
    for each in range(int(count)):
        content = f"{number} {each}".encode() * 1000
        for blob in (content, shared):
            await unwrap(store.place(named(blob), Origin(blob), ignore))
        manifest = render_image_manifest("oci", named(content), (named(content), named(shared)))
        await unwrap(store.store(manifest, f"{number}.{each}"))


async def hang(folder: str) -> None:
    """Half a blob."""
    store = await unwrap(layout_store(folder))
    content = bytes(4_000_000)
    await unwrap(store.place(named(content), Origin(content, hang=True), ignore))


async def fill(folder: str, size: str) -> None:
    """More than fits."""
    store = await unwrap(layout_store(folder))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size) // 2, int(size) // 2))
    content = os.urandom(int(size))
    done = await settle(store.place(named(content), Origin(content), ignore))
    assert isinstance(done, Err)
    sys.stdout.write(f"{done.error.reason}\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["add", folder, number, count]:
            asyncio.run(add(folder, number, count))
        case ["hang", folder]:
            asyncio.run(hang(folder))
        case ["fill", folder, size]:
            asyncio.run(fill(folder, size))
        case _:
            sys.exit(64)
