"""The settings file: what a user, or a machine, has chosen for good.

    retries = 6
    ca = "company.pem"                    # beside this file

    [hosts."docker.io"]
    mirrors = ["mirror.example:5000", "harbor.example/hub"]

It is TOML, with the names of `Settings`, and a table of `HostSettings` for each host. It is the file that
`REGISTRY_FP_CONFIG` names, or else `registry-fp/config.toml` in the user's configuration folder, which may be missing;
where the variable is empty there is none. Paths in it begin at its own folder. Where it has the password of a proxy,
who may read it is up to its owner.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, RegistryError

__all__ = ["SETTINGS_FILE_LIMIT", "SettingsFile", "read_settings_file"]

SETTINGS_FILE_LIMIT: Final = 1024 * 1024
"""How many bytes of a settings file are read."""

_VARIABLE: Final = "REGISTRY_FP_CONFIG"
_PATHS: Final = frozenset({"ca", "cert", "key", "cache_dir", "certs_dirs"})
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # so that nothing waits for a pipe's writer


@final
@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file says, and its path; what it says is not checked yet, and may hold the password of a proxy."""

    path: str
    values: Mapping[str, Any] = field(repr=False)


def read_settings_file(environment: Mapping[str, str]) -> Result[SettingsFile | None, RegistryError]:
    """The settings file of this environment; None where there is none.

    Fails with `Misconfigured`, and with the path as its target, where a file that was named is missing, where it cannot
    be read, or where it is no TOML; nothing of it is quoted.

    >>> read_settings_file({"REGISTRY_FP_CONFIG": ""})
    <Success: None>
    """
    named = environment.get(_VARIABLE)
    if named == "":
        return Success(None)
    path = _usual_path() if named is None else Path(named)
    raw = _read(path)
    if not is_successful(raw):
        if named is None and raw.failure() in {errno.ENOENT, errno.ENOTDIR}:
            return Success(None)
        return _failed(path, os.strerror(raw.failure()).lower())
    content = raw.unwrap()
    if content is None:
        return _failed(path, "it is no regular file")
    if len(content) > SETTINGS_FILE_LIMIT:
        return _failed(path, f"it is larger than {SETTINGS_FILE_LIMIT} bytes")
    return _parsed(path, content)


def _usual_path() -> Path:
    import platformdirs  # noqa: PLC0415  12 ms, which one who names the file need not spend

    return Path(platformdirs.user_config_dir("registry-fp", appauthor=False)) / "config.toml"


def _read(path: Path) -> Result[bytes | None, int]:
    """The content; None of what is no file. Fails with the number of the error."""
    try:
        fd = os.open(path, _OPEN)
    except OSError as error:
        return Failure(error.errno or errno.EIO)
    except ValueError:  # a NUL in the name
        return Failure(errno.ENOENT)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return Success(None)
        with os.fdopen(fd, "rb", closefd=False) as file:
            return Success(file.read(SETTINGS_FILE_LIMIT + 1))
    except OSError as error:
        return Failure(error.errno or errno.EIO)
    finally:
        os.close(fd)


def _parsed(path: Path, content: bytes) -> Result[SettingsFile | None, RegistryError]:
    import tomllib  # noqa: PLC0415  only who has such a file needs it

    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return _failed(path, "it is not UTF-8")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        _, _, where = str(error).rpartition(" (at ")  # what stands before that can be a part of the file
        return _failed(path, f"it is not TOML ({where.rstrip(')')})" if where else "it is not TOML")
    try:
        return Success(SettingsFile(str(path), _anchored(values, path.absolute().parent)))
    except RuntimeError:  # of expanduser
        return _failed(path, "a path begins at the home folder of nobody")


def _anchored(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same with paths that begin at the folder; what has another type than it should is left for later."""

    def placed(name: str, value: Any) -> Any:
        if name == "hosts" and isinstance(value, dict):
            return {
                host: _anchored(chosen, folder) if isinstance(chosen, dict) else chosen
                for host, chosen in value.items()
            }
        if name in _PATHS and isinstance(value, str):
            return folder / Path(value).expanduser()
        if name in _PATHS and isinstance(value, list):
            return [placed(name, each) for each in value]
        return value

    return {name: placed(name, value) for name, value in values.items()}


def _failed(path: Path, reason: str) -> Result[SettingsFile | None, RegistryError]:
    return Failure(RegistryError("read_settings", str(path), Misconfigured("settings file", reason)))
