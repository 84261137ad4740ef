"""Refusals: what a status that is no success means, and what a registry says about it."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Problem, Reason
from registry_fp.protocol.problem import problems_in
from registry_fp.protocol.refusal import Sought, fault_of, refusal
from registry_fp.protocol.retry_after import parse_retry_after
from tests.protocol.answers import answer, bodies, texts

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("1000000000", 1e9),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),  # RFC 850, which RFC 9110 still wants to be read
        ("880.092µs", 880.092e-6),  # dependabot/cli#380
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("-5", None),
        ("1e9", None),
        ("1m30s", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣", None),
        ("9" * 5000, None),
        ("Tue, 99 Nov 2023 22:13:50 GMT", None),
        ("Tue, 14 Nov 99999 22:13:50 GMT", None),
        ("Thu, 01 Jan 0001 00:00:00 +9999", None),
    ],
)
def test_retry_after_is_read_in_every_form_that_registries_use(value: str | None, pause: float | None) -> None:
    """What cannot be read is no request to wait; our own back-off is in force then."""
    read = parse_retry_after(value, NOW)
    assert read == (pause if pause is None else pytest.approx(pause))


@given(
    texts | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]?\w{0,6}", fullmatch=True)
)
def test_no_retry_after_breaks_the_reader_or_turns_back_time(value: str) -> None:
    """A negative or infinite pause would be slept, or raised, by whoever waits."""
    pause = parse_retry_after(value, NOW)
    assert pause is None or 0.0 <= pause < 1e18


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (b'{"errors": [{"code": "DENIED", "message": "no"}]}', (Problem("DENIED", "no"),)),
        (b'{"errors": [{"code": "denied", "message": "no", "detail": {"x": 1}}]}', (Problem("DENIED", "no"),)),
        (b'{"errors": [{"message": "no"}]}', (Problem("UNKNOWN", "no"),)),
        (b'{"errors": ["no"]}', (Problem("UNKNOWN", "no"),)),
        (b'{"errors": [{"code": 7, "message": null}]}', (Problem("UNKNOWN", ""),)),
        (b'{"errors": null}', ()),
        (b'{"errors": {}}', ()),
        (b'{"errors": []}', ()),
        (b'["errors"]', ()),
        (b"null", ()),
        (b"", ()),
        (b"404 page not found", ()),
        (b"<html>502 Bad Gateway</html>", ()),
        (b"\xff\xfe\x00", ()),
        (b'{"errors": [{"code": "DENIED", "message": "\xff"}]}', ()),
        (b"[" * 100_000, ()),
        (b'{"errors": ' + b"9" * 5000 + b"}", ()),
        (b" " * (10 * 1024 * 1024), ()),
        (
            b'{"errors": [{"code": "A\\u001b[31m", "message": "x\\ny\\u202ez\\ud800"}]}',
            (Problem("A [31M", "x y z"),),
        ),
    ],
)
def test_what_a_registry_says_about_its_failure_is_read_if_it_can_be(
    body: bytes, problems: tuple[Problem, ...]
) -> None:
    """A proxy's page, half a document or an escape sequence must not hide the status, or reach a terminal."""
    assert problems_in(body) == problems


@given(bodies())
@example(json.dumps({"errors": [{"code": "c" * 900, "message": "m" * 900}] * 30}).encode())
def test_what_is_kept_of_it_is_bounded_and_harmless(body: bytes) -> None:
    """It goes into errors, logs and terminals."""
    problems = problems_in(body)
    assert len(problems) <= 8
    for problem in problems:
        assert len(problem.code) <= 3 * 64  # a letter may have three in upper case
        assert len(problem.message) <= 300
        assert (problem.code + problem.message).isprintable()


@given(st.integers(100, 999), bodies(), st.sampled_from(get_args(Sought)), texts)
def test_every_status_is_a_reason(status: int, body: bytes, sought: Sought, after: str) -> None:
    """Total over status and body: a server cannot find one that nobody thought of."""
    response = answer(status, body, retry_after=after)
    assert isinstance(refusal(response, sought), get_args(Reason))
    fault = fault_of(response, NOW)
    assert (fault is not None) == (status in (408, 429) or status >= 500)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, why.ProtocolViolation),
        (206, why.ProtocolViolation),
        (301, why.ProtocolViolation),
        (400, why.Refused),
        (401, why.Unauthenticated),
        (403, why.Denied),
        (404, why.NotFound),
        (405, why.Refused),
        (408, why.ServerFault),
        (413, why.Refused),
        (416, why.Refused),
        (418, why.Refused),
        (429, why.RateLimited),
        (499, why.Refused),
        (500, why.ServerFault),
        (501, why.ServerFault),
        (599, why.ServerFault),
    ],
)
def test_a_status_has_one_reason(status: int, kind: type) -> None:
    """Which one decides whether it is tried again, and what the user is told to do."""
    assert isinstance(refusal(answer(status), "blob"), kind)


@pytest.mark.parametrize(
    ("code", "sought", "what"),
    [
        ("NAME_UNKNOWN", "manifest", "repository"),
        ("name_unknown", "blob", "repository"),
        ("MANIFEST_UNKNOWN", "manifest", "manifest"),
        ("MANIFEST_BLOB_UNKNOWN", "repository", "blob"),
        ("NAME_UNKNOWN", "registry", "registry"),
        ("WHATEVER", "tag", "tag"),
    ],
)
def test_a_404_says_what_is_missing(code: str, sought: Sought, what: str) -> None:
    """A repository that does not exist is another mistake than a tag that does not."""
    body: Any = json.dumps({"errors": [{"code": code, "message": ""}]}).encode()
    reason = refusal(answer(404, body), sought)
    assert isinstance(reason, why.NotFound)
    assert reason.what == what


@pytest.mark.parametrize(
    ("status", "after", "reason"),
    [
        (429, "7", why.RateLimited(7.0)),
        (429, "nonsense", why.RateLimited(None)),
        (503, "7", why.ServerFault(503, (), 7.0)),
        (408, "", why.ServerFault(408)),
    ],
)
def test_a_fault_keeps_the_pause_that_was_asked_for(status: int, after: str, reason: Reason) -> None:
    """Whoever comes back too early is limited again."""
    assert fault_of(answer(status, retry_after=after), NOW) == reason
