"""Files of an artifact: what each is called, and the place of content that they are together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.local_file import file_body, measure_file
from registry_fp.domain.artifact import parse_media_type
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import NotFound, Reason, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.media_type import OCI_LAYER, MediaType
from registry_fp.domain.model import Annotations
from registry_fp.domain.reference import Repository
from registry_fp.domain.title import TITLE, distinct_titles, title_of
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.protocol.message import Body

__all__ = ["AnyFile", "ArtifactFile", "FilesOrigin", "MeasuredFiles", "measure_files", "named_files"]


@final
@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file on disk, and what it is in an artifact.

    Without a `title` it is called by its path, if that is relative and stays below, or by the last part of it. The
    media type is the one that `oras` gives, unless one is chosen.
    """

    path: str | os.PathLike[str]
    title: str | None = None
    media_type: MediaType = OCI_LAYER
    annotations: Mapping[str, str] = Annotations()


AnyFile: TypeAlias = str | os.PathLike[str] | ArtifactFile
"""A file to be pushed: its path alone, or what else is to be said of it."""


@final
@dataclass(frozen=True, slots=True)
class FilesOrigin:
    """Content that comes from files and from memory, by digest; an `Origin` without manifests."""

    bodies: Mapping[Digest, Body]

    @property
    def name(self) -> str:
        """What it is called in events and errors."""
        return "files"

    @property
    def repository(self) -> Repository | None:
        """None: nothing of it can be mounted."""
        return None

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """There are none: fails with `NotFound`."""
        return FutureResult.from_failure(RegistryError("get_manifest", str(wanted.digest), NotFound("manifest")))

    def body(self, wanted: Descriptor) -> Body:
        """The bytes of one of its descriptors."""
        return self.bodies[wanted.digest]


@final
@dataclass(frozen=True, slots=True)
class MeasuredFiles:
    """The layers that files become, in their order, and the bytes of each."""

    layers: tuple[Descriptor, ...]
    bodies: Mapping[Digest, Body]


def named_files(files: AnyFile | Sequence[AnyFile]) -> Result[tuple[ArtifactFile, ...], Reason]:
    """The files with the titles that they get; fails with `InvalidImage` "bad name", or with `Misconfigured`.

    >>> [file.title for file in named_files(["./a.txt", "/tmp/b.txt"]).unwrap()]
    ['a.txt', 'b.txt']
    """
    listed = [files] if isinstance(files, str | os.PathLike | ArtifactFile) else files
    whole = [each if isinstance(each, ArtifactFile) else ArtifactFile(each) for each in listed]
    for each in whole:
        kind = parse_media_type(each.media_type)
        if not is_successful(kind):
            return Failure(kind.failure())
    titles = [title_of(os.fspath(each.path)) if each.title is None else each.title for each in whole]
    return distinct_titles(titles).map(
        lambda paths: tuple(
            ArtifactFile(os.fspath(each.path), path, each.media_type, each.annotations)
            for each, path in zip(whole, paths, strict=True)
        )
    )


@operation
async def measure_files(files: Sequence[ArtifactFile], *, limit: int) -> Result[MeasuredFiles, RegistryError]:
    """Read every file for its digest, `limit` at once; fails as `measure_file`."""
    out = await settle(traverse(files, lambda each: measure_file(os.fspath(each.path)), limit=limit))
    if isinstance(out, Err):
        return Failure(out.error)
    layers = tuple(
        Descriptor(
            media_type=named.media_type,
            digest=file.digest,
            size=file.size,
            annotations=Annotations({**named.annotations, TITLE: named.title or ""}),
        )
        for named, file in zip(files, out.value, strict=True)
    )
    return Success(MeasuredFiles(layers, {file.digest: file_body(file) for file in out.value}))
