"""References: Docker's grammar and Docker's defaults, held against an independent reading of both."""

from __future__ import annotations

import re
import socket
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import BadReference, RegistryError
from registry_fp.domain.explain import explain
from registry_fp.domain.reference import (
    Reference,
    Repository,
    parse_host,
    parse_reference,
    parse_repository,
    parse_tag,
)

SHA: Final = f"sha256:{'0a' * 32}"

# What `docker pull` makes of a name: (typed, meant).
NORMALISED: Final = [
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    ("library/nginx", "docker.io/library/nginx:latest"),
    ("team/app", "docker.io/team/app:latest"),
    ("a/b/c", "docker.io/a/b/c:latest"),
    ("docker.io/nginx", "docker.io/library/nginx:latest"),
    ("docker.io/team/app:1", "docker.io/team/app:1"),
    ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
    ("registry-1.docker.io/library/nginx", "docker.io/library/nginx:latest"),
    ("Docker.IO/nginx", "docker.io/library/nginx:latest"),
    ("localhost/app", "localhost/app:latest"),
    ("LOCALHOST/app", "localhost/app:latest"),
    ("localhost:5000/app", "localhost:5000/app:latest"),
    ("localhost:5000/team/app:1.4", "localhost:5000/team/app:1.4"),
    ("localhost:05000/app", "localhost:5000/app:latest"),
    ("localhost:5000", "docker.io/library/localhost:5000"),
    ("localhost", "docker.io/library/localhost:latest"),
    ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
    ("[::1]/x", "[::1]/x:latest"),
    ("[::1]:5000/x", "[::1]:5000/x:latest"),
    ("[0:0:0:0:0:0:0:1]:5000/x", "[::1]:5000/x:latest"),
    ("[2001:DB8::A]/x", "[2001:db8::a]/x:latest"),
    ("GHCR.io/team/app", "ghcr.io/team/app:latest"),
    ("Registry/app", "Registry/app:latest"),
    ("ghcr.io/team/app:V1.0_rc-2", "ghcr.io/team/app:V1.0_rc-2"),
    ("xn--bcher-kva.example/app", "xn--bcher-kva.example/app:latest"),
    ("my-registry:443/a__b/c-d/e.f/g--h", "my-registry:443/a__b/c-d/e.f/g--h:latest"),
    (f"nginx@{SHA}", f"docker.io/library/nginx@{SHA}"),
    (f"nginx:1@{SHA}", f"docker.io/library/nginx:1@{SHA}"),
    (f"localhost:5000/app@sha512:{'1' * 128}", f"localhost:5000/app@sha512:{'1' * 128}"),
    (f"docker.io/{'a' * 64}", f"docker.io/library/{'a' * 64}:latest"),
    (f"{'a' * 64}:1", f"docker.io/library/{'a' * 64}:1"),
    (f"{'a' * 63}", f"docker.io/library/{'a' * 63}:latest"),
]

# What it refuses: (typed, a part of why).
REFUSED: Final = [
    ("", "empty"),
    ("/", "empty"),
    ("/app", "empty"),
    ("app/", "empty"),
    ("ghcr.io/", "empty"),
    ("a//b", "empty"),
    ("App", "lower case"),
    ("ghcr.io/team/App", "lower case"),
    ("-app", "not a component"),
    ("app-", "not a component"),
    ("a_.b", "not a component"),
    ("a___b", "not a component"),
    ("a..b", "not a component"),
    ("ghcr.io/a..b", "not a component"),
    ("ghcr.io/../app", "not a component"),
    ("ghcr.io/%2e%2e/app", "not a component"),
    ("ghcr.io/app?x=1", "not a component"),
    ("ghcr.io/app#x", "not a component"),
    ("app ", "not a component"),
    (" app", "not a component"),
    ("app\n", "not a component"),
    ("äpp", "not a component"),
    ("app:", "the tag is empty"),
    ("app:.1", "a tag is letters"),
    ("app:-1", "a tag is letters"),
    ("app:1:2", "a tag is letters"),
    ("app:1\n", "a tag is letters"),
    (f"app:{'1' * 129}", "at most 128 characters, found 129"),
    ("app@", "a digest is algorithm:hex"),
    ("app@sha256:00", "64 hex digits, found 2"),
    ("app@sha256:../../etc/passwd", "hex digits"),
    (f"app@{SHA}@{SHA}", "hex digits"),
    (f"app@{SHA}:1", "hex digits"),
    ("a" * 64, "an image id, not a name"),
    (f"{'a' * 64}@{SHA}", "an image id, not a name"),
    ("http://ghcr.io/app", "leave out http://"),
    ("https://ghcr.io/app:1", "leave out https://"),
    ("docker://app", "leave out docker://"),
    ("a..b.example/app", "not a host"),
    ("-a.example/app", "not a host"),
    ("a_b.example/app", "not a host"),
    ("a.example./app", "not a host"),
    ("localhost:/app", "not a host"),
    ("localhost:x/app", "not a host"),
    ("localhost:0/app", "not a port"),
    ("localhost:65536/app", "not a port"),
    ("localhost:123456/app", "not a host"),
    ("[::1/app", "not a host"),
    ("::1/app", "not a host"),
    ("[:::]/app", "not an IPv6 address"),
    ("[1.2.3.4]/app", "not an IPv6 address"),
    ("[fe80::1%25eth0]/app", "not a host"),
    (f"ghcr.io/{'a' * 248}", "at most 255 characters, found 256"),
]


def test_what_is_left_out_is_filled_in_as_docker_does_it() -> None:
    """A user types what they type for `docker pull`, and means the same image."""
    assert [(typed, str(parse_reference(typed).unwrap())) for typed, _ in NORMALISED] == NORMALISED


def test_a_bad_name_is_refused_with_what_is_wrong_in_it() -> None:
    """A wrong name must fail here, with a sentence, and never reach a URL."""
    for typed, part in REFUSED:
        parsed = parse_reference(typed)
        assert not is_successful(parsed), typed
        reason = parsed.failure().reason
        assert isinstance(reason, BadReference)
        assert part in reason.why, (typed, reason.why)


def test_the_longest_names_and_tags_are_accepted() -> None:
    """The limits of the specification are 255 and 128, and not one less."""
    assert is_successful(parse_reference(f"ghcr.io/{'a' * 247}"))
    assert is_successful(parse_reference(f"app:{'1' * 128}"))
    assert is_successful(parse_tag("_" * 128))


_label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
_hosts = st.one_of(
    st.just("localhost"),
    st.lists(_label, min_size=2, max_size=3).map(".".join),
    st.builds(lambda host, port: f"{host}:{port}", _label, st.integers(1, 65535)),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.ip_addresses(v=4).map(str),
)
_component = st.from_regex(r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
_paths = st.lists(_component, min_size=1, max_size=4).map("/".join)
_tags = st.from_regex(re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", re.ASCII), fullmatch=True)
_digests = st.one_of(
    st.binary(max_size=4).map(digest_of), st.binary(max_size=4).map(lambda raw: digest_of(raw, "sha512"))
)
_references = st.builds(
    lambda host, path, tag, digest: Reference(Repository(host, path), tag, digest),
    _hosts,
    _paths,
    st.none() | _tags,
    st.none() | _digests,
)


@given(name=_references)
def test_parsing_is_the_inverse_of_showing(name: Reference) -> None:
    """What is printed by one command can be given to the next, and means the same image."""
    shown = str(name)
    expected = Reference(name.repository, name.tag or (None if name.digest else "latest"), name.digest)
    assert parse_reference(shown).unwrap() == expected
    assert parse_repository(str(name.repository)).unwrap() == name.repository
    if name.repository.host != "localhost":
        assert parse_host(name.repository.host).unwrap() == name.repository.host


_fuzz = st.one_of(
    st.text(alphabet="aZ0.:/@-_[]", max_size=14),
    st.from_regex(r"[aZ.:/]{0,6}(\[[0-9a-f:]{2,6}\])?(:[0-9]{1,6})?/[a0._-]{1,6}(:[aZ._-]{1,4})?", fullmatch=True),
    st.builds(lambda name, tail: f"{name}{tail}", _references, st.text(alphabet="aZ0.:/@-_", max_size=3)),
)


@given(text=_fuzz)
@example("Foo/x")
@example("[::1]:5000/x")
@example("[:::]/x")
@example("localhost:5000")
def test_an_independent_reading_of_the_grammar_agrees(text: str) -> None:
    """Two readings of one grammar by two hands: where they differ, one of them is wrong."""
    parsed = parse_reference(text)
    meant = _meant_by_docker(text)
    assert is_successful(parsed) == (meant is not None)
    if meant is not None:
        name = parsed.unwrap()
        assert (name.repository.path, name.tag, str(name.digest or "")) == meant
        assert parse_reference(str(name)).unwrap() == name


_ORACLE: Final = re.compile(
    r"(?P<host>(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    r"(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?|\[[a-fA-F0-9:]+\](?::[0-9]+)?)/"
    r"(?P<path>[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}))?",
    re.ASCII,
)


def _meant_by_docker(text: str) -> tuple[str, str | None, str] | None:
    """`ParseNormalizedNamed` and `TagNameOnly` of distribution/reference, written down a second time."""
    if re.fullmatch(r"[a-f0-9]{64}", text.partition("@")[0]):
        return None
    first, slash, _ = text.partition("/")
    if not slash or ("." not in first and ":" not in first and first != "localhost" and first.lower() == first):
        text = f"docker.io/{text}"
    host, _, rest = text.partition("/")
    if host.lower() in {"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}:
        text = f"docker.io/{rest}" if "/" in rest.partition("@")[0] else f"docker.io/library/{rest}"
    match = _ORACLE.fullmatch(text)
    if match is None or not _reachable(match["host"]) or len(match["host"]) + 1 + len(match["path"]) > 255:
        return None
    tag = match["tag"] or (None if match["digest"] else "latest")
    return match["path"], tag, match["digest"] or ""


def _reachable(host: str) -> bool:
    """A port between 1 and 65535 in at most five digits, and an address that the operating system takes."""
    name, colon, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    if colon and (len(port) > 5 or not 0 < int(port) < 65536):
        return False
    if not name.startswith("["):
        return True
    try:
        socket.inet_pton(socket.AF_INET6, name[1:-1])
    except OSError:
        return False
    return True


def _shown(error: RegistryError) -> str:
    return explain(error).replace("\n", "", 1)


@given(text=st.text(max_size=40) | st.text(alphabet="\x00\x1b\x07\r\n\u202e\u2028\x7f\x9ba/:@", max_size=10))
@example("\x1b[31mred\x1b[0m/app:1")
@example("app:\x1b]0;title\x07")
@example("ghcr.io/app@sha256:\r\n")
def test_no_control_character_of_a_name_reaches_a_terminal(text: str) -> None:
    """A reference pasted from a web page must not write escape sequences into somebody's terminal or log."""
    for parsed in (parse_reference(text), parse_repository(text), parse_host(text), parse_tag(text)):
        if not is_successful(parsed):
            assert _shown(parsed.failure()).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@ghcr.io/app",
        "https://user:hunter2@ghcr.io",
        "https://user:hun/hunter2@ghcr.io/app",
        "user:hunter2@ghcr.io/app",
        "user:hunter2@ghcr.io/app:1",
    ],
)
def test_a_password_in_a_name_is_refused_and_not_repeated(text: str) -> None:
    """Errors go to logs, and people do put passwords into URLs."""
    for parsed in (parse_reference(text), parse_repository(text), parse_host(text)):
        error = parsed.failure()
        assert "hunter2" not in repr(error)
        assert "hunter2" not in explain(error)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("GHCR.IO", "ghcr.io"),
        ("[::1]:5000", "[::1]:5000"),
        ("registry:443", "registry:443"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    """Credentials, limits and caches are kept by host: two spellings would be two hosts."""
    assert parse_host(text).unwrap() == host


@pytest.mark.parametrize("text", ["", "registry", "ghcr.io/app", "https://ghcr.io", "a b.example", "[::1", "host:"])
def test_a_word_that_a_reference_would_not_take_for_a_host_is_no_host(text: str) -> None:
    """`push_all` to `registry` must not become `docker.io/registry/...` when the name is put together."""
    assert isinstance(parse_host(text).failure().reason, BadReference)


def test_a_repository_has_neither_tag_nor_digest() -> None:
    """A tag that is silently dropped would list, or delete, more than was asked for."""
    for text in ("alpine:3", f"alpine@{SHA}", "localhost:5000/app:1", "https://ghcr.io/app"):
        assert isinstance(parse_repository(text).failure().reason, BadReference)
    assert str(parse_repository("localhost:5000/app").unwrap()) == "localhost:5000/app"


def test_the_digest_of_a_reference_decides_over_its_tag() -> None:
    """A pinned name asks for exactly that content, whatever the tag says today."""
    pinned = parse_reference("ghcr.io/app:1").unwrap().at(Digest("sha256", "0a" * 32))
    assert pinned.identifier == SHA
    assert str(pinned) == f"ghcr.io/app:1@{SHA}"
    assert parse_reference("ghcr.io/app:1").unwrap().identifier == "1"


def test_an_error_names_the_function_that_was_called() -> None:
    """`doing` is what the caller wrote, so that they find the line."""
    assert parse_reference("A").failure().doing == "parse_reference"
    assert parse_repository("A").failure().doing == "parse_repository"
    assert parse_host("").failure().doing == "parse_host"
    assert parse_tag("").failure().doing == "parse_tag"
