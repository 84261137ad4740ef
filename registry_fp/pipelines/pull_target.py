"""Where a pulled image goes: which kind of thing a path is, or is to be, and what the image is called in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from errno import EINVAL
from typing import Final, Literal, TypeAlias, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.layout_index import CONTAINERD_NAME, REF_NAME
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.source import AnyArchive, DockerSave, ImageSource, OciLayout
from registry_fp.domain.errors import LocalIo, Misconfigured, Reason
from registry_fp.domain.reference import Reference, parse_reference

__all__ = ["PullTarget", "TargetKind", "can_be_a_path", "promises_compression", "read_target"]

TargetKind: TypeAlias = Literal["docker archive", "layout archive", "layout folder"]
"""What is written: a tar as of `docker save`, a tar of an OCI image layout, or a layout that is a folder."""

_COMPRESSED: Final = (".gz", ".tgz", ".xz", ".txz", ".bz2", ".tbz2", ".zst", ".tzst")


@final
@dataclass(frozen=True, slots=True)
class PullTarget:
    """A kind of archive at a path; `tag` names the image in a docker archive, `names` in a layout's `index.json`."""

    kind: TargetKind
    path: str
    tag: Reference | None
    names: Mapping[str, str]
    exists: bool = False


async def read_target(to: ImageSource, name: Reference) -> Result[PullTarget, Reason]:
    """What `to` is; an image `name` keeps its name there, unless `to.image` is another one.

    A folder stays one. Where nothing is yet, a path that ends in `.tar` becomes a tar: of a layout for `oci_layout`,
    otherwise as of `docker save`; every other path becomes a layout folder. Fails with `Misconfigured` for an `image`
    that is no name, or a path that promises compression, and with `LocalIo`.
    """
    image = to.image
    if image is not None and not (isinstance(image, str) and image and image.isprintable()):
        return Failure(Misconfigured("image", "what is pulled is given a name, and not a position"))
    if not can_be_a_path(to.path):
        return Failure(LocalIo(EINVAL, to.path))
    found = await off_loop(to.path, lambda: Success(_mode(to.path)))
    if not is_successful(found):
        return Failure(found.failure())
    kind = _kind(to, found.unwrap())
    if promises_compression(to.path) and not (kind == "layout folder" and found.unwrap()):
        return Failure(Misconfigured("path", "an archive is written as a plain tar, so its name should say so"))
    if kind != "docker archive":
        names = _names(name) if image is None else {REF_NAME: image}
        return Success(PullTarget(kind, to.path, None, names, exists=found.unwrap() != 0))
    own = name if image is None else parse_reference(image).value_or(None)
    if own is None or (image is not None and own.digest is not None):
        return Failure(Misconfigured("image", "a docker archive calls its image NAME[:TAG]"))
    return Success(PullTarget(kind, to.path, None if own.tag is None else own, {}))


def can_be_a_path(text: str) -> bool:
    """Whether the operating system takes this text for a path."""
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return bool(name) and b"\0" not in name


def promises_compression(path: str) -> bool:
    """Whether an archive of this name would be taken for a compressed one.

    >>> promises_compression("app.tar.gz")
    True
    """
    return path.lower().endswith(_COMPRESSED)


def _mode(path: str) -> int:
    """What is there, followed to where it leads; 0 where there is nothing."""
    try:
        return os.stat(path).st_mode  # noqa: PTH116  text, as it was given
    except FileNotFoundError:
        return 0


def _kind(to: ImageSource, mode: int) -> TargetKind:
    folder = stat.S_ISDIR(mode) if mode else not to.path.lower().endswith(".tar")
    match to:
        case DockerSave():
            return "docker archive"
        case OciLayout():
            return "layout folder" if folder else "layout archive"
        case AnyArchive():
            return "layout folder" if folder else "docker archive"


def _names(name: Reference) -> dict[str, str]:
    return {} if name.tag is None else {CONTAINERD_NAME: f"{name.repository}:{name.tag}", REF_NAME: name.tag}
