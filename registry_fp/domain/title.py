"""Titles: the names that an artifact gives its files, which come from strangers and become paths.

A title is a relative path beneath one folder on every system, or it is refused: nothing is fetched for an artifact
that would write elsewhere. Source: image-spec, annotations, `org.opencontainers.image.title`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Final
from unicodedata import normalize

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import InvalidImage

__all__ = ["TITLE", "distinct_titles", "parse_title", "title_of"]

TITLE: Final = "org.opencontainers.image.title"
"""The annotation of a layer that says what its file is called."""

_COMPONENT_LIMIT: Final = 255  # bytes, on every common file system
_PATH_LIMIT: Final = 4095
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def title_of(path: str) -> str:
    """What a file is called in an artifact unless somebody says otherwise.

    A relative path keeps its folders; one that is absolute, or leads upwards, keeps its last part.

    >>> title_of("./out/report.json"), title_of("/tmp/report.json"), title_of("../report.json")
    ('out/report.json', 'report.json', 'report.json')
    """
    clean = posixpath.normpath(path)
    return posixpath.basename(clean) if clean.startswith(("/", "../")) else clean


def parse_title(text: str) -> Result[str, InvalidImage]:
    r"""The relative path that a title stands for, with `/` between its parts and without any `.`.

    Fails with `InvalidImage` "bad name" for everything that could mean another place to some system.

    >>> parse_title("./docs/a.txt").unwrap()
    'docs/a.txt'
    >>> parse_title("../a").failure().detail
    'it leads out of its folder'
    >>> parse_title("C:\\a").failure().detail
    'it has a backslash'
    """
    path = "/".join(part for part in text.split("/") if part != ".")
    why = _fault(text) or (None if path else "it names no file")
    if why is None and _DRIVE.match(path) is not None:
        why = "it begins with a drive"
    return _bad(text, why) if why is not None else Success(path)


def distinct_titles(titles: Iterable[str]) -> Result[tuple[str, ...], InvalidImage]:
    """The path of each title; two files on one path, or a file where another needs a folder, are refused.

    Paths that differ in capitals or in the form of their accents are one on many systems, and so they are here.

    >>> distinct_titles(["a", "a/b"]).failure().detail
    'it is a file, and a folder of another one'
    >>> distinct_titles(["README", "Readme"]).failure().detail
    'it is README to systems that do not tell them apart'
    """
    paths: dict[str, str] = {}
    for title in titles:
        parsed = parse_title(title)
        if not is_successful(parsed):
            return Failure(parsed.failure())
        path = parsed.unwrap()
        same = paths.get(_folded(path))
        if same is not None:
            alike = f"it is {_shown(same)} to systems that do not tell them apart"
            return _bad(title, "it stands twice" if same == path else alike)
        paths[_folded(path)] = path
    for folded in paths:
        above = posixpath.dirname(folded)
        while above:
            if above in paths:
                return _bad(paths[above], "it is a file, and a folder of another one")
            above = posixpath.dirname(above)
    return Success(tuple(paths.values()))


def _folded(path: str) -> str:
    """What two paths have in common that some file system takes for one: Unicode's canonical caseless matching."""
    return normalize("NFD", normalize("NFD", path).casefold())


def _fault(text: str) -> str | None:
    if not text:
        return "it is empty"
    if _CONTROL.search(text) is not None:
        return "it has a control character"
    if "\\" in text:
        return "it has a backslash"
    if text.startswith("/"):
        return "it is absolute"
    parts = text.split("/")
    if ".." in parts:
        return "it leads out of its folder"
    if "" in parts:
        return "a part of it is empty"
    try:
        longest, whole = max(len(part.encode()) for part in parts), len(text.encode())
    except UnicodeEncodeError:
        return "it is not text"
    return "it is too long" if longest > _COMPONENT_LIMIT or whole > _PATH_LIMIT else None


def _bad(title: str, why: str) -> Failure[InvalidImage]:
    return Failure(InvalidImage("bad name", _shown(title), why))


def _shown(title: str) -> str:
    return title[:200].encode("unicode_escape").decode("ascii")
