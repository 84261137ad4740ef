"""Uploads: end-4, 5, 6, 11, 13, 14."""

import hashlib
import socket
from collections.abc import Iterator

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.testing.wire import Wire, eventually, sha256

CONTENT = bytes(range(256)) * 40
DIGEST = sha256(CONTENT)


def pieces(content: bytes) -> Iterator[bytes]:
    """The content in pieces of no even size."""
    yield from (content[at : at + 1000] for at in range(0, len(content), 1000))


def test_a_blob_goes_up_in_one_put(wire: Wire) -> None:
    """The form that small blobs are sent in."""
    done = wire.commit(wire.start("team/app").location, DIGEST, CONTENT)
    assert (done.status, done.headers["Docker-Content-Digest"]) == (201, DIGEST)
    assert wire.ask("GET", done.location).body == CONTENT


def test_a_blob_goes_up_in_chunks_each_to_the_newest_location(wire: Wire) -> None:
    """The form that large blobs are sent in; Range and Location tell how it goes on."""
    at, location = 0, wire.start("app").location
    for end in (4000, 8000, len(CONTENT)):
        sent = wire.ask("PATCH", location, CONTENT[at:end], Content_Range=f"{at}-{end - 1}")
        assert (sent.status, sent.headers["Range"]) == (202, f"0-{end - 1}")
        assert sent.location != location
        at, location = end, sent.location
    assert wire.commit(location, DIGEST).status == 201
    assert wire.ask("GET", f"/v2/app/blobs/{DIGEST}").body == CONTENT


def test_the_last_chunk_may_come_with_the_commit(wire: Wire) -> None:
    """A PUT is also a chunk, with a Content-Range of its own."""
    sent = wire.ask("PATCH", wire.start("app").location, CONTENT[:100], Content_Range="0-99")
    done = wire.commit(sent.location, DIGEST, CONTENT[100:], Content_Range=f"100-{len(CONTENT) - 1}")
    assert done.status == 201


def test_a_blob_of_unknown_length_is_streamed(registry: EmbeddedRegistry, wire: Wire) -> None:
    """A layer that is compressed on its way has no length before its end."""
    sent = wire.ask("PATCH", wire.start("app").location, pieces(CONTENT))
    assert wire.commit(sent.location, DIGEST).status == 201
    seen = registry.requests[1]
    assert (seen.transfer_encoding, seen.content_length, seen.bytes_in) == ("chunked", None, len(CONTENT))


def test_a_blob_goes_up_in_a_single_post(registry: EmbeddedRegistry, wire: Wire) -> None:
    """One request instead of two; few registries have it, so clients must know both answers."""
    done = wire.ask("POST", f"/v2/app/blobs/uploads/?digest={DIGEST}", CONTENT)
    assert (done.status, registry.counts().uploads_open) == (201, 0)
    assert wire.ask("HEAD", done.location).headers["Content-Length"] == str(len(CONTENT))


def test_a_single_post_that_fails_leaves_no_upload_open(registry: EmbeddedRegistry, wire: Wire) -> None:
    """Its client has no Location to cancel with: wrong content, no digest, or a connection that ends half-way."""
    target = "/v2/app/blobs/uploads/?digest="
    assert wire.ask("POST", target + DIGEST, b"other").code == "DIGEST_INVALID"
    assert wire.ask("POST", target + "sha256:abc", b"other").code == "DIGEST_INVALID"
    gone = Wire(registry.host)
    gone.connection.putrequest("POST", target + DIGEST)
    gone.connection.putheader("Content-Length", "9000")
    gone.connection.endheaders(b"x" * 100)
    assert eventually(lambda: registry.counts().uploads_open == 1)
    gone.connection.close()
    assert eventually(lambda: registry.counts().uploads_open == 0)


@pytest.mark.parametrize("query", ["", "?digest-algorithm=sha512"])
def test_a_blob_can_be_named_by_sha512(wire: Wire, query: str) -> None:
    """With or without telling so at the start, and always under the name that was asked for."""
    digest = f"sha512:{hashlib.sha512(CONTENT).hexdigest()}"
    sent = wire.ask("PATCH", wire.start("app", query).location, CONTENT)
    assert wire.commit(sent.location, digest).headers["Docker-Content-Digest"] == digest
    assert wire.ask("GET", f"/v2/app/blobs/{digest}").body == CONTENT
    assert wire.ask("HEAD", f"/v2/app/blobs/{DIGEST}").status == 404


def test_content_with_another_digest_is_refused_and_the_upload_is_over(registry: EmbeddedRegistry, wire: Wire) -> None:
    """The promise of a registry: a name and its content always agree."""
    location = wire.start("app").location
    refused = wire.commit(location, sha256(b"something else"), CONTENT)
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert registry.counts().uploads_open == 0
    assert wire.ask("GET", location).code == "BLOB_UPLOAD_UNKNOWN"
    assert wire.ask("HEAD", f"/v2/app/blobs/{DIGEST}").status == 404


@pytest.mark.parametrize("digest", ["", "sha256:abc", "md5:0123456789abcdef0123456789abcdef", "sha256:../../x"])
def test_what_is_no_digest_is_refused(wire: Wire, digest: str) -> None:
    """A digest becomes a path, so its grammar is a wall."""
    refused = wire.commit(wire.start("app").location, digest, CONTENT)
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize("start", [1, 50, 101, 5000])
def test_a_chunk_out_of_order_is_refused_and_the_answer_says_where_to_go_on(wire: Wire, start: int) -> None:
    """The only way back onto the road for a client that lost an answer."""
    sent = wire.ask("PATCH", wire.start("app").location, CONTENT[:100], Content_Range="0-99")
    refused = wire.ask("PATCH", sent.location, b"x" * 10, Content_Range=f"{start}-{start + 9}")
    assert (refused.status, refused.headers["Range"], refused.location) == (416, "0-99", sent.location)
    assert wire.commit(refused.location, DIGEST, CONTENT[100:]).status == 201


def test_the_status_of_an_upload_can_be_asked_with_an_old_location(wire: Wire) -> None:
    """A client whose answer was lost has no newer one."""
    first = wire.start("app").location
    wire.ask("PATCH", first, CONTENT[:300], Content_Range="0-299")
    status = wire.ask("GET", first)
    assert (status.status, status.headers["Range"], status.body) == (204, "0-299", b"")
    assert wire.commit(status.location, DIGEST, CONTENT[300:]).status == 201


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_bytes_sent_to_an_old_location_are_refused(wire: Wire, method: str) -> None:
    """A client that keeps the first Location works with some registries, and breaks with others."""
    first = wire.start("app").location
    wire.ask("PATCH", first, CONTENT[:300], Content_Range="0-299")
    refused = wire.ask(method, f"{first}&digest={DIGEST}", CONTENT[300:])
    assert (refused.status, refused.code) == (404, "BLOB_UPLOAD_INVALID")


def test_a_location_that_was_put_together_by_hand_is_unknown(wire: Wire) -> None:
    """A Location is opaque: its query belongs to it, with every escape."""
    location = wire.start("app").location
    for assembled in (location.partition("?")[0], location.replace("%2B", "+"), location[:-3]):
        assert wire.ask("PATCH", assembled, CONTENT).code == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("content_range", ["0-8", "0-10"])
def test_a_chunk_has_as_many_bytes_as_its_range_says(wire: Wire, content_range: str) -> None:
    """Otherwise the next chunk would be out of place, and nobody would know why."""
    refused = wire.ask("PATCH", wire.start("app").location, CONTENT[:10], Content_Range=content_range)
    assert (refused.status, refused.code) == (400, "SIZE_INVALID")
    refused = wire.ask("PATCH", wire.start("app").location, pieces(CONTENT[:10]), Content_Range="0-8")
    assert (refused.status, refused.code) == (400, "SIZE_INVALID")


@pytest.mark.parametrize("content_range", ["bytes 0-9/10", "0-9/*", "-9", "0-"])
def test_a_content_range_has_the_form_of_the_specification(wire: Wire, content_range: str) -> None:
    """It looks like the HTTP header and is another; clients confuse them."""
    refused = wire.ask("PATCH", wire.start("app").location, CONTENT[:10], Content_Range=content_range)
    assert (refused.status, refused.code) == (400, "BLOB_UPLOAD_INVALID")


def test_a_cancelled_upload_is_gone(registry: EmbeddedRegistry, wire: Wire) -> None:
    """Clients that give up clean up, and can see that they did."""
    location = wire.start("app").location
    assert registry.counts().uploads_open == 1
    assert wire.ask("DELETE", location).status == 204
    assert registry.counts().uploads_open == 0
    for method in ("GET", "PATCH", "DELETE"):
        assert wire.ask(method, location).code == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_belongs_to_one_repository(wire: Wire) -> None:
    """Access is granted by repository, so a session must not leave it."""
    location = wire.start("one").location.replace("/v2/one/", "/v2/two/")
    assert wire.ask("PATCH", location, CONTENT).code == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("source", ["&from=first", ""])
def test_a_blob_is_mounted_from_another_repository(registry: EmbeddedRegistry, wire: Wire, source: str) -> None:
    """No byte travels twice; without a source the registry may look itself."""
    wire.put_blob("first", CONTENT)
    registry.reset_counts()
    mounted = wire.start("second", f"?mount={DIGEST}{source}")
    assert (mounted.status, mounted.headers["Docker-Content-Digest"]) == (201, DIGEST)
    assert wire.ask("GET", mounted.location).body == CONTENT
    assert registry.counts().blob_bytes_in == 0


def test_a_mount_of_what_is_not_there_becomes_an_upload(wire: Wire) -> None:
    """The session must be used or cancelled, else it stays open."""
    wire.put_blob("first", CONTENT)
    offered = wire.start("second", f"?mount={DIGEST}&from=third")
    assert offered.status == 202
    assert wire.commit(offered.location, DIGEST, CONTENT).status == 201


def test_an_empty_blob_is_a_blob(wire: Wire) -> None:
    """Zero bytes have a digest too, and their Range is `0-0` like that of one byte."""
    started = wire.start("app")
    assert started.headers["Range"] == "0-0"
    assert wire.commit(started.location, sha256(b"")).status == 201
    empty = wire.ask("GET", f"/v2/app/blobs/{sha256(b'')}")
    assert (empty.status, empty.headers["Content-Length"], empty.body) == (200, "0", b"")


def test_an_unknown_algorithm_is_refused_at_the_start(wire: Wire) -> None:
    """Before a byte is sent in vain."""
    assert wire.start("app", "?digest-algorithm=md5").code == "DIGEST_INVALID"


def test_a_body_is_invited_only_when_it_is_wanted(registry: EmbeddedRegistry, wire: Wire) -> None:
    """A client that asks first (`Expect: 100-continue`) spares itself a body that would be refused."""
    location = wire.start("app").location.removeprefix(registry.url)
    for content_range, invited in (("5-8", "416"), ("0-3", "100")):
        with socket.create_connection(("127.0.0.1", registry.host.partition(":")[2]), timeout=10) as plain:
            head = f"Content-Length: 4\r\nExpect: 100-continue\r\nContent-Range: {content_range}"
            plain.sendall(f"PATCH {location} HTTP/1.1\r\nHost: {registry.host}\r\n{head}\r\n\r\n".encode())
            assert plain.recv(4096).split()[1].decode() == invited
            if invited == "100":
                plain.sendall(b"body")
                assert b" 202 " in plain.recv(4096)
