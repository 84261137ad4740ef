"""Folders with the certificates of single hosts, as Docker, podman and the like have them.

    $XDG_CONFIG_HOME/containers/certs.d     without the variable: ~/.config/containers/certs.d
    $DOCKER_CONFIG/certs.d                  without the variable: ~/.docker/certs.d
    $XDG_CONFIG_HOME/docker/certs.d         Docker without root
    /etc/containers/certs.d
    /etc/docker/certs.d

The first of them that has a folder `HOST[:PORT]` is the one, and that folder is taken as a whole. In it `*.crt` are
authorities to trust beside the system's, `NAME.cert` with `NAME.key` is a certificate to show, and nothing else counts.
Sources: containers-certs.d(5); docs.docker.com, "Verify repository client with certificates"; `loadTLSConfig` of
moby/moby and `SetupCertificates` of containers/image, whose rules agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured
from registry_fp.transport.auth_files import Surroundings

__all__ = ["HostCertificates", "certs_folders", "read_certs_directory"]

_NAME: Final = re.compile(r"(?!\.+$)[A-Za-z0-9.:\[\]_-]+", re.ASCII)  # a host comes from an answer, too: no way out


@final
@dataclass(frozen=True, slots=True)
class HostCertificates:
    """The files for one host, by name: authorities to trust, and certificates to show with their keys."""

    authorities: tuple[Path, ...] = ()
    certificates: tuple[tuple[Path, Path], ...] = ()


def certs_folders(around: Surroundings) -> tuple[Path, ...]:
    """The folders of this file's header, in its order."""
    config = Path(around.environment.get("XDG_CONFIG_HOME") or around.home / ".config")
    docker = Path(around.environment.get("DOCKER_CONFIG") or around.home / ".docker")
    return (
        config / "containers" / "certs.d",
        docker / "certs.d",
        config / "docker" / "certs.d",
        Path("/etc/containers/certs.d"),
        Path("/etc/docker/certs.d"),
    )


def read_certs_directory(folders: Sequence[Path], names: Sequence[str]) -> Result[HostCertificates, Misconfigured]:
    """What the first of the folders that knows the host by one of its names, `HOST[:PORT]`, has for it.

    A folder that we may not read is passed over, as podman does. Fails with `Misconfigured` where a certificate is
    without its key, or a key without its certificate. Waits for the disk.
    """
    for folder in (folder / name for folder in folders for name in names if _NAME.fullmatch(name)):
        try:
            listed = sorted(entry.name for entry in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        except OSError as error:
            return Failure(Misconfigured("certs_dirs", f"{folder}: {error.strerror}"))
        return _sorted_out(folder, listed)
    return Success(HostCertificates())


def _sorted_out(folder: Path, names: Sequence[str]) -> Result[HostCertificates, Misconfigured]:
    certificates = [name for name in names if name.endswith(".cert")]
    keys = {name for name in names if name.endswith(".key")}
    for name in certificates:
        key = f"{name.removesuffix('.cert')}.key"
        if key not in keys:
            why = f"{folder / name}: there is no {key}; the name of an authority ends in .crt"
            return Failure(Misconfigured("certs_dirs", why))
    for name in sorted(keys - {f"{name.removesuffix('.cert')}.key" for name in certificates}):
        return Failure(Misconfigured("certs_dirs", f"{folder / name}: there is no {name.removesuffix('.key')}.cert"))
    authorities = tuple(folder / name for name in names if name.endswith(".crt"))
    # A link that leads nowhere is what a package that was removed leaves behind.
    found = tuple(path for path in authorities if path.exists())
    pairs = tuple((folder / name, folder / f"{name.removesuffix('.cert')}.key") for name in certificates)
    return Success(HostCertificates(found, pairs))
