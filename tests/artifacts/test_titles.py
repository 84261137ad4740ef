"""Titles: what a stranger may call a file, and that nothing else becomes a path."""

from __future__ import annotations

import os
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.errors import InvalidImage
from registry_fp.domain.title import distinct_titles, parse_title, title_of

HOSTILE = [
    "",
    ".",
    "./",
    "./.",
    "..",
    "../a",
    "a/../../b",
    "a/..",
    "/etc/passwd",
    "//a",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "\x1b[31m",
    "C:\\Windows\\a",
    "C:a",
    "c:/a",
    "./C:",
    "././c:a",
    "..\\a",
    "a\\b",
    "\\\\server\\share",
    "x" * 256,
    "a/" * 3000 + "b",
    "\udc80",
]
PARTS = st.sampled_from(["..", ".", "", "/", "\\", "C:", "a", "b.txt", "\0", "é", " ", "~", "-rf", "a b", "..."])


@pytest.mark.parametrize("title", HOSTILE, ids=ascii)
def test_what_may_lead_elsewhere_is_no_title(title: str) -> None:
    """On this system or on another: an artifact is pulled everywhere."""
    failed = parse_title(title).failure()
    assert isinstance(failed, InvalidImage)
    assert failed.kind == "bad name"
    assert (failed.member or "").isascii()


@given(st.lists(PARTS, max_size=6).map("/".join) | st.lists(PARTS, max_size=6).map("".join) | st.text())
@example("a/./b")
def test_every_title_is_a_path_below_the_folder(title: str) -> None:
    """Judged by other code than ours: joined to a folder it stays there, on POSIX and on Windows."""
    parsed = parse_title(title)
    if is_successful(parsed):
        path = parsed.unwrap()
        whole = os.path.normpath(os.path.join("/folder", path))  # noqa: PTH118  the judge is another one
        assert whole == f"/folder/{path}"
        assert whole.startswith("/folder/")
        assert not PureWindowsPath(path).drive
        assert not PureWindowsPath(path).is_absolute()
        assert ".." not in {*PurePosixPath(path).parts, *PureWindowsPath(path).parts}
        assert parse_title(path).unwrap() == path


@given(st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_what_a_file_is_called_can_be_pulled_again_or_is_refused_when_pushed(path: str) -> None:
    """Nobody pushes what nobody can pull."""
    parsed = parse_title(title_of(path))
    assert not is_successful(parsed) or not parsed.unwrap().startswith(("/", "../"))


@pytest.mark.parametrize(
    "titles", [["a", "a"], ["a", "./a"], ["a/b", "a/./b"], ["a", "a/b"], ["a/b/c", "a"], ["x", "a/b/c", "a/b"]]
)
def test_two_files_do_not_share_a_place(titles: list[str]) -> None:
    """The last one would win, and it would be another one for another tool."""
    assert not is_successful(distinct_titles(titles))
    assert not is_successful(distinct_titles(list(reversed(titles))))


def test_different_titles_keep_their_order() -> None:
    """A path for each title, and no other."""
    assert distinct_titles(["b", "./a/x", "a/y"]).unwrap() == ("b", "a/x", "a/y")
