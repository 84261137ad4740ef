"""Layers made by the standard library, and put where images lie; what is in them is known beforehand."""

import gzip
import io
import tarfile
from pathlib import Path

from registry_fp.archive.source import DockerSave, docker_save
from registry_fp.testing import sample_image, write_docker_save

OPAQUE = ".wh..wh..opq"


def file(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file."""
    return member(name, tarfile.REGTYPE, size=len(content), **attributes), content


def folder(name: str, **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A folder."""
    return member(name, tarfile.DIRTYPE, **{"mode": 0o755, **attributes}), b""


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """A symbolic link."""
    return member(name, tarfile.SYMTYPE, linkname=target), b""


def hardlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """A second name of a file."""
    return member(name, tarfile.LNKTYPE, linkname=target), b""


def member(name: str, kind: bytes, **attributes: object) -> tarfile.TarInfo:
    """A header."""
    info = tarfile.TarInfo(name)
    info.type, info.mtime = kind, 1_700_000_000
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A plain tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as written:
        for info, content in members:
            written.addfile(info, io.BytesIO(content))
    return out.getvalue()


def saved(path: Path, *layers: bytes, compressed: bool = False) -> DockerSave:
    """An archive of one image of these layers, the oldest first."""
    write_docker_save(path, sample_image("app:1.0", layers=layers), compressed=compressed)
    return docker_save(path)


def zipped(*layers: bytes) -> tuple[bytes, ...]:
    """The layers as registries keep them."""
    return tuple(gzip.compress(each, 1, mtime=0) for each in layers)
