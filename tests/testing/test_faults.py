"""Faults: each action does to a connection exactly what it says, and nothing to what is stored."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from registry_fp.testing import (
    Answer,
    Corrupt,
    Drop,
    DropAfter,
    EmbeddedRegistry,
    Fault,
    NotStored,
    Stall,
    WrongDigestHeader,
)
from tests.testing.wire import OCI_MANIFEST, Wire, eventually, image, sha256

CONTENT = bytes(range(256)) * 4000
DIGEST = sha256(CONTENT)
RAW = image()


@pytest.fixture
def other(registry: EmbeddedRegistry) -> Iterator[Wire]:
    """A second connection, for when the first is broken."""
    plain = Wire(registry.host)
    yield plain
    plain.connection.close()


def raw_get(host: str, path: str) -> socket.socket:
    """A connection that has asked and read nothing yet."""
    address, _, port = host.rpartition(":")
    plain = socket.create_connection((address, int(port)), timeout=10)
    plain.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return plain


def until_silence(plain: socket.socket) -> Iterator[bytes]:
    """What arrives until nothing does any more."""
    with suppress(TimeoutError):
        while piece := plain.recv(65536):
            yield piece
        pytest.fail("the connection ended")


def test_an_answer_comes_instead_at_the_nth_request(registry: EmbeddedRegistry, wire: Wire) -> None:
    """A 429 with Retry-After at the second attempt, and peace afterwards."""
    registry.set_faults(Fault(Answer(429, {"Retry-After": "7"}, b"slow down"), endpoint="end-1", nth=(2, 3)))
    answers = [wire.ask("GET", "/v2/") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["Retry-After"], answers[1].body) == ("7", b"slow down")


def test_a_fault_befalls_what_all_its_conditions_name(registry: EmbeddedRegistry, wire: Wire) -> None:
    """Method, endpoint and path together; an endpoint without its letter is all of them."""
    registry.set_faults(Fault(Answer(503), method="POST", endpoint="end-4", path="^/v2/team/"))
    assert wire.start("team/app").status == 503
    assert wire.ask("POST", f"/v2/team/app/blobs/uploads/?digest={DIGEST}", b"").status == 503
    assert wire.start("app").status == 202
    assert wire.start("team/app", f"?mount={DIGEST}").status == 202
    registry.set_faults()
    assert wire.start("team/app").status == 202


def test_an_answer_to_an_upload_does_not_read_it(registry: EmbeddedRegistry, wire: Wire) -> None:
    """What was not read is not counted, and not stored."""
    location = wire.start("app").location
    registry.set_faults(Fault(Answer(500), method="PUT"))
    assert wire.commit(location, DIGEST, CONTENT).status == 500
    assert registry.requests[-1].bytes_in == 0
    assert wire.ask("HEAD", f"/v2/app/blobs/{DIGEST}").status == 404


@pytest.mark.parametrize(("action", "outcome"), [(Drop(), ConnectionResetError), (Drop(reset=False), b"")])
def test_a_drop_is_a_reset_or_an_end(registry: EmbeddedRegistry, action: Drop, outcome: object) -> None:
    """Both happen, and clients learn of them by different exceptions."""
    registry.set_faults(Fault(action))
    with raw_get(registry.host, "/v2/") as plain:
        try:
            received: object = plain.recv(100)
        except ConnectionResetError as error:
            received = type(error)
    assert received == outcome
    assert registry.requests[-1].status is None


def test_an_early_drop_stores_nothing_and_a_late_one_everything(
    registry: EmbeddedRegistry, wire: Wire, other: Wire
) -> None:
    """The client sees the same both times, so it has to ask."""
    location = wire.start("app").location
    registry.set_faults(Fault(Drop(late=True), endpoint="end-6"), Fault(Drop(), endpoint="end-7"))
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        wire.commit(location, DIGEST, CONTENT)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        other.ask("PUT", "/v2/app/manifests/v1", RAW, Content_Type=OCI_MANIFEST)
    registry.set_faults()
    plain = Wire(registry.host)
    assert plain.ask("HEAD", f"/v2/app/blobs/{DIGEST}").status == 200
    assert plain.ask("HEAD", "/v2/app/manifests/v1").status == 404
    plain.connection.close()


@pytest.mark.parametrize("count", [1, 70_000, 500_001])
def test_an_upload_cut_in_the_middle_keeps_what_arrived(
    registry: EmbeddedRegistry, wire: Wire, other: Wire, count: int
) -> None:
    """To the byte, so that a resumed upload can be checked by what it sends again."""
    location = wire.start("app").location
    registry.set_faults(Fault(DropAfter(count), method="PATCH"))
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        wire.ask("PATCH", location, CONTENT, Content_Range=f"0-{len(CONTENT) - 1}")
    status = other.ask("GET", location)
    assert (status.status, status.headers["Range"]) == (204, f"0-{count - 1}")
    assert other.commit(status.location, DIGEST, CONTENT[count:]).status == 201


@pytest.mark.parametrize("count", [1, 70_000, 500_001])
def test_a_download_cut_in_the_middle_sends_exactly_so_much(registry: EmbeddedRegistry, wire: Wire, count: int) -> None:
    """And the Content-Length tells that it was not all."""
    wire.put_blob("app", CONTENT)
    registry.set_faults(Fault(DropAfter(count), endpoint="end-2"))
    with pytest.raises(http.client.IncompleteRead) as cut:
        wire.ask("GET", f"/v2/app/blobs/{DIGEST}")
    assert cut.value.partial == CONTENT[:count]
    assert (registry.counts().blob_bytes_out, registry.requests[-1].status) == (count, 200)


@pytest.mark.parametrize("after", [0, 5000])
def test_a_stalled_download_ends_when_the_client_goes_away(registry: EmbeddedRegistry, wire: Wire, after: int) -> None:
    """Nothing comes, nothing closes: only the client's own clock can end it."""
    wire.put_blob("app", CONTENT)
    registry.set_faults(Fault(Stall(after), endpoint="end-2"))
    with raw_get(registry.host, f"/v2/app/blobs/{DIGEST}") as plain:
        plain.settimeout(0.1)
        received = b"".join(until_silence(plain))
        assert received.partition(b"\r\n\r\n")[2] == CONTENT[:after]
        assert registry.counts().in_flight == 1
    assert eventually(lambda: registry.counts().in_flight == 0)


def test_a_stalled_upload_does_not_hold_its_session(registry: EmbeddedRegistry, wire: Wire, other: Wire) -> None:
    """A client that gives up on the connection can still ask, go on and cancel."""
    location = wire.start("app").location
    registry.set_faults(Fault(Stall(5000), method="PATCH"))
    wire.connection.putrequest("PATCH", location.removeprefix(wire.origin))
    wire.connection.putheader("Content-Length", "9000")
    wire.connection.endheaders(CONTENT[:9000])
    assert eventually(lambda: registry.requests[-1].method == "PATCH")
    assert registry.requests[-1].bytes_in == 5000
    assert other.ask("GET", location).headers["Range"] == "0-4999"
    assert other.ask("DELETE", location).status == 204
    wire.connection.close()
    assert eventually(lambda: registry.counts().in_flight == 0)


@pytest.mark.parametrize("at", [0, 300_000, len(CONTENT) - 1])
def test_a_corrupt_download_has_the_right_size_and_one_wrong_bit(
    registry: EmbeddedRegistry, wire: Wire, at: int
) -> None:
    """Only the digest can tell."""
    wire.put_blob("app", CONTENT)
    registry.set_faults(Fault(Corrupt(at), endpoint="end-2", nth=(1,)))
    received = wire.ask("GET", f"/v2/app/blobs/{DIGEST}").body
    assert [n for n in range(len(CONTENT)) if received[n] != CONTENT[n]] == [at]
    assert wire.ask("GET", f"/v2/app/blobs/{DIGEST}").body == CONTENT


def test_a_wrong_digest_header_names_another_digest(registry: EmbeddedRegistry, wire: Wire) -> None:
    """Of the same form, so that only a comparison finds it."""
    wire.put_image("app", "v1", RAW)
    registry.set_faults(Fault(WrongDigestHeader()))
    for target in ("/v2/app/manifests/v1", f"/v2/app/blobs/{sha256(b'{}')}"):
        named = wire.ask("GET", target).headers["Docker-Content-Digest"]
        assert len(named) == len(DIGEST)
        assert named not in {sha256(RAW), sha256(b"{}")}


def test_what_is_not_stored_is_answered_with_201_all_the_same(registry: EmbeddedRegistry, wire: Wire) -> None:
    """The reason why a push asks once more at the end."""
    registry.set_faults(Fault(NotStored(), endpoint="end-6"), Fault(NotStored(), endpoint="end-7"))
    digest = wire.put_blob("app", b"{}")
    assert wire.ask("HEAD", f"/v2/app/blobs/{digest}").status == 404
    registry.set_faults(Fault(NotStored(), endpoint="end-7", nth=(1,)))
    assert wire.put_image("app", "v1", RAW).status == 201
    assert wire.ask("HEAD", "/v2/app/manifests/v1").status == 404
    assert registry.counts().uploads_open == 0
    assert wire.put_image("app", "v1", RAW).status == 201
    assert wire.ask("HEAD", "/v2/app/manifests/v1").status == 200
