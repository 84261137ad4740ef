"""Files: the listing of an image or of a layer, and the content of one file."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import Final, final

from returns.future import FutureResult
from returns.result import Result, Success

from registry_fp import Client, Digest, EntryKind, FileEntry, Op, RegistryError, list_files, parse_digest, read_file
from registry_fp.cli.answer import Answer
from registry_fp.cli.files_document import FilesDocument, content_document, file_document
from registry_fp.cli.inspection import registry_of, source_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.session import Question, ask

__all__ = ["ImageChoice", "ask_file", "ask_files"]

_POSITION: Final = re.compile(r"-?[0-9]{1,4}", re.ASCII)
_TYPES: Final[dict[EntryKind, int]] = {
    "file": stat.S_IFREG,
    "hardlink": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "symlink": stat.S_IFLNK,
    "device": stat.S_IFBLK,
    "pipe": stat.S_IFIFO,
}


@final
@dataclass(frozen=True, slots=True)
class ImageChoice:
    """Which image is looked into: what names it, which one of an archive, and for which platform."""

    noun: str
    image: str | None = None
    platform: str = "local"


def ask_files(choice: ImageChoice, layer: str | None, remote: RemoteOptions, show: ShowOptions) -> int:
    """Which files does an image have, or one of its layers (a position, a digest or a diff_id)?"""

    def listed(client: Client) -> Op[tuple[FileEntry, ...]]:
        noun = source_of(choice.noun, choice.image) or choice.noun
        if layer is None:
            return list_files(client, noun, platform=choice.platform)
        return FutureResult.from_result(_layer(layer)).bind(
            lambda wanted: list_files(client, noun, layer=wanted, platform=choice.platform)
        )

    def answer(found: tuple[FileEntry, ...]) -> Answer:
        items = tuple(file_document(entry) for entry in found)
        lines = "\n".join(_line(entry) for entry in found)
        names = "\n".join(printable(entry.path) for entry in found)
        return Answer(FilesDocument(choice.noun, items), lines, names, items)

    host = registry_of("list_files", choice.noun, choice.image)
    return ask(Question("list_files", choice.noun, host, listed), answer, remote, show)


def ask_file(choice: ImageChoice, path: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """What is in one file of an image? Its exact bytes."""

    def read(client: Client) -> Op[bytes]:
        noun = source_of(choice.noun, choice.image) or choice.noun
        return read_file(client, noun, path, platform=choice.platform)

    def answer(content: bytes) -> Answer:
        return Answer(content_document(choice.noun, path, content), content, content)

    host = registry_of("read_file", choice.noun, choice.image)
    return ask(Question("read_file", choice.noun, host, read), answer, remote, show)


def _layer(text: str) -> Result[int | Digest, RegistryError]:
    """A position, also from the end, or a digest."""
    if _POSITION.fullmatch(text):
        return Success(int(text))
    return parse_digest(text).map(lambda digest: digest)


def _line(entry: FileEntry) -> str:
    """As `ls -ln` has it."""
    path = printable(entry.path)
    if entry.kind in {"removed", "emptied"}:
        return f"{entry.kind:<10} {'':>11} {'':>12} {path}"
    mode = stat.filemode(_TYPES[entry.kind] | entry.mode)
    joint = {"symlink": " -> ", "hardlink": " = "}.get(entry.kind, "")
    target = printable(entry.target or "") if joint else ""
    return f"{mode} {f'{entry.uid}:{entry.gid}':>11} {entry.size:>12} {path}{joint}{target}"
