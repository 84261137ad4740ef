"""Upload sessions: whatever a server makes of its Locations, bytes go once, in order, and to the right place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from returns.result import Success
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.domain.reference import Repository
from registry_fp.protocol.location import resolve_location, with_parameter
from registry_fp.protocol.message import Body, Chunks, Response
from registry_fp.protocol.upload import (
    Upload,
    after_begin,
    after_cancel,
    after_commit,
    after_send,
    after_status,
    begin_upload,
    cancel_upload,
    commit_upload,
    send_chunk,
    upload_status,
)
from tests.protocol.answers import answer, taken

ORIGIN: Final = "https://one.example"
FOLDER: Final = "/v2/team/app/blobs/uploads/"
APP = Repository("one.example", "team/app")
DIGEST = digest_of(b"blob")
OTHER = digest_of(b"other")

SHAPES: Final[dict[str, tuple[str, str]]] = {
    "relative": ("{n}?_state={n}", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "absolute": (f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "path": (f"{FOLDER}{{n}}?_state={{n}}", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "elsewhere": ("/odd/place;v=1/{n}?x", f"{ORIGIN}/odd/place;v=1/{{n}}?x"),
    "no query": (f"{FOLDER}{{n}}", f"{ORIGIN}{FOLDER}{{n}}"),
    "encoded state": (
        f"{FOLDER}{{n}}?_state=a%2Fb%2B%3D%7e'@{{n}}",
        f"{ORIGIN}{FOLDER}{{n}}?_state=a%2Fb%2B%3D%7e'@{{n}}",
    ),
    "default port": (f"{ORIGIN}:443{FOLDER}{{n}}?_state={{n}}", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "fragment": (f"{FOLDER}{{n}}?_state={{n}}#top", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "no scheme": (f"//one.example{FOLDER}{{n}}?_state={{n}}", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
    "upper case": (f"HTTPS://ONE.example{FOLDER}{{n}}?_state={{n}}", f"https://ONE.example{FOLDER}{{n}}?_state={{n}}"),
    "spaces around": (f"  {FOLDER}{{n}}?_state={{n}} ", f"{ORIGIN}{FOLDER}{{n}}?_state={{n}}"),
}
"""What a Location says, and the URL that it means; `n` is another one in each answer."""


async def _nothing() -> Chunks:
    yield Success(b"")


class Sessions(RuleBasedStateMachine):
    """A client on the state machine, and a strict server that knows what it holds and where it said to go next."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.held: list[tuple[int, int]] = []  # the ranges that arrived, in order
        self.meant = ""
        self.upload = Upload(APP, URL(ORIGIN))
        self.in_doubt = False

    @property
    def size(self) -> int:
        """How many bytes the server holds."""
        return self.held[-1][1] if self.held else 0

    def location(self, shape: str) -> str:
        """The next Location of the server, which now accepts only this one."""
        self.number += 1
        said, meant = SHAPES[shape]
        self.meant = meant.format(n=self.number)
        return said.format(n=self.number)

    def progress(self, status: int, shape: str, *, told: bool = True) -> Response:
        """The server's answer, with how far it got."""
        located = {"location": self.location(shape)}
        ranged = {"range": f"0-{max(self.size - 1, 0)}"} if told else {}
        return Response(status, located | ranged, URL(f"{ORIGIN}{FOLDER}0", encoded=True))

    @initialize(shape=st.sampled_from(sorted(SHAPES)))
    def begin(self, shape: str) -> None:
        """A session is opened."""
        assert begin_upload(URL(ORIGIN), APP).method == "POST"
        self.upload = after_begin(APP, self.progress(202, shape)).unwrap()

    @precondition(lambda self: not self.in_doubt)
    @rule(shape=st.sampled_from(sorted(SHAPES)), length=st.integers(2, 10**9), told=st.booleans(), known=st.booleans())
    def send(self, shape: str, length: int, told: bool, known: bool) -> None:
        """A chunk arrives, and the answer too, with a Range or without.

        One byte alone cannot be told from none: `0-0` is both, and then a client begins anew (distribution-spec#578).
        """
        request = send_chunk(self.upload, Body(_nothing, length if known else None))
        assert str(request.url) == self.meant
        first, last = self.size, self.size + length - 1
        assert request.headers.get("Content-Range") == (f"{first}-{last}" if known else None)
        self.held.append((first, last + 1))
        self.upload = after_send(self.upload, length, self.progress(202, shape, told=told)).unwrap()

    @precondition(lambda self: not self.in_doubt)
    @rule(length=st.integers(2, 10**6), kept=st.integers(0, 10**6))
    def cut(self, length: int, kept: int) -> None:
        """A chunk arrives in part, and no answer comes: only the server knows how far it got."""
        request = send_chunk(self.upload, Body(_nothing, length))
        assert str(request.url) == self.meant
        part = min(kept, length)
        if part and self.size + part > 1:
            self.held.append((self.size, self.size + part))
        self.in_doubt = True

    @precondition(lambda self: self.in_doubt)
    @rule(shape=st.sampled_from(sorted(SHAPES)))
    def ask(self, shape: str) -> None:
        """The client asks, and goes on from the server's offset and at its newest Location."""
        request = upload_status(self.upload)
        assert str(request.url) == self.meant
        self.upload = after_status(self.upload, self.progress(204, shape)).unwrap()
        self.in_doubt = False

    @rule(wrong=st.integers(1, 10**6))
    def stumble(self, wrong: int) -> None:
        """An acknowledgement of another number of bytes than were sent is never taken for progress."""
        response = answer(202, location="/u/x", range=f"0-{self.upload.sent + 9 + wrong}")
        refused = taken(after_send(self.upload, 10, response))
        assert refused == why.RangeRejected(self.upload.sent + 10, self.upload.sent + 10 + wrong)

    @invariant()
    def what_is_held_has_no_gap(self) -> None:
        """The ranges tile the bytes from the first to the last, and both sides agree."""
        assert all(self.held[n][0] == [(0, 0), *self.held][n][1] for n in range(len(self.held)))
        if not self.in_doubt:
            assert self.upload.sent == self.size

    @invariant()
    def the_end_is_at_the_newest_location_too(self) -> None:
        """Commit and cancellation go where the last answer said, and the digest is all that is added."""
        sign = "&" if "?" in self.meant else "?"
        assert str(commit_upload(self.upload, DIGEST).url) == f"{self.meant}{sign}digest={DIGEST}"
        assert str(cancel_upload(self.upload).url) == self.meant


Sessions.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestSessions = Sessions.TestCase
TestSessions.__doc__ = "A chunk at a stale Location kills the session on distribution 2 (oras-project/oras-py#150)."


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_location_means_one_url(shape: str) -> None:
    """Each was seen in a registry; what is signed in it must come back as it was sent."""
    said, meant = (text.format(n=7) for text in SHAPES[shape])
    assert str(resolve_location(URL(f"{ORIGIN}{FOLDER}"), said).unwrap()) == meant


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (None, why.ProtocolViolation),
        ("", why.ProtocolViolation),
        ("http://[::1", why.ProtocolViolation),
        ("https://one.example:99999/", why.ProtocolViolation),
        ("https://one.example:0/", why.ProtocolViolation),
        ("javascript:alert(1)", why.ProtocolViolation),
        ("/a b", why.ProtocolViolation),
        ("/a\x00b", why.ProtocolViolation),
        ("/a\nHost: two.example", why.ProtocolViolation),
        ("/é", why.ProtocolViolation),
        ("/\udcff", why.ProtocolViolation),
        ("//two.example/u", why.PolicyRefused),
        ("https://two.example/u?secret", why.PolicyRefused),
        ("http://one.example/u", why.PolicyRefused),
        ("https://one.example:444/u", why.PolicyRefused),
        ("https://one.example./u", why.PolicyRefused),
        ("https://one.example@two.example/u", why.PolicyRefused),
        ("https://user:word@one.example/u", why.PolicyRefused),
        ("https:///\\two.example/u", None),
    ],
)
def test_a_location_that_leads_away_or_nowhere_is_refused(said: str | None, kind: type | None) -> None:
    """The bytes of a private image, and the credentials with them, go where they were meant to go."""
    out = taken(resolve_location(URL(f"{ORIGIN}{FOLDER}"), said))
    assert isinstance(out, URL if kind is None else kind)
    if isinstance(out, URL):
        assert out.origin() == URL(ORIGIN)
    if isinstance(out, why.PolicyRefused):
        assert "secret" not in out.url
        assert "word" not in out.url


@given(st.text(max_size=60) | st.from_regex(r"[a-z]{0,5}:?/{0,3}[\w.:@\[\]-]{0,20}[/?#]?[!-~]{0,20}", fullmatch=True))
def test_no_location_leads_to_another_origin(said: str) -> None:
    """However it is written: another host, another scheme, another port or a user in it."""
    out = resolve_location(URL(f"{ORIGIN}{FOLDER}"), said)
    if isinstance(out, Success):
        url = out.unwrap()
        assert (url.scheme, (url.host or "").lower(), url.port) == ("https", "one.example", 443)
        assert (url.user, url.password, url.fragment) == (None, None, "")
        assert str(url).isascii()
        assert str(url).isprintable()


@given(st.from_regex(r"\?[!-\"$-~]{0,40}", fullmatch=True), st.sampled_from(["/u/1", "/u/%2F", "/u;a=b"]))
def test_the_digest_is_added_and_nothing_else_changes(query: str, path: str) -> None:
    """A registry signs its query: another spelling of the same characters is another signature."""
    before = URL(f"{ORIGIN}{path}{query}", encoded=True)
    assert (
        str(with_parameter(before, "digest", str(DIGEST)))
        == f"{before}{'&' if '?' in str(before) else '?'}digest={DIGEST}"
    )


BEGUN = Upload(APP, URL(f"{ORIGIN}/u/1", encoded=True), sent=5, min_chunk=0)


@pytest.mark.parametrize(
    ("step", "response", "expected"),
    [
        (lambda r: after_send(BEGUN, 10, r), answer(201), 15),  # aws/containers-roadmap#2831
        (lambda r: after_send(BEGUN, 10, r), answer(202, range="0-14"), 15),
        (lambda r: after_send(BEGUN, 10, r), answer(202, range="bytes=0-14"), 15),
        (lambda r: after_send(BEGUN, 10, r), answer(202, range="garbage"), 15),
        (lambda r: after_send(BEGUN, 10, r), answer(202, range="0-0"), why.RangeRejected(15, 1)),
        (lambda r: after_send(BEGUN, 10, r), answer(202, range="0-4"), why.RangeRejected(15, 5)),
        (lambda r: after_send(BEGUN, 10, r), answer(416, range="0-4"), why.RangeRejected(5, 5)),
        (lambda r: after_send(BEGUN, 10, r), answer(416), why.RangeRejected(5, None)),
        (lambda r: after_send(BEGUN, 10, r), answer(404), why.UploadLost(5)),
        (lambda r: after_send(BEGUN, 10, r), answer(400), why.Refused(400)),
        (lambda r: after_send(BEGUN, 10, r), answer(413), why.Refused(413)),
        (lambda r: after_send(BEGUN, 10, r), answer(401), why.Unauthenticated()),
        (lambda r: after_status(BEGUN, r), answer(204, range="0-9"), 10),
        (lambda r: after_status(BEGUN, r), answer(204, range="0-0"), 0),
        (lambda r: after_status(BEGUN, r), answer(204), 0),
        (lambda r: after_status(BEGUN, r), answer(404), why.UploadLost(5)),
    ],
)
def test_the_servers_word_on_how_far_it_got_decides(
    step: Callable[[Response], object], response: Response, expected: object
) -> None:
    """Bytes that a registry left out, and a client took for sent, are a blob of another digest at the very end."""
    out = taken(step(response))  # type: ignore[arg-type]  # a result of either kind
    assert (out.sent if isinstance(out, Upload) else out) == expected


@pytest.mark.parametrize(
    ("said", "least"),
    [("1", 1), ("5242880", 5242880), (str(2**40), 64 * 1024 * 1024), ("-1", 0), ("x", 0), ("", 0), ("9" * 400, 0)],
)
def test_the_smallest_chunk_is_what_the_registry_says_within_reason(said: str, least: int) -> None:
    """`OCI-Chunk-Min-Length` must not make a client hold a terabyte."""
    assert after_begin(APP, answer(202, location="/u", oci_chunk_min_length=said)).unwrap().min_chunk == least


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(201), DIGEST),
        (answer(204), DIGEST),
        (answer(201, docker_content_digest=str(DIGEST)), DIGEST),
        (answer(201, docker_content_digest=str(digest_of(b"blob", "sha512"))), DIGEST),
        (answer(201, docker_content_digest=str(OTHER)), why.DigestMismatch(DIGEST, OTHER)),
        (answer(202), why.ProtocolViolation("status 202 is no answer to this request")),
        (answer(404), why.UploadLost(5)),
        (answer(416), why.RangeRejected(5, None)),
    ],
)
def test_a_commit_is_done_only_when_the_registry_says_so(response: Response, expected: object) -> None:
    """And under the digest that was meant, as far as the two can be compared."""
    assert taken(after_commit(BEGUN, DIGEST, response)) == expected


@pytest.mark.parametrize(("status", "done"), [(200, True), (202, True), (204, True), (404, True), (405, False)])
def test_a_session_that_is_gone_is_as_good_as_cancelled(status: int, done: bool) -> None:
    """A cancellation is asked for twice when its answer was lost."""
    assert isinstance(after_cancel(answer(status)), Success) is done
