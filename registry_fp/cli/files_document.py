"""Documents of `ls` and `cat`: the files of an image."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from typing import final

from registry_fp import FileEntry, digest_of

__all__ = ["ContentDocument", "FileDocument", "FilesDocument", "content_document", "file_document"]


@final
@dataclass(frozen=True, slots=True)
class FileDocument:
    """One path, without a slash before it; bytes that are not UTF-8 are shown as U+FFFD.

    `kind` is file, folder, symlink, hardlink, device or pipe, and in the listing of one layer also removed (a mark that
    takes away what older layers have there) or emptied (the same for what is in that folder). `mode` is octal;
    `modified` is in seconds since 1970; `layer` is the position of the layer that it comes from, 0 being the oldest.
    """

    path: str
    kind: str
    size: int
    mode: str
    uid: int
    gid: int
    modified: int
    target: str | None
    layer: int


@final
@dataclass(frozen=True, slots=True)
class FilesDocument:
    """`ls`."""

    name: str
    files: tuple[FileDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class ContentDocument:
    """`cat`: one file; its exact bytes, which the text form writes, are in base64 here."""

    name: str
    path: str
    size: int
    digest: str
    base64: str


def content_document(name: str, path: str, content: bytes) -> ContentDocument:
    """The content of a file."""
    return ContentDocument(name, path, len(content), str(digest_of(content)), b64encode(content).decode("ascii"))


def file_document(entry: FileEntry) -> FileDocument:
    """A file."""
    return FileDocument(
        path=_text(entry.path),
        kind=entry.kind,
        size=entry.size,
        mode=f"{entry.mode:04o}",
        uid=entry.uid,
        gid=entry.gid,
        modified=entry.modified,
        target=None if entry.target is None else _text(entry.target),
        layer=entry.layer,
    )


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
