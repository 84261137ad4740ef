"""Where an image on disk is, and which one of several is meant: a value, looked at only when it is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias, final

__all__ = ["AnyArchive", "DockerSave", "ImageSource", "OciLayout", "any_archive", "docker_save", "oci_layout"]


@final
@dataclass(frozen=True, slots=True)
class DockerSave:
    """A `docker save` archive, plain or compressed, and the image in it that is meant. Made by `docker_save`."""

    path: str
    image: str | int | None = None

    def __str__(self) -> str:
        """The path, as it was given."""
        return self.path


@final
@dataclass(frozen=True, slots=True)
class OciLayout:
    """An OCI image layout, a folder or a tar of one, and the image in it that is meant. Made by `oci_layout`."""

    path: str
    image: str | int | None = None

    def __str__(self) -> str:
        """The path, as it was given."""
        return self.path


@final
@dataclass(frozen=True, slots=True)
class AnyArchive:
    """A path that is looked at to tell what it is, and the image in it that is meant. Made by `any_archive`."""

    path: str
    image: str | int | None = None

    def __str__(self) -> str:
        """The path, as it was given."""
        return self.path


ImageSource: TypeAlias = DockerSave | OciLayout | AnyArchive
"""Where an image on disk can be."""


def docker_save(path: str | os.PathLike[str], *, image: str | int | None = None) -> DockerSave:
    """Name an archive made by `docker save`, `podman save` or `skopeo copy ... docker-archive:`; nothing is read yet.

    `image` chooses one of several: a reference ("app:1.0"), a position from 0 (an int, or digits), or an image id or
    a beginning of one. An archive that holds one image needs no choice.

    >>> docker_save("app.tar", image="app:1.0")
    DockerSave(path='app.tar', image='app:1.0')
    """
    return DockerSave(os.fspath(path), image)


def oci_layout(path: str | os.PathLike[str], *, image: str | int | None = None) -> OciLayout:
    """Name an OCI image layout: a folder, or a tar of one, plain or compressed; nothing is read yet.

    `image` chooses one of several in its `index.json`: a name (`org.opencontainers.image.ref.name`, or containerd's
    `io.containerd.image.name`), a position from 0 (an int, or digits), or a manifest's digest or a beginning of it. A
    layout that lists one image needs no choice. Source: image-spec, image-layout.

    >>> oci_layout("build/app", image="1.0")
    OciLayout(path='build/app', image='1.0')
    """
    return OciLayout(os.fspath(path), image)


def any_archive(path: str | os.PathLike[str], *, image: str | int | None = None) -> AnyArchive:
    """Name an image on disk of any kind that this library reads; what it is is found out when it is opened.

    A folder is an OCI layout, and so is a tar that has no `manifest.json`; every other tar is a `docker save` archive,
    also where it is both. `image` chooses one of several, as `docker_save` and `oci_layout` say.

    >>> any_archive("app.tar")
    AnyArchive(path='app.tar', image=None)
    """
    return AnyArchive(os.fspath(path), image)
