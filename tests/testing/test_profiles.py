"""A registry that is told to behave as another kind does: each fact of a profile shows on the wire."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from registry_fp.protocol.profile import PROFILES, LocationShape, RegistryProfile
from registry_fp.testing import Manners, running_registry
from tests.testing.wire import OCI_MANIFEST, Wire, descriptor, image, sha256

Asked = Callable[..., Wire]

BLOB = b"a blob of some bytes"
DIGEST = sha256(BLOB)
RAW = image([BLOB])
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def asked() -> Iterator[Asked]:
    """A registry with these facts, and a connection to it."""
    with ExitStack() as stack:

        def opened(manners: Manners | None = None, **facts: Any) -> Wire:
            registry = stack.enter_context(running_registry(profile=RegistryProfile(**facts), manners=manners))
            wire = Wire(registry.host)
            stack.callback(wire.connection.close)
            return wire

        yield opened


LOCATIONS: dict[LocationShape, str] = {
    "absolute": "http://HOST/v2/team/app/blobs/uploads/ID?_state=",
    "state": "http://HOST/v2/team/app/blobs/uploads/ID?_state=",
    "port": "http://HOST/v2/team/app/blobs/uploads/ID?_state=",
    "path": "/v2/team/app/blobs/uploads/ID?_state=",
    "bare": "ID?_state=",
    "no-query": "http://HOST/v2/team/app/blobs/uploads/ID.",
    "encoded": "http://HOST/v2/team/app/blobs/uploads/ID%7e%2b?_state=%2b%2f",
    "fragment": "http://HOST/v2/team/app/blobs/uploads/ID?_state=",
    "elsewhere": "http://HOST/artifacts-uploads/team/app/ID.",
}


@pytest.mark.parametrize(("shape", "form"), LOCATIONS.items())
def test_a_location_has_the_shape_and_leads_back(asked: Asked, shape: LocationShape, form: str) -> None:
    """A shape that leads nowhere would be no test of a client that follows it."""
    wire = asked(location=shape)
    started = wire.start("team/app")
    beginning = form.replace("HOST", wire.origin.removeprefix("http://")).replace(
        "ID", started.headers["Docker-Upload-UUID"]
    )
    assert started.location.startswith(beginning)
    assert ("#" in started.location, "?" in started.location) == (shape == "fragment", "?" in form)
    location = (
        f"/v2/team/app/blobs/uploads/{started.location}" if shape == "bare" else started.location.partition("#")[0]
    )
    assert wire.commit(location, DIGEST, BLOB).status == 201


@pytest.mark.parametrize(
    ("shape", "old", "new"),
    [
        ("encoded", "%7e", "~"),
        ("encoded", "%2f", "%2F"),
        ("encoded", "%2b?", "+?"),
        ("no-query", ".Ky", "Ky"),
        ("elsewhere", "/artifacts-uploads/", "/v2/"),
        ("state", "_state=", "_state=0"),
    ],
)
def test_a_location_that_was_changed_leads_nowhere(asked: Asked, shape: LocationShape, old: str, new: str) -> None:
    """Registries sign their Locations: another spelling is another signature."""
    wire = asked(location=shape)
    given = wire.start("team/app").location
    assert old in given
    assert wire.commit(given.replace(old, new), DIGEST, BLOB).status == 404


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_refused_head_is_refused_everywhere(asked: Asked, status: int) -> None:
    """A registry without HEAD has it for nothing."""
    wire = asked(head=status)
    wire.put_image("app", "1", RAW, BLOB)
    for target in ("/v2/", "/v2/app/manifests/1", f"/v2/app/blobs/{DIGEST}"):
        assert (wire.ask("HEAD", target).status, wire.ask("GET", target).status) == (status, 200)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_absent_is_answered_as_chosen(asked: Asked, status: int) -> None:
    """And only reading is: a manifest whose content is missing is another matter."""
    wire = asked(absent_status=status)
    for method in ("GET", "HEAD"):
        assert wire.ask(method, "/v2/app/manifests/1").status == status
        assert wire.ask(method, f"/v2/app/blobs/{DIGEST}").status == status
    assert wire.ask("GET", "/v2/app/tags/list").status == status
    assert wire.ask("PUT", "/v2/app/manifests/1", RAW, Content_Type=OCI_MANIFEST).code == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize(
    ("mount", "status"), [("mounts", 201), ("opens", 202), ("unauthorized", 401), ("denied", 403), ("absent", 404)]
)
def test_a_mount_is_answered_as_chosen(asked: Asked, mount: str, status: int) -> None:
    """The blob is there, whatever is answered."""
    wire = asked(mount=mount)
    wire.put_blob("one", BLOB)
    assert wire.start("two", f"?mount={DIGEST}&from=one").status == status


@pytest.mark.parametrize("known", [False, True])
def test_a_mount_from_nowhere_is_a_choice(asked: Asked, known: bool) -> None:
    """The specification leaves it open, and most registries do not have it."""
    wire = asked(anonymous_mount=known)
    wire.put_blob("one", BLOB)
    assert wire.start("two", f"?mount={DIGEST}").status == (201 if known else 202)


@pytest.mark.parametrize("status", [413, 416])
def test_a_body_that_is_too_large_is_refused(asked: Asked, status: int) -> None:
    """With its length, before it was read, and without it as soon as it is too long; the rest of the session stays."""
    wire = asked(max_body=10, too_large=status)
    assert wire.commit(wire.start("app").location, DIGEST, BLOB).status == status
    wire.connection.close()
    chunked = iter([BLOB[:8], BLOB[8:16], BLOB[16:]])
    assert wire.ask("PATCH", wire.start("app").location, chunked).status == status
    wire.connection.close()
    location = wire.start("app").location
    for at in range(0, len(BLOB), 10):
        part = BLOB[at : at + 10]
        location = wire.ask("PATCH", location, part, Content_Range=f"{at}-{at + len(part) - 1}").location
    assert wire.commit(location, DIGEST).status == 201


def test_a_chunk_has_a_limit_of_its_own(asked: Asked) -> None:
    """Some registries take any body in one piece, and pieces of 4 MiB."""
    wire = asked(max_chunk=10, too_large=416)
    location = wire.start("app").location
    refused = wire.ask("PATCH", location, BLOB, Content_Range=f"0-{len(BLOB) - 1}")
    assert (refused.status, refused.headers["Range"]) == (416, "0-0")
    wire.connection.close()
    assert wire.commit(location, DIGEST, BLOB).status == 201


@pytest.mark.parametrize("status", [True, False])
def test_a_large_body_can_be_cut(asked: Asked, status: bool) -> None:
    """What was read is there for who can ask for it, and lost where nobody can."""
    wire = asked(max_body=10, too_large="reset", status=status)
    location = wire.start("app").location
    with pytest.raises(ConnectionError):
        wire.ask("PATCH", location, BLOB)
    wire.connection.close()
    asked_again = wire.ask("GET", location)
    assert (asked_again.status, asked_again.headers.get("Range")) == ((204, "0-9") if status else (404, None))


def test_a_small_chunk_is_the_last(asked: Asked) -> None:
    """The registry says the smallest size that a chunk has, and means it."""
    wire = asked(min_chunk=10)
    started = wire.start("app")
    assert started.headers["OCI-Chunk-Min-Length"] == "10"
    first = wire.ask("PATCH", started.location, BLOB[:5], Content_Range="0-4")
    assert wire.ask("PATCH", first.location, BLOB[5:], Content_Range=f"5-{len(BLOB) - 1}").code == "SIZE_INVALID"
    assert wire.commit(first.location, sha256(BLOB[:5])).status == 201


def test_a_second_chunk_can_be_lost(asked: Asked) -> None:
    """The answer is a success, and only its Range tells."""
    wire = asked(accepts_chunked=False, patch_status=201)
    first = wire.ask("PATCH", wire.start("app").location, BLOB[:5], Content_Range="0-4")
    second = wire.ask("PATCH", first.location, BLOB[5:], Content_Range=f"5-{len(BLOB) - 1}")
    assert [(each.status, each.headers["Range"]) for each in (first, second)] == [(201, "0-4"), (201, "0-4")]
    assert wire.commit(second.location, DIGEST).code == "DIGEST_INVALID"


@pytest.mark.parametrize(("counted", "shown"), [("blob", "0-9"), ("chunk", "0-4"), ("none", None)])
def test_a_range_counts_as_chosen(asked: Asked, counted: str, shown: str | None) -> None:
    """Of all bytes, of those of the chunk, or of nothing."""
    wire = asked(range_of=counted)
    first = wire.ask("PATCH", wire.start("app").location, BLOB[:5], Content_Range="0-4")
    assert wire.ask("PATCH", first.location, BLOB[5:10], Content_Range="5-9").headers.get("Range") == shown


def test_a_length_can_be_needed(asked: Asked) -> None:
    """A body in chunks of the transfer encoding is refused."""
    wire = asked(needs_length=True)
    location = wire.start("app").location
    assert wire.ask("PATCH", location, iter([BLOB])).status == 411
    wire.connection.close()
    assert wire.ask("PATCH", location, BLOB).status == 202


def test_digests_and_versions_can_be_left_out(asked: Asked) -> None:
    """Neither header is one that a client can count on."""
    wire = asked(head_digest=False, api_version=False)
    wire.put_image("app", "1", RAW, BLOB)
    for answer in (wire.ask("HEAD", "/v2/app/manifests/1"), wire.ask("GET", f"/v2/app/blobs/{DIGEST}")):
        assert answer.status == 200
        assert {"Docker-Content-Digest", "Docker-Distribution-Api-Version"}.isdisjoint(answer.headers)


@pytest.mark.parametrize(("link", "shown"), [("absolute", "<http://"), ("relative", "</v2/"), ("none", "")])
def test_a_list_goes_on_as_chosen(asked: Asked, link: str, shown: str) -> None:
    """By a URL, by a path, or without a word."""
    wire = asked(link=link, page_max=1)
    for tag in ("1", "2"):
        wire.put_image("app", tag, RAW, BLOB)
    page = wire.ask("GET", "/v2/app/tags/list?n=5")
    assert page.json["tags"] == ["1"]
    assert page.headers.get("Link", "").startswith(shown)
    assert wire.ask("GET", "/v2/app/tags/list?n=5&last=1").json["tags"] == ["2"]


@pytest.mark.parametrize(("refuses", "status"), [(True, 400), (False, 200)])
def test_a_long_page_can_be_refused(asked: Asked, refuses: bool, status: int) -> None:
    """Some registries give as much as they like, and some an error."""
    wire = asked(page_max=2, refuses_long_pages=refuses)
    wire.put_image("app", "1", RAW, BLOB)
    assert wire.ask("GET", "/v2/app/tags/list?n=3").status == status
    assert wire.ask("GET", "/v2/app/tags/list?n=2").status == 200


@pytest.mark.parametrize(
    ("fact", "method", "target", "status"),
    [
        ("catalog", "GET", "/v2/_catalog", 401),
        ("tag_delete", "DELETE", "/v2/app/manifests/1", 400),
        ("delete", "DELETE", f"/v2/app/manifests/{sha256(RAW)}", 405),
        ("delete", "DELETE", f"/v2/app/blobs/{DIGEST}", 405),
        ("referrers", "GET", f"/v2/app/referrers/{sha256(RAW)}", 404),
    ],
)
def test_what_is_lacking_is_refused(asked: Asked, fact: str, method: str, target: str, status: int) -> None:
    """Each with the status that registries were seen to use."""
    wire = asked(**{fact: False})
    wire.put_image("app", "1", RAW, BLOB)
    assert wire.ask(method, target).status == status


def test_a_subject_is_noted_or_not(asked: Asked) -> None:
    """Without `OCI-Subject`, the client has to keep the list."""
    about = image([BLOB], subject=descriptor(RAW, OCI_MANIFEST))
    for kept in (True, False):
        wire = asked(referrers=kept)
        wire.put_image("app", "1", RAW, BLOB)
        assert ("OCI-Subject" in wire.put_image("app", "2", about, BLOB).headers) is kept


def test_docker_manifests_can_be_refused(asked: Asked) -> None:
    """A registry of OCI images takes no others."""
    wire = asked(docker_schema2=False)
    raw = RAW.replace(OCI_MANIFEST.encode(), DOCKER.encode())
    assert wire.put_image("app", "1", raw, BLOB, media_type=DOCKER).code == "MANIFEST_INVALID"
    assert wire.put_image("app", "1", RAW, BLOB).status == 201


def test_a_cookie_that_comes_back_is_refused(asked: Asked) -> None:
    """It makes a browser of the client, which then needs more than a password."""
    wire = asked(cookies=True)
    cookie = wire.ask("GET", "/v2/").headers["Set-Cookie"].partition(";")[0]
    assert wire.ask("POST", "/v2/app/blobs/uploads/", Cookie=cookie).status == 403
    assert wire.start("app").status == 202


def test_blobs_are_squeezed_for_who_accepts_it(asked: Asked) -> None:
    """Then the bytes on the wire are not those of the digest."""
    wire = asked(gzip=True)
    wire.put_blob("app", BLOB)
    squeezed = wire.ask("GET", f"/v2/app/blobs/{DIGEST}", Accept_Encoding="gzip, deflate")
    assert (squeezed.headers["Content-Encoding"], gzip.decompress(squeezed.body)) == ("gzip", BLOB)
    assert wire.ask("GET", f"/v2/app/blobs/{DIGEST}", Accept_Encoding="identity").body == BLOB


def test_manners_change_every_answer(asked: Asked) -> None:
    """Headers come with all of them, another body with each refusal, and digests under one algorithm."""
    wire = asked(Manners({"Warning": '299 - "soon"'}, b"<h1>no</h1>", "text/html", "sha512"))
    wire.put_image("app", "1", RAW, BLOB)
    refused, found = wire.ask("GET", "/v2/app/manifests/2"), wire.ask("HEAD", "/v2/app/manifests/1")
    assert (refused.status, refused.headers["Content-Type"], refused.body) == (404, "text/html", b"<h1>no</h1>")
    assert {each.headers["Warning"] for each in (refused, found)} == {'299 - "soon"'}
    assert found.headers["Docker-Content-Digest"].startswith("sha512:")


def test_switches_change_a_profile() -> None:
    """The older arguments go on to work, on top of any kind of registry."""
    profile = next(each for each in PROFILES if each.name == "ecr")
    with running_registry(profile=profile, relative_locations=True, page_limit=1, chunk_min_length=7) as registry:
        wire = Wire(registry.host)
        started = wire.start("app")
        assert (started.location[:8], started.headers["OCI-Chunk-Min-Length"]) == ("/v2/app/", "7")
        assert "Docker-Content-Digest" not in wire.commit(started.location, DIGEST, BLOB).headers
        wire.connection.close()
