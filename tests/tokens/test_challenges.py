"""Challenges: every grammar of the header, from servers that read the same text differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp.protocol.challenge import CHALLENGES_LIMIT, challenges_in
from registry_fp.protocol.scope import RESOURCES_LIMIT, are_covered, merge_scopes, scopes_in

REALM = {"realm": "https://a.example/t"}
READ = [
    (None, []),
    ("", []),
    (" , ,", []),
    ("Basic", [("basic", {})]),
    ('BASIC realm="x"', [("basic", {"realm": "x"})]),
    ('Bearer realm="https://a.example/t"', [("bearer", REALM)]),
    ("Bearer realm=https://a.example/t", [("bearer", REALM)]),
    ('Bearer realm = "https://a.example/t" , Scope="a,b c"', [("bearer", {**REALM, "scope": "a,b c"})]),
    ('bearer\trealm="https://a.example/t"', [("bearer", REALM)]),
    ('Bearer realm="a\\"b\\\\c"', [("bearer", {"realm": 'a"b\\c'})]),
    ('Bearer realm="a", realm="b"', [("bearer", {"realm": "a"})]),
    ('Bearer realm="open, Basic realm=x', [("bearer", {"realm": "open, Basic realm=x"})]),
    ('Bearer realm="a", Basic realm="b"', [("bearer", {"realm": "a"}), ("basic", {"realm": "b"})]),
    ('Basic realm="b",Bearer realm="a"', [("basic", {"realm": "b"}), ("bearer", {"realm": "a"})]),
    ("Negotiate, Basic", [("negotiate", {}), ("basic", {})]),
    ("Negotiate YWJjZA==, Basic", [("negotiate", {}), ("basic", {})]),
    ("NTLM a/b+c=, Bearer realm=x", [("ntlm", {}), ("bearer", {"realm": "x"})]),
    ('Basic realm="a" Bearer realm="b"', [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
    ('"Basic", Bearer realm="b"', [("bearer", {"realm": "b"})]),
    ('realm="x"', []),
    ("Bearer realm=", [("bearer", {})]),
    ('Bearer error="invalid_token",realm="x"', [("bearer", {"error": "invalid_token", "realm": "x"})]),
]


@pytest.mark.parametrize(("header", "read"), READ)
def test_a_header_is_read(header: str | None, read: list[tuple[str, dict[str, str]]]) -> None:
    """What stands in quotes is no challenge, and what is strange is passed over."""
    assert [(each.scheme, dict(each.parameters)) for each in challenges_in(header)] == read


_NAME = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-._!#$%&'*+^`|~", min_size=1, max_size=12)
_CHALLENGE = st.tuples(_NAME, st.dictionaries(_NAME.map(str.lower), st.text(max_size=30), max_size=6))


@given(st.lists(_CHALLENGE, max_size=6), st.sampled_from([",", ", ", " , ", ",\t,"]))
def test_what_is_written_by_the_grammar_is_read_back(written: list[tuple[str, dict[str, str]]], separator: str) -> None:
    """Any names, and any text in quotes."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} {separator.join(f'{name}={quoted(text)}' for name, text in parameters.items())}".rstrip()
        for scheme, parameters in written
    )
    found = [(each.scheme, dict(each.parameters)) for each in challenges_in(header)]
    assert found == [(scheme.lower(), parameters) for scheme, parameters in written]


@given(st.text(max_size=200))
def test_anything_can_be_read(header: str) -> None:
    """Nothing raises, and nothing is unbounded."""
    assert len(challenges_in(header)) <= CHALLENGES_LIMIT


@pytest.mark.parametrize(
    "part", ['"', '\\"', "a=", 'a="', "a ", " ", ",", "a=b,", "Basic ", 'x="\\', "=", "a\t", "é", "Basic a=b,"]
)
def test_a_hostile_header_is_read_once(part: str) -> None:
    """In a time that grows with its length: a quadratic reader would hang here."""
    challenges_in((part * 65_536)[: 64 * 1024])
    challenges_in("Bearer " + (part * 65_536)[: 60 * 1024])
    assert challenges_in(part * 10**6 + "Basic" * 100_000) == ()


_SCOPES = st.lists(
    st.builds(
        lambda name, actions: f"repository:{name}:{','.join(actions)}",
        st.sampled_from(["a", "b/c", "host:5000/d"]),
        st.lists(st.sampled_from(["pull", "push", "delete"]), min_size=1, unique=True),
    ),
    max_size=5,
)


@given(_SCOPES, _SCOPES)
def test_merged_scopes_cover_both(newest: list[str], older: list[str]) -> None:
    """A token for all of it, each resource once, and the newest first."""
    merged = merge_scopes(newest, older)
    assert are_covered(newest, merged)
    assert are_covered(older, merged)
    assert len({each.rpartition(":")[0] for each in merged}) == len(merged)
    assert merge_scopes(merged, ()) == merged
    if newest:
        assert merged[0].rpartition(":")[0] == newest[0].rpartition(":")[0]


def test_scopes_have_a_bound() -> None:
    """A registry cannot have us ask for more and more."""
    assert len(scopes_in(" ".join(f"repository:{n}:pull" for n in range(1000)))) == RESOURCES_LIMIT
    assert scopes_in("repository:" + "x" * 5000 + ":pull") == ()
