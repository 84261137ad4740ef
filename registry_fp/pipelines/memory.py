"""What earlier pushes taught: what a layer became, and where a blob was seen.

A small SQLite file under the user's cache folder. An entry only saves work: the registry is asked all the same, and a
missing, locked or broken file is silently a push that remembers nothing.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from errno import EPERM
from pathlib import Path
from typing import Any, Final, final

from pydantic import ValidationError
from returns.pipeline import is_successful

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.reference import Repository, parse_repository
from registry_fp.effect.log import log_of
from registry_fp.transport.settings import Settings

__all__ = ["LayerMemory", "layer_memory"]

_log: Final = log_of(__name__)

_SCHEMA: Final = """
create table if not exists became (
  diff_id text, recipe text, media_type text, digest text, size integer, primary key (diff_id, recipe));
create table if not exists held (
  host text, digest text, path text, seen integer primary key autoincrement, unique (host, digest, path));
delete from held where seen <= (select max(seen) - 200000 from held);
"""
_NAME: Final = "layers-1.sqlite3"  # the number is the schema's
_HOLDERS: Final = 4


def _folder(settings: Settings) -> Path:
    if settings.cache_dir is not None:
        return settings.cache_dir
    import platformdirs  # noqa: PLC0415  12 ms, which only a cache in the user's own folder is worth

    return Path(platformdirs.user_cache_dir("registry-fp", appauthor=False))


@asynccontextmanager
async def layer_memory(settings: Settings) -> AsyncIterator[LayerMemory]:
    """A memory for as long as the block lasts; without a cache it forgets everything at the end."""
    memory = LayerMemory(_folder(settings) / _NAME if settings.cache else None)
    try:
        yield memory
    finally:
        memory.close()


@final
class LayerMemory:
    """The memory behind a client; safe for many tasks at once. The file is opened at the first use."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._usable = True

    async def recall(self, diff_id: Digest, recipe: str) -> Descriptor | None:
        """What a layer became when it was compressed by this recipe."""
        sql = "select media_type, digest, size from became where diff_id = ? and recipe = ?"
        for media_type, digest, size in await self._ask(sql, str(diff_id), recipe):
            try:
                return Descriptor(media_type=media_type, digest=digest, size=size)
            except ValidationError:  # somebody else wrote it
                return None
        return None

    async def remember(self, diff_id: Digest, recipe: str, became: Descriptor) -> None:
        """Keep what a layer became."""
        sql = "insert or replace into became values (?, ?, ?, ?, ?)"
        await self._ask(sql, str(diff_id), recipe, became.media_type, str(became.digest), became.size)

    async def holders(self, host: str, digest: Digest) -> tuple[Repository, ...]:
        """Repositories of a host that were seen to hold a blob, the latest first."""
        sql = f"select path from held where host = ? and digest = ? order by seen desc limit {_HOLDERS}"  # noqa: S608
        found = [parse_repository(f"{host}/{path}") for (path,) in await self._ask(sql, host, str(digest))]
        return tuple(each.unwrap() for each in found if is_successful(each))

    async def saw(self, repository: Repository, digest: Digest) -> None:
        """Keep that a repository holds a blob."""
        sql = "insert or replace into held (host, digest, path) values (?, ?, ?)"
        await self._ask(sql, repository.host, str(digest), repository.path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._usable = False
            if self._database is not None:
                self._database.close()
                self._database = None

    async def _ask(self, sql: str, *values: Any) -> list[Any]:
        return await asyncio.to_thread(self._run, lambda database: database.execute(sql, values).fetchall())

    def _run(self, query: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
        with self._lock:
            if not self._usable:
                return []
            try:
                if self._database is None:
                    self._database = _opened(self._path)
                with self._database:
                    return query(self._database)
            except (sqlite3.Error, OSError) as error:
                _log.debug("the layer cache is not used: %s", error)
                self._usable = False
                return []


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _connected(":memory:")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.stat()
    if folder.st_uid != os.getuid() or folder.st_mode & 0o022:
        raise PermissionError(EPERM, "others can write to the cache folder", str(path.parent))
    try:
        return _connected(str(path))
    except sqlite3.OperationalError:  # locked, or no permission: somebody else's file is left alone
        raise
    except sqlite3.DatabaseError:  # damaged: what it knew is lost, which only costs work
        path.unlink(missing_ok=True)
        return _connected(str(path))


def _connected(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=1.0, check_same_thread=False)
    try:
        database.execute("pragma synchronous = off")
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database
