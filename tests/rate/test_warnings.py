"""Warnings: what a registry wants the user to know, and nothing else, reaches the user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp.protocol.warning import WARNINGS_LIMIT, warnings_in

SPOKEN: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "one": ('299 - "This repository will be closed."', ("This repository will be closed.",)),
    "two in one header": ('299 - "one", 299 - "two"', ("one", "two")),
    "one twice": ('299 - "one", 299 - "one"', ("one",)),
    "a comma and a quotation": (r'299 - "a, \"b\", c"', ('a, "b", c',)),
    "an agent and a date": ('299 registry.example "old" "Tue, 14 Nov 2023 22:13:20 GMT", 299 - "new"', ("old", "new")),
    "a cache's": ('110 proxy "Response is Stale", 214 - "changed"', ()),
    "a cache's and ours": ('110 proxy "299 - ", 299 - "ours"', ("ours",)),
    "one in another": (r'299 - "it says 299 - \"x\""', ('it says 299 - "x"',)),
    "an escape sequence": ('299 - "\x1b[2Jgone\u202e"', (r"\x1b[2Jgone\u202e",)),
    "bytes that are no text": ('299 - "\udcff"', (r"\udcff",)),
    "without an end": ('299 - "no end', ("no end",)),
    "without quotation marks": ("299 - closed", ()),
    "without an agent": ('299 "closed"', ()),
    "blank": ('299 - "  "', ()),
    "empty": ("", ()),
    "none": (None, ()),
    "text before it": ('hello 299 - "x"', ("x",)),
}


@pytest.mark.parametrize("way", SPOKEN)
def test_a_warning_is_its_text(way: str) -> None:
    """Registries, caches between, and their mistakes: only what a registry says to the user is kept."""
    header, texts = SPOKEN[way]
    assert warnings_in(header) == texts


@given(st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1), max_size=12))
def test_what_is_quoted_comes_back(texts: list[str]) -> None:
    """Whatever printable text a registry quotes by the rules arrives as it was meant."""
    quoted = ", ".join('299 - "' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in texts)
    if len(quoted) <= WARNINGS_LIMIT:
        assert warnings_in(quoted) == tuple(dict.fromkeys(each for each in texts if each.isprintable()))


@given(st.text(st.sampled_from('29 -",\\\n\x00aé'), max_size=200))
def test_whatever_a_header_says_what_is_kept_can_be_shown(header: str) -> None:
    """No byte of a server moves the cursor of the one who reads it."""
    for text in warnings_in(header):
        assert text.isprintable()
        assert text.strip()


@pytest.mark.parametrize("unit", ['299 - "', "299 - ", '"', "\\", ",", '299 - "a" "b" '])
def test_a_long_header_is_read_in_no_time_and_only_in_part(unit: str) -> None:
    """The server chooses the length, and must not choose the work."""
    texts = warnings_in(unit * 1_000_000)
    assert len(texts) <= 16
    assert sum(len(text) for text in texts) <= WARNINGS_LIMIT
