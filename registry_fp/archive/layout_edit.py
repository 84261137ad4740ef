"""A layout folder made, and its `index.json` changed, so that writers in several processes lose nothing.

The `oci-layout` file, which every layout has and nobody replaces, is what writers lock. Under the lock the index is
read, merged, written under another name, and renamed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from collections.abc import Callable
from errno import EAGAIN, EINVAL
from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_blob import sync_folder
from registry_fp.archive.layout_index import (
    INDEX_JSON,
    INDEX_JSON_LIMIT,
    LAYOUT_MARKER,
    LAYOUT_MARKER_LIMIT,
    OCI_LAYOUT,
    parse_index_json,
    parse_layout_marker,
    with_entry,
)
from registry_fp.archive.off_loop import off_loop
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import InvalidImage, LimitExceeded, LocalIo, Reason

__all__ = ["create_layout", "list_in_layout"]

_EMPTY_INDEX: Final = (
    b'{\n  "schemaVersion": 2,\n  "mediaType": "application/vnd.oci.image.index.v1+json",\n  "manifests": []\n}'
)
_FRESH: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_PAUSE: Final = 0.02  # seconds; a lock is held for one small file's writing
_PAUSES: Final = 3_000


async def create_layout(path: str) -> Result[None, Reason]:
    """Make a layout folder where none is; one that is there stays as it is.

    Fails with `InvalidImage` ("bad oci-layout") for a folder that holds other things (what begins with a dot does not
    count) and for another version, and with `LocalIo`.
    """
    if not path or "\0" in path:
        return Failure(LocalIo(EINVAL, path))
    made = await off_loop(path, lambda: _prepared(path))
    return await _alone(path, lambda: _completed(path)) if is_successful(made) else made


async def list_in_layout(path: str, entry: Descriptor) -> Result[None, Reason]:
    """List a manifest in `index.json`, as `with_entry` says; what others write meanwhile stays.

    Fails with `InvalidImage` ("bad oci-layout", "bad index.json"), `LimitExceeded`, and `LocalIo`.
    """
    return await _alone(path, lambda: _listed(path, entry))


async def _alone(path: str, step: Callable[[], Result[None, Reason]]) -> Result[None, Reason]:
    """Run a step, in a thread, that no other writer of the layout runs at the same time."""
    for _ in range(_PAUSES):
        done = await off_loop(path, lambda: _locked(path, step))
        if not is_successful(done):
            return Failure(done.failure())
        if done.unwrap():
            return Success(None)
        await asyncio.sleep(_PAUSE)  # not a lock that waits: a thread that waits for one cannot be cancelled
    return Failure(LocalIo(EAGAIN, f"{path}/{OCI_LAYOUT}"))


def _locked(path: str, step: Callable[[], Result[None, Reason]]) -> Result[bool, Reason]:
    """Whether the step was run: False where somebody else has the lock."""
    name = f"{path}/{OCI_LAYOUT}"
    try:
        fd = os.open(name, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # where a link leads to nothing, nothing is made there
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(fd), os.stat(name)):  # noqa: PTH116
            return Success(False)
        return _marked(fd).bind(lambda _: step()).map(lambda _: True)
    except BlockingIOError:
        return Success(False)
    finally:
        os.close(fd)


def _marked(fd: int) -> Result[None, Reason]:
    """A marker that a writer could not finish is empty, and is written now."""
    raw = os.pread(fd, LAYOUT_MARKER_LIMIT + 1, 0)
    if raw:
        return parse_layout_marker(raw)
    os.pwrite(fd, LAYOUT_MARKER, 0)
    os.fsync(fd)
    return Success(None)


def _prepared(path: str) -> Result[None, Reason]:
    os.makedirs(path, exist_ok=True)  # noqa: PTH103
    found = [name for name in os.listdir(path) if not name.startswith(".")]  # noqa: PTH208
    if found and OCI_LAYOUT not in found:
        return Failure(InvalidImage("bad oci-layout", OCI_LAYOUT, "the folder is not empty, and is no layout"))
    return Success(None)


def _completed(path: str) -> Result[None, Reason]:
    os.makedirs(f"{path}/blobs/sha256", exist_ok=True)  # noqa: PTH103
    read = _index(path)
    if not is_successful(read):
        return Failure(read.failure())
    raw = read.unwrap()
    if raw is None:
        _write_index(path, _EMPTY_INDEX)
        return Success(None)
    return parse_index_json(raw).map(lambda _: None)


def _listed(path: str, entry: Descriptor) -> Result[None, Reason]:
    before = _index(path)
    after = before.bind(lambda raw: with_entry(raw, entry)).bind(_checked)
    if not is_successful(after):
        return Failure(after.failure())
    if after.unwrap() != before.unwrap():
        _write_index(path, after.unwrap())
    return Success(None)


def _index(path: str) -> Result[bytes | None, Reason]:
    try:
        with open(f"{path}/{INDEX_JSON}", "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Failure(InvalidImage("not a regular file", INDEX_JSON))
            return _checked(file.read(INDEX_JSON_LIMIT + 1)).map(lambda raw: raw)
    except FileNotFoundError:
        return Success(None)


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for


def _checked(raw: bytes) -> Result[bytes, Reason]:
    return Success(raw) if len(raw) <= INDEX_JSON_LIMIT else Failure(LimitExceeded("bytes of JSON", INDEX_JSON_LIMIT))


def _write_index(path: str, raw: bytes) -> None:
    name = f"{path}/.{INDEX_JSON}.partial"  # one name for all writers: who writes it has the lock
    fd = os.open(name, _FRESH, 0o644)
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(name, f"{path}/{INDEX_JSON}")  # noqa: PTH105
    sync_folder(path)
