"""Strict JSON: read only what every reader would read the same."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.errors import LimitExceeded, MalformedDocument
from registry_fp.domain.strict_json import DEPTH_LIMIT, load_strict

LIMIT = 1_000_000

REFUSED = [
    (b"", "not JSON"),
    (b" ", "not JSON"),
    (b"{", "not JSON"),
    (b'{"a":1,}', "not JSON"),
    (b"[1,]", "not JSON"),
    (b"{'a':1}", "not JSON"),
    (b"{} {}", "not JSON"),
    (b"// no\n{}", "not JSON"),
    (b"[01]", "not JSON"),
    (b"[+1]", "not JSON"),
    (b"[.5]", "not JSON"),
    (b'["\x01"]', "not JSON"),
    (b'["\\x41"]', "not JSON"),
    (b"\x0b{}", "not JSON"),
    (b"\xc2\xa0{}", "not JSON"),
    (b'{"a":1,"a":1}', "stands twice"),
    (b'{"a":1,"\\u0061":2}', "stands twice"),
    (b'[{"b":{"a":1,"a":{}}}]', "stands twice"),
    (b"NaN", "NaN is not JSON"),
    (b"[Infinity]", "Infinity is not JSON"),
    (b'{"a":-Infinity}', "-Infinity is not JSON"),
    (b"[1e999]", "too large a number"),
    (b"[-1e999]", "too large a number"),
    (b"1" * 5000, "not JSON"),
    (b"\xef\xbb\xbf{}", "byte order mark"),
    ("{}".encode("utf-16"), "not UTF-8"),
    ('{"a":1}'.encode("utf-16-le"), "not JSON"),
    ('{"a":1}'.encode("utf-32-be"), "not JSON"),
    (b'["\xff"]', "not UTF-8"),
    (b'["\xed\xa0\x80"]', "not UTF-8"),
    (b'["\xc0\xaf"]', "not UTF-8"),
    (b'"\\ud800"', "lone surrogate"),
    (b'["\\udc00"]', "lone surrogate"),
    (b'{"\\ud800":1}', "lone surrogate"),
    (b'{"a":[{"b":"x\\udfffy"}]}', "lone surrogate"),
]


def test_what_readers_disagree_on_is_refused() -> None:
    """An attacker lives in the difference between two parsers."""
    for raw, part in REFUSED:
        failure = load_strict(raw, limit=LIMIT).failure()
        assert isinstance(failure, MalformedDocument), raw
        assert part in failure.why, (raw, failure.why)


def _nested(depth: int, innermost: str) -> bytes:
    return ("[" * depth + innermost + "]" * depth).encode()


@pytest.mark.parametrize("innermost", ["", "1", '"x"', "null"])
def test_sixty_four_levels_are_read_and_sixty_five_are_not(innermost: str) -> None:
    """A stack must not end on a hostile document; honest ones are ten deep."""
    assert is_successful(load_strict(_nested(DEPTH_LIMIT, innermost), limit=LIMIT))
    refused = load_strict(_nested(DEPTH_LIMIT + 1, innermost), limit=LIMIT)
    assert refused.failure() == LimitExceeded("levels of JSON", DEPTH_LIMIT)


@pytest.mark.parametrize("raw", [b"[" * 100_000, _nested(100_000, ""), b'{"a":' * 100_000])
def test_a_document_that_would_end_the_stack_is_only_refused(raw: bytes) -> None:
    """One request must not be able to bring a service down."""
    assert not is_successful(load_strict(raw, limit=LIMIT))


def test_a_lone_surrogate_is_found_at_any_depth() -> None:
    """The deepest string that is read is looked at like any other."""
    for depth in (0, 1, DEPTH_LIMIT - 1, DEPTH_LIMIT):
        failure = load_strict(_nested(depth, '"\\ud800"'), limit=LIMIT).failure()
        assert failure == MalformedDocument("a lone surrogate is not text")


def test_a_pair_of_escaped_surrogates_is_one_character() -> None:
    """Emoji in a label are text, however they are written."""
    assert load_strict(b'"\\ud83d\\ude00"', limit=LIMIT).unwrap() == "\N{GRINNING FACE}"


def test_the_limit_is_in_bytes_and_inclusive() -> None:
    """A limit of four megabytes takes a manifest of four megabytes."""
    assert is_successful(load_strict(b'"\xc3\xa4"', limit=4))
    assert load_strict(b'"\xc3\xa4"', limit=3).failure() == LimitExceeded("bytes of JSON", 3)


class _Object(list[tuple[str, Any]]):
    """A JSON object in the order, and with the repetitions, of its text."""


_names = st.sampled_from(["a", "b", "aa", "A", "ä", ""])
_scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_documents = st.recursive(
    _scalars | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(_names, inner), max_size=4).map(_Object),
    max_leaves=12,
)


def _text(node: Any, escape: bool) -> str:
    if isinstance(node, _Object):
        shown = (
            f"{_name(name, escape and index % 2 == 1)}: {_text(value, escape)}"
            for index, (name, value) in enumerate(node)
        )
        return "{" + ", ".join(shown) + "}"
    if isinstance(node, list):
        return "[" + ",".join(_text(each, escape) for each in node) + "]"
    return json.dumps(node, ensure_ascii=escape)


def _name(name: str, escape: bool) -> str:
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"' if escape else json.dumps(name)


def _repeats(node: Any) -> bool:
    if isinstance(node, _Object):
        return len({name for name, _ in node}) < len(node) or any(_repeats(value) for _, value in node)
    return isinstance(node, list) and any(_repeats(each) for each in node)


@given(document=_documents, escape=st.booleans())
@example(document=_Object([("a", 1), ("a", 1)]), escape=True)
def test_a_name_that_stands_twice_is_refused_and_everything_else_is_read(document: Any, escape: bool) -> None:
    """However deep, and however the second one is spelled: exactly the documents that have one."""
    raw = _text(document, escape).encode()
    loaded = load_strict(raw, limit=LIMIT)
    assert is_successful(loaded) != _repeats(document)
    if is_successful(loaded):
        assert loaded.unwrap() == json.loads(raw)


_soup = st.text(alphabet='{}[]",:0123456789eE+-.ntfalsruNI\\/ \nab\u00e4\ufeff', max_size=24)


@given(text=_soup | st.builds(lambda document, tail: _text(document, False)[: -len(tail) or None], _documents, _soup))
@example("1E400")
@example("-0.0")
@example('{"a":1,"a":2}')
def test_it_agrees_with_the_standard_library_on_everything_else(text: str) -> None:
    """Stricter where it says so, and different nowhere."""
    loaded = load_strict(text.encode(), limit=LIMIT)
    strange: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        strange.extend(["twice"] * (len(dict(found)) < len(found)))
        return dict(found)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=strange.append)
    except ValueError:
        assert not is_successful(loaded)
        return
    if strange or _infinite(value):
        assert not is_successful(loaded)
    else:
        assert repr(loaded.unwrap()) == repr(value)


def _infinite(node: Any) -> bool:
    if isinstance(node, dict):
        return any(_infinite(each) for each in node.values())
    if isinstance(node, list):
        return any(_infinite(each) for each in node)
    return isinstance(node, float) and math.isinf(node)


@given(raw=st.binary(max_size=40))
def test_no_bytes_are_a_crash(raw: bytes) -> None:
    """Whatever a server sends is a value or a reason."""
    loaded = load_strict(raw, limit=LIMIT)
    assert is_successful(loaded) or isinstance(loaded.failure(), MalformedDocument | LimitExceeded)
