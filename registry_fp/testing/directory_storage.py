"""The embedded registry's content in a directory: an OCI image layout with more beside it.

    oci-layout, index.json           as the image-spec has them; the index is written when the registry closes
    blobs/<algorithm>/<hex>          content, blobs and manifests alike
    repositories/<name>/_blobs/<algorithm>/<hex>         empty: the repository has this blob
    repositories/<name>/_manifests/<algorithm>/<hex>     the media type
    repositories/<name>/_tags/<tag>                      the digest
    uploads/                         content on its way in; emptied at the start

No component of a repository's name can start with an underscore, so names and links never meet. Every file is
written under another name and then renamed. One directory serves one registry at a time. Source: image-spec,
image-layout.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from errno import EEXIST
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, final
from uuid import uuid4

from returns.result import Success

from registry_fp.domain.digest import Digest, new_hasher, parse_digest
from registry_fp.domain.media_type import OCI_INDEX
from registry_fp.testing.storage import PIECE, Link, Sink

__all__ = ["DirectoryStorage"]

T = TypeVar("T")

_FOLDERS: Final = {"blob": "_blobs", "manifest": "_manifests", "tag": "_tags"}


@final
class DirectoryStorage:
    """Content in files, which a later registry on the same directory finds again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads: ThreadPoolExecutor | None = None

    async def open(self) -> tuple[Link, ...]:
        """Make the folders, empty `uploads`, and read every link.

        Raises `OSError`, also for a layout that somebody else made: its index would be overwritten.
        """
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="registry-storage")
        try:
            return await self.off_loop(self._opened)
        except BaseException:
            self._threads.shutdown()
            self._threads = None
            raise

    async def close(self) -> None:
        """Write `index.json` and end the threads."""
        threads, self._threads = self._threads, None
        if threads is not None:
            try:
                await asyncio.get_running_loop().run_in_executor(threads, self._write_index)
            finally:
                threads.shutdown()

    def new_sink(self, algorithm: str) -> Sink:
        """A file in `uploads`."""
        return _FileSink(self, self._root / "uploads" / uuid4().hex, algorithm)

    async def size(self, digest: Digest) -> int | None:
        """How many bytes the file has."""
        return await self.off_loop(lambda: _size(self.path_of(digest)))

    async def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes, `PIECE` at a time."""
        with ExitStack() as files:  # a caller cancelled while the file is being opened must not lose it
            source = await self.off_loop(lambda: files.enter_context(self.path_of(digest).open("rb")))
            source.seek(start)
            left = stop - start
            while left > 0 and (piece := await self.off_loop(partial(source.read, min(PIECE, left)))):
                left -= len(piece)
                yield piece

    async def forget(self, digest: Digest) -> None:
        """Remove the file."""
        await self.off_loop(lambda: self.path_of(digest).unlink(missing_ok=True))

    async def link(self, link: Link) -> None:
        """Write the link's file."""
        await self.off_loop(lambda: self._write(self._link_path(link), link.value.encode()))

    async def unlink(self, link: Link) -> None:
        """Remove the link's file."""
        await self.off_loop(lambda: self._link_path(link).unlink(missing_ok=True))

    def path_of(self, digest: Digest) -> Path:
        """Where content with this digest is."""
        return self._root / "blobs" / digest.algorithm / digest.hex

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Run file work in a thread, and to its end: a cancelled caller must not leave a write under way."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait((running,))
            raise

    def _link_path(self, link: Link) -> Path:
        folder = self._root / "repositories" / link.repository / _FOLDERS[link.kind]
        return folder / link.key.replace(":", "/", 1)

    def _opened(self) -> tuple[Link, ...]:
        if (self._root / "index.json").exists() and not (self._root / "repositories").exists():
            raise FileExistsError(EEXIST, "an OCI layout that no registry made", str(self._root))
        shutil.rmtree(self._root / "uploads", ignore_errors=True)
        for name in ("blobs", "uploads", "repositories"):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        self._write(self._root / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        self._write_index()
        return tuple(self._links())

    def _links(self) -> Iterator[Link]:
        repositories = self._root / "repositories"
        for file in sorted(path for path in repositories.rglob("*") if path.is_file()):
            parts = file.relative_to(repositories).parts
            at = next((n for n, part in enumerate(parts) if part in _FOLDERS.values()), None)
            if at is None:
                continue
            name, folder, key = "/".join(parts[:at]), parts[at], ":".join(parts[at + 1 :])
            for kind in ("blob", "manifest", "tag"):
                if _FOLDERS[kind] == folder and (kind == "tag" or isinstance(parse_digest(key), Success)):
                    yield Link(name, kind, key, file.read_text())

    def _write_index(self) -> None:
        links = tuple(self._links())
        types = {(link.repository, link.key): link.value for link in links if link.kind == "manifest"}
        entries: list[dict[str, Any]] = []
        for link in links:
            media_type = types.get((link.repository, link.value)) if link.kind == "tag" else None
            size = _size(self._root / "blobs" / link.value.replace(":", "/", 1)) if media_type is not None else None
            if size is not None:
                name = {"org.opencontainers.image.ref.name": f"{link.repository}:{link.key}"}
                entries.append({"mediaType": media_type, "digest": link.value, "size": size, "annotations": name})
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        self._write(self._root / "index.json", json.dumps(document).encode())

    def _write(self, path: Path, content: bytes) -> None:
        draft = self._root / "uploads" / uuid4().hex
        draft.write_bytes(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(path)


@final
class _FileSink:
    def __init__(self, storage: DirectoryStorage, path: Path, algorithm: str) -> None:
        self._storage = storage
        self._path = path
        self._algorithm = algorithm
        self._hasher = new_hasher(algorithm)
        self._file: BinaryIO | None = None
        self._size = 0

    async def append(self, piece: bytes) -> None:
        await self._storage.off_loop(lambda: self._append(piece))

    @property
    def size(self) -> int:
        return self._size

    async def digest(self, algorithm: str) -> Digest:
        if algorithm == self._algorithm:
            return Digest(algorithm, self._hasher.hexdigest())
        return Digest(algorithm, await self._storage.off_loop(lambda: self._rehashed(algorithm)))

    async def keep(self, digest: Digest) -> None:
        await self._storage.off_loop(lambda: self._keep(self._storage.path_of(digest)))

    async def discard(self) -> None:
        await self._storage.off_loop(self._discard)

    def _append(self, piece: bytes) -> None:
        self._opened().write(piece)
        self._hasher.update(piece)
        self._size += len(piece)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._path.open("wb")
        return self._file

    def _rehashed(self, algorithm: str) -> str:
        self._opened().flush()
        hasher = new_hasher(algorithm)
        with self._path.open("rb") as source:
            while piece := source.read(PIECE):
                hasher.update(piece)
        return hasher.hexdigest()

    def _keep(self, target: Path) -> None:
        self._opened().close()
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(target)

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
