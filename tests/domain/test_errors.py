"""Errors: values that say what went wrong, to code, to people and to the shell."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import fields, is_dataclass
from errno import ENOENT, ENOSPC
from typing import Any, Final, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import Reason, RegistryError
from registry_fp.domain.exit_code import exit_code
from registry_fp.domain.explain import describe, explain, hint
from registry_fp.domain.transient import is_transient
from registry_fp.transport.proxy import Proxy
from registry_fp.transport.reach import Zone
from registry_fp.transport.route import out_of_reach

REASONS: Final[tuple[type, ...]] = get_args(Reason)

# For every reason: its exit code, and whether trying again can help. A change here is a change of behaviour.
DECIDED: Final[dict[Reason, tuple[int, bool]]] = {
    why.DnsFailed("ghcr.io"): (69, False),
    why.DnsFailed("ghcr.io", temporary=True): (69, True),
    why.ConnectFailed("ghcr.io", "refused"): (69, True),
    why.TlsFailed("ghcr.io", "self-signed certificate"): (69, False),
    why.TimedOut("read", 30.0): (75, True),
    why.DeadlineExceeded(60.0): (75, False),
    why.ConnectionLost(5): (69, True),
    why.ServerFault(500): (69, True),
    why.ServerFault(503, (), 2.0): (69, True),
    why.ServerFault(408): (69, True),
    why.ServerFault(501): (69, False),
    why.ServerFault(505): (69, False),
    why.RateLimited(1.0): (75, True),
    why.Unauthenticated(): (77, False),
    why.Denied(): (77, False),
    why.NotFound("blob"): (66, False),
    why.Refused(405): (76, False),
    why.UploadLost(10): (75, True),
    why.RangeRejected(10, 5): (75, True),
    why.DigestMismatch(digest_of(b"a"), digest_of(b"b")): (65, False),
    why.SizeMismatch(1, 2): (65, False),
    why.ProtocolViolation("no Location"): (76, False),
    why.PolicyRefused("the location leaves", "https://example.com/"): (76, False),
    why.LimitExceeded("bytes", 10): (65, False),
    why.MalformedDocument("not JSON"): (65, False),
    why.AmbiguousManifest("both"): (65, False),
    why.MediaTypeMismatch("a", "b"): (65, False),
    why.Unsupported("schema 1"): (76, False),
    why.BadReference("A", "lower case"): (2, False),
    why.TarUnreadable("truncated"): (65, False),
    why.InvalidImage("no images"): (65, False),
    why.SourceChanged("app.tar"): (74, False),
    why.LocalIo(ENOENT, "app.tar"): (66, False),
    why.LocalIo(ENOSPC, "app.tar"): (74, False),
    why.Misconfigured("concurrency", "too small"): (78, False),
    why.NotConfirmed("the manifest"): (76, False),
    why.NoSuchPlatform("linux/arm64", ("linux/amd64",)): (66, False),
    why.MissingContent((digest_of(b""),)): (65, False),
    why.TagNotDeletable(digest_of(b""), ("latest",)): (76, False),
    why.Conflict(None, digest_of(b"")): (75, True),
    why.SeveralFailed((RegistryError("push", "a", why.RateLimited()),), 2): (1, True),
    why.SeveralFailed((RegistryError("push", "a", why.RateLimited()), RegistryError("push", "b", why.Denied())), 2): (
        1,
        False,
    ),
}

_CODES: Final = {1, 2, 65, 66, 69, 74, 75, 76, 77, 78}


def _error(reason: Reason) -> RegistryError:
    return RegistryError("push", "localhost:5000/team/app:1", reason)


def test_every_reason_is_decided_on() -> None:
    """A new reason needs an exit code and an answer to "again?", here where it can be read."""
    assert {type(reason) for reason in DECIDED} == set(REASONS)
    for reason, decision in DECIDED.items():
        assert (exit_code(_error(reason)), is_transient(_error(reason))) == decision, reason


def test_every_reason_in_the_module_is_in_the_union() -> None:
    """One that is left out could never be matched."""
    classes = {each for _, each in inspect.getmembers(why, is_dataclass) if isinstance(each, type)}
    assert classes - {why.Problem, RegistryError} == set(REASONS)


def test_every_reason_is_final_frozen_and_slotted() -> None:
    """Final makes a match exhaustive, frozen makes it a value, slots keep it from growing secrets."""
    for value in (why.Problem("DENIED", ""), _error(why.Denied()), *DECIDED):
        kind: Any = type(value)
        assert kind.__final__
        assert kind.__dataclass_params__.frozen
        assert not hasattr(value, "__dict__"), kind


_digests = st.builds(digest_of, st.binary(max_size=3))
_text = st.text(max_size=12) | st.text("\x00\x1b\x9b\r\n\u202e\u2028\x7f", max_size=6)


def _field(hint: Any) -> st.SearchStrategy[Any]:
    if hint is str:
        return _text
    if hint is Digest:
        return _digests
    if hint == tuple[why.Problem, ...]:
        return st.lists(st.builds(why.Problem, _text, _text), max_size=4).map(tuple)
    if hint == tuple[Digest, ...]:
        return st.lists(_digests, max_size=10).map(tuple)
    if hint == tuple[str, ...]:
        return st.lists(_text, max_size=10).map(tuple)
    if hint == Digest | None:
        return st.none() | _digests
    if hint in (float, float | None):
        return st.floats(0, 1e9) if hint is float else st.none() | st.floats(0, 1e9)
    if hint == str | None:
        return st.none() | _text
    chosen: st.SearchStrategy[Any] = st.from_type(hint)
    return chosen


def _reasons_of(kind: type) -> st.SearchStrategy[Any]:
    if kind is why.SeveralFailed:
        inner = st.builds(RegistryError, _text, _text, st.sampled_from(list(DECIDED)))
        return st.builds(why.SeveralFailed, st.lists(inner, max_size=3).map(tuple), st.integers(0, 9))
    hints = get_type_hints(kind, localns={"Digest": Digest})
    if kind is why.LocalIo:
        return st.builds(why.LocalIo, st.integers(0, 200), _text)
    return st.builds(kind, **{name: _field(hint) for name, hint in hints.items()})


_reasons = st.one_of([_reasons_of(kind) for kind in REASONS])
_errors = st.builds(RegistryError, _text, _text, _reasons, st.integers(1, 9), st.floats(0, 1e6))


@given(error=_errors)
def test_no_control_character_reaches_a_terminal(error: RegistryError) -> None:
    """Registries choose their messages, archives their names: neither may write escape sequences into a log."""
    assert describe(error).isprintable()
    assert hint(error).isprintable()
    assert explain(error) == f"{describe(error)}\nhint: {hint(error)}"


@given(error=_errors)
def test_every_error_says_what_was_done_and_why_it_failed_and_what_mends_it(error: RegistryError) -> None:
    """One line for the log, one for the user, one number for the shell."""
    line = describe(error)
    assert f": {type(error.reason).__name__}: " in line
    assert ("attempts" in line.rpartition("(after")[2]) == (error.attempts > 1)
    assert hint(error)
    assert exit_code(error) in _CODES
    assert isinstance(is_transient(error), bool)


@given(error=_errors)
def test_an_error_is_a_value_that_crosses_processes(error: RegistryError) -> None:
    """Fleets collect errors from other machines, compare them and count them."""
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert copied == copy.deepcopy(error) == error
    assert hash(copied) == hash(error)
    assert len({copied, error}) == 1


def test_what_is_worth_trying_again_is_told_so_by_the_shell_too() -> None:
    """A script that repeats on 69 and 75 must not repeat what can never succeed, nor miss what can."""
    temporary = {exit_code(_error(reason)) for reason, (_, transient) in DECIDED.items() if transient}
    assert temporary == {1, 69, 75}


def test_the_facts_of_a_reason_are_in_its_sentence() -> None:
    """A fact that is kept and not told helps nobody."""
    for reason in DECIDED:
        if isinstance(reason, why.TimedOut | why.LocalIo):  # told in words: a phase, and the system's own text
            continue
        line = describe(_error(reason))
        for value in (getattr(reason, field.name) for field in fields(reason)):
            if isinstance(value, str | Digest | int) and not isinstance(value, bool):
                assert str(value) in line, reason


def test_the_grammar_of_names_is_no_hint_for_a_name_that_keeps_to_it() -> None:
    """A digest that is another one, or a layer that there is not: nobody should look for a mistake in the spelling."""
    sound = RegistryError("copy", "ghcr.io/app", why.BadReference("ghcr.io/team/app:1.4", "the source is another one"))
    unsound = RegistryError("copy", "ghcr.io/App", why.BadReference("ghcr.io/App", "names are in lower case"))
    assert "well formed" in hint(sound)
    assert "[HOST[:PORT]/]NAME[:TAG][@DIGEST]" in hint(unsound)


@pytest.mark.parametrize(
    ("reason", "mends"),
    [
        (why.ConnectFailed("127.0.0.1:3128", "the proxy: connection refused"), "no_proxy"),
        (why.Misconfigured("password", "there is none"), "--password-stdin"),
        (why.Misconfigured("docker-credential-pass", "its answer is not JSON"), "install docker-credential-pass"),
        (why.Misconfigured("DOCKER_AUTH_CONFIG", "it is not JSON"), "unset it"),
        (why.InvalidImage("bad layer", "notes.txt", "it is no tar"), "a layer is a tar"),
        (why.InvalidImage("bad name", None, "no layer has a title, so there are no files in it"), "`pull`"),
        (why.InvalidImage("bad name", "a.txt", "it stands twice"), "a name of its own"),
        (why.InvalidImage("bad name", "../a", "it leaves the folder"), "do not trust"),
    ],
)
def test_one_reason_with_several_causes_has_a_hint_for_each(reason: Reason, mends: str) -> None:
    """Who names a file twice is no victim of a forged archive, and a registry that runs is no help to a dead proxy."""
    assert mends in hint(_error(reason))


def test_what_a_policy_refused_has_a_hint_that_mends_it() -> None:
    """To use an address directly helps nobody who was led there."""
    for zone in get_args(Zone):
        if zone == "public":
            continue
        led = out_of_reach(zone, URL("https://10.0.0.1/x"))
        assert ("private_hosts" in hint(_error(led))) == (zone != "metadata"), zone
    proxy = Proxy(URL("http://proxy.example:3128"), "https_proxy").turned_away(403, URL("https://ghcr.io/"))
    assert "no_proxy" in hint(_error(proxy))
    untold = why.PolicyRefused("a token server of another host is not told who we are", "https://auth.example/token")
    assert "trusted_realms" in hint(_error(untold))


def test_a_setting_can_be_mended_in_every_place_that_has_settings() -> None:
    """Who has it in a file would look in vain for a variable."""
    told = hint(_error(why.Misconfigured("retries", "too many")))
    assert "REGISTRY_FP_*" in told
    assert "settings file" in told
