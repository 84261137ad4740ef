"""Blobs: end-2 and end-10, and names."""

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.testing.wire import Wire, sha256

CONTENT = bytes(range(256)) * 2000
SIZE = len(CONTENT)


def test_head_tells_everything_and_sends_nothing(registry: EmbeddedRegistry, wire: Wire) -> None:
    """The question before every upload."""
    digest = wire.put_blob("app", CONTENT)
    found = wire.ask("HEAD", f"/v2/app/blobs/{digest}")
    assert (found.status, found.headers["Content-Length"], found.body) == (200, str(SIZE), b"")
    assert found.headers["Docker-Content-Digest"] == digest
    assert found.headers["Accept-Ranges"] == "bytes"
    assert registry.counts().blob_bytes_out == 0


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("100-299", 100, 300),
        ("300000-", 300_000, SIZE),
        ("-10", SIZE - 10, SIZE),
        ("5-9999999", 5, SIZE),
    ],
)
def test_a_range_is_sent_alone(registry: EmbeddedRegistry, wire: Wire, asked: str, start: int, stop: int) -> None:
    """How a cut download goes on where it stopped."""
    digest = wire.put_blob("app", CONTENT)
    part = wire.ask("GET", f"/v2/app/blobs/{digest}", Range=f"bytes={asked}")
    assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{SIZE}")
    assert part.body == CONTENT[start:stop]
    assert registry.counts().blob_bytes_out == stop - start


@pytest.mark.parametrize("asked", [f"{SIZE}-", f"{SIZE + 5}-{SIZE + 9}", "9-5", "-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(wire: Wire, asked: str) -> None:
    """A client that believes in more bytes than there are learns how many there are."""
    digest = wire.put_blob("app", CONTENT)
    refused = wire.ask("GET", f"/v2/app/blobs/{digest}", Range=f"bytes={asked}")
    assert (refused.status, refused.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6"])
def test_a_range_that_is_not_understood_is_ignored(wire: Wire, asked: str) -> None:
    """RFC 9110: the answer is then the whole, with 200, and a client must not append it."""
    digest = wire.put_blob("app", CONTENT)
    whole = wire.ask("GET", f"/v2/app/blobs/{digest}", Range=asked)
    assert (whole.status, whole.body) == (200, CONTENT)


def test_a_blob_belongs_to_the_repositories_it_was_pushed_to(wire: Wire) -> None:
    """Knowing a digest is no right to read it."""
    digest = wire.put_blob("one", CONTENT)
    unknown = wire.ask("GET", f"/v2/two/blobs/{digest}")
    assert (unknown.status, unknown.code) == (404, "BLOB_UNKNOWN")


def test_a_deleted_blob_is_gone_from_its_repository_alone(wire: Wire) -> None:
    """Content is stored once, and kept as long as anyone needs it."""
    digest = wire.put_blob("one", CONTENT)
    wire.start("two", f"?mount={digest}&from=one")
    assert wire.ask("DELETE", f"/v2/one/blobs/{digest}").status == 202
    assert wire.ask("HEAD", f"/v2/one/blobs/{digest}").status == 404
    assert wire.ask("GET", f"/v2/two/blobs/{digest}").body == CONTENT
    assert wire.ask("DELETE", f"/v2/one/blobs/{digest}").code == "BLOB_UNKNOWN"
    assert wire.ask("DELETE", f"/v2/two/blobs/{digest}").status == 202
    assert wire.ask("GET", f"/v2/two/blobs/{digest}").code == "BLOB_UNKNOWN"


@pytest.mark.parametrize("name", ["App", "-a", "a//b", "a___b", "a/../b", "a." + "b" * 254])
def test_a_name_outside_the_grammar_is_refused(wire: Wire, name: str) -> None:
    """A client that lets such a name through would be told so only here."""
    refused = wire.ask("GET", f"/v2/{name}/blobs/{sha256(b'')}")
    assert (refused.status, refused.code) == (400, "NAME_INVALID")


@pytest.mark.parametrize("name", ["a", "a/b/c", "a__b", "a---b.c_d/e", "blobs/uploads", "a/manifests/b"])
def test_a_name_inside_the_grammar_is_taken(wire: Wire, name: str) -> None:
    """Even where it looks like another endpoint."""
    digest = wire.put_blob(name, CONTENT)
    assert wire.ask("HEAD", f"/v2/{name}/blobs/{digest}").status == 200


def test_what_is_no_endpoint_says_so(wire: Wire) -> None:
    """404 for a path that does not exist, 405 with Allow for a method that does not."""
    assert wire.ask("GET", "/v1/search").status == 404
    refused = wire.ask("PUT", f"/v2/app/blobs/{sha256(b'')}")
    assert (refused.status, refused.code, refused.headers["Allow"]) == (405, "UNSUPPORTED", "GET, HEAD, DELETE")
    assert wire.ask("GET", "/v2/app/blobs/sha256:zz").code == "DIGEST_INVALID"


def test_the_check_of_the_api_is_answered(wire: Wire) -> None:
    """The first request of many clients (end-1)."""
    found = wire.ask("GET", "/v2/")
    assert (found.status, found.json) == (200, {})
    assert found.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
