"""Auth files: where credentials are looked for, in one order, and how such a file is read and replaced.

    DOCKER_AUTH_CONFIG                          the text of such a file, in a variable
    $REGISTRY_AUTH_FILE
    $XDG_RUNTIME_DIR/containers/auth.json       without that variable, on Linux: /run/containers/UID/auth.json
    $XDG_CONFIG_HOME/containers/auth.json       without it: ~/.config/containers/auth.json
    $DOCKER_CONFIG/config.json                  without it: ~/.docker/config.json

Any of them may be missing. Sources: containers-auth.json(5); docker-login(1).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import LocalIo, Misconfigured, Reason
from registry_fp.transport.auth_file import AuthFile, parse_auth_file, render_auth_file

__all__ = [
    "AUTH_FILE_LIMIT",
    "AuthPlace",
    "Surroundings",
    "auth_places",
    "docker_place",
    "read_auth",
    "rewrite_auth",
]

AUTH_FILE_LIMIT: Final = 4 * 1024 * 1024
"""How many bytes of an auth file are read."""

_MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # so that nothing waits for a pipe's writer
_TRIES: Final = 100
_PAUSE: Final = 0.05


@final
@dataclass(frozen=True, slots=True)
class Surroundings:
    """What says where to look: the environment, which also holds secrets, and the home folder."""

    environment: Mapping[str, str] = field(repr=False)
    home: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] | None, home: str | Path | None) -> Surroundings:
        """These, or those of this program as they are now."""
        known = os.environ if environment is None else environment
        named = home if home is not None else known.get("HOME")
        return cls(known, Path(named) if named else Path("~").expanduser())


@final
@dataclass(frozen=True, slots=True)
class AuthPlace:
    """One place to look in: a file, or text that is there already."""

    where: str
    path: Path | None = None
    text: str | None = field(default=None, repr=False)


def auth_places(around: Surroundings) -> tuple[AuthPlace, ...]:
    """Every place, in the order of this file's header."""
    told = around.environment.get("DOCKER_AUTH_CONFIG")
    paths = (
        _path(around, "REGISTRY_AUTH_FILE"),
        _runtime(around),
        (_path(around, "XDG_CONFIG_HOME") or around.home / ".config") / "containers" / "auth.json",
        _docker(around),
    )
    texts = (AuthPlace("DOCKER_AUTH_CONFIG", text=told),) if told else ()
    return (*texts, *(_place(path) for path in dict.fromkeys(paths) if path is not None))


def docker_place(around: Surroundings) -> AuthPlace:
    """Where a first login is written to: the file that was named, or Docker's own."""
    return _place(_path(around, "REGISTRY_AUTH_FILE") or _docker(around))


async def read_auth(place: AuthPlace) -> Result[AuthFile | None, Misconfigured]:
    """What is in a place; None where there is nothing. Fails with `Misconfigured`, and quotes nothing of it."""
    if place.path is None:
        return parse_auth_file(place.where, (place.text or "").encode("utf-8", "surrogateescape"))
    path = place.path
    # A thread that nobody waits for any more reads to the end, and changes nothing.
    return await asyncio.to_thread(lambda: _read(place.where, path))


async def rewrite_auth(
    place: AuthPlace, change: Callable[[AuthFile], Result[AuthFile, Misconfigured]]
) -> Result[None, Reason]:
    """Replace a file by what `change` makes of it, as a whole or not at all; only its owner can read it (0600).

    A symbolic link is followed, a file that is missing is made, and other programs of ours wait for one another. Fails
    with `Misconfigured` where the file cannot be understood, as `change` does, or with `LocalIo`.
    """
    path = place.path
    if path is None:
        return Failure(Misconfigured(place.where, "it is a variable, which only its owner can change"))
    # A thread that nobody waits for any more ends what it began, which is one rename.
    return await asyncio.to_thread(lambda: _rewritten(place.where, path, change))


def _place(path: Path) -> AuthPlace:
    return AuthPlace(f"auth file {path}", path)


def _path(around: Surroundings, variable: str) -> Path | None:
    named = around.environment.get(variable)
    return Path(named) if named else None


def _runtime(around: Surroundings) -> Path | None:
    folder = _path(around, "XDG_RUNTIME_DIR")
    if folder is None and sys.platform == "linux":
        folder = Path("/run/containers") / str(os.getuid())
        return folder / "auth.json"
    return None if folder is None else folder / "containers" / "auth.json"


def _docker(around: Surroundings) -> Path:
    return (_path(around, "DOCKER_CONFIG") or around.home / ".docker") / "config.json"


def _read(where: str, path: Path) -> Result[AuthFile | None, Misconfigured]:
    try:
        fd = os.open(path, _READ)
    except ValueError:
        return Failure(Misconfigured(where, "no file can be called so"))
    except OSError as error:
        if error.errno in _MISSING:
            return Success(None)
        return Failure(Misconfigured(where, os.strerror(error.errno or errno.EIO)))
    try:
        is_exposed = bool(os.fstat(fd).st_mode & 0o044)
        raw = _whole(fd)
    except OSError as error:
        return Failure(Misconfigured(where, os.strerror(error.errno or errno.EIO)))
    finally:
        os.close(fd)
    if len(raw) > AUTH_FILE_LIMIT:
        return Failure(Misconfigured(where, f"it is larger than {AUTH_FILE_LIMIT} bytes"))
    return parse_auth_file(where, raw).map(lambda file: replace(file, is_exposed=is_exposed))


def _whole(fd: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size <= AUTH_FILE_LIMIT and (part := os.read(fd, 64 * 1024)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _rewritten(
    where: str, path: Path, change: Callable[[AuthFile], Result[AuthFile, Misconfigured]]
) -> Result[None, Reason]:
    try:
        real = path.resolve()
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(real.parent, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            _lock(folder)
            read = _read(where, real)
            if not is_successful(read):
                return Failure(read.failure())
            changed = change(read.unwrap() or AuthFile(where))
            if not is_successful(changed):
                return Failure(changed.failure())
            _replace(real, render_auth_file(changed.unwrap()))
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        return Failure(LocalIo(error.errno or errno.EIO, str(path)))
    return Success(None)


def _lock(folder: int) -> None:
    """Wait for whoever else is about to rewrite a file here; not for ever, because it is only a courtesy."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE)
    raise BlockingIOError(errno.EWOULDBLOCK, "others hold the folder")


def _replace(path: Path, content: bytes) -> None:
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # which nobody else can read
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105  both are names of the same folder
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108  the same
        raise
