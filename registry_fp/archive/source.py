"""Where an image on disk is, and which one of several is meant: a value, looked at only when it is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import final

__all__ = ["DockerSave", "docker_save"]


@final
@dataclass(frozen=True, slots=True)
class DockerSave:
    """A `docker save` archive, plain or compressed, and the image in it that is meant. Made by `docker_save`."""

    path: str
    image: str | int | None = None

    def __str__(self) -> str:
        """The path, as it was given."""
        return self.path


def docker_save(path: str | os.PathLike[str], *, image: str | int | None = None) -> DockerSave:
    """Name an archive made by `docker save`, `podman save` or `skopeo copy ... docker-archive:`; nothing is read yet.

    `image` chooses one of several: a reference ("app:1.0"), a position from 0 (an int, or digits), or an image id or
    a beginning of one. An archive that holds one image needs no choice.

    >>> docker_save("app.tar", image="app:1.0")
    DockerSave(path='app.tar', image='app:1.0')
    """
    return DockerSave(os.fspath(path), image)
