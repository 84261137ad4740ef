"""Answers that say less than they should, or something else: an image still goes there and comes back."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    Client,
    Denied,
    Err,
    NotFound,
    Reason,
    Unauthenticated,
    blob_size,
    copy,
    get_blob,
    head_manifest,
    oci_layout,
    pull,
    put_blob,
    settle,
    unwrap,
)
from registry_fp.testing import Answer, Fault, Manners, running_registry
from tests.copy import made
from tests.profiles.journey import round_trip, sent
from tests.profiles.kind import kind


@pytest.mark.parametrize(
    "facts",
    [
        {"head_digest": False},
        {"api_version": False},
        {"head_digest": False, "api_version": False, "head": 405},
        {"head": 403},
        {"head": 404},
        {"head": 405},
        {"absent_status": 401},
        {"absent_status": 403},
        {"absent_status": 403, "head_digest": False},
        {"mount": "opens"},
        {"mount": "unauthorized"},
        {"mount": "denied"},
        {"mount": "absent"},
        {"cookies": True},
        {"gzip": True},
    ],
    ids=lambda facts: ", ".join(f"{name}={value}" for name, value in facts.items()),
)
async def test_an_image_goes_there_and_back(facts: dict[str, Any], client: Client, tmp_path: Path) -> None:
    """None of this has to be known beforehand, and none of it is worth a failure."""
    with kind(tmp_path / "there", **facts) as there:
        await round_trip(there, client, tmp_path)
        assert there.registry.counts().uploads_open == 0


BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/json"),
    "a line": (b"404 page not found\n", "text/plain; charset=utf-8"),
    "a web page": (b"<html><body><h1>Not Found</h1></body></html>", "text/html"),
    "a list": (b'["not", "found"]', "application/json"),
    "a number": (b"404", "application/json"),
    "null": (b"null", "application/json"),
    "no errors": (b'{"errors": []}', "application/json"),
    "null errors": (b'{"errors": null}', "application/json"),
    "errors that are words": (b'{"errors": ["no"]}', "application/json"),
    "an error that is one": (b'{"error": "not_found", "error_description": "no"}', "application/json"),
    "a code that is a number": (b'{"errors": [{"code": 404, "message": {"why": "no"}}]}', "application/json"),
    "another code": (b'{"errors": [{"code": "UNKNOWN", "message": "not found"}]}', "application/json"),
    "details": (b'{"errors": [{"code": "MANIFEST_UNKNOWN", "detail": {"Tag": "x"}}]}', "application/json"),
    "broken": (b'{"errors": [{"code": "MANI', "application/json"),
    "not text": (b"\xff\xfe\x00\x80" * 50, "application/octet-stream"),
    "deep": (b"[" * 20_000, "application/json"),
    "control characters": (b'{"errors": [{"code": "A\\u001b[31m", "message": "\\u202e\\u0007"}]}', "application/json"),
    "too large": (json.dumps({"errors": [{"code": "X", "message": "x" * 200_000}]}).encode(), "application/json"),
}
"""The bodies of refusals: the specification asks for one form, and lets registries have any other."""


@pytest.mark.parametrize("body", BODIES)
async def test_a_refusal_may_have_any_body(body: str, client: Client, tmp_path: Path) -> None:
    """The status decides what is meant, and the words are shown only as far as they can be."""
    content, media_type = BODIES[body]
    with kind(tmp_path / "there", manners=Manners(error_body=content, error_type=media_type)) as there:
        await sent(there, client, tmp_path)
        missing = await settle(pull(client, f"{there.host}/team/app:2.0", oci_layout(tmp_path / "missing")))
        assert isinstance(missing, Err)
        assert isinstance(missing.error.reason, NotFound)
        assert str(missing.error).isprintable()
        assert len(str(missing.error)) < 2000


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        ({"absent_status": 404}, NotFound),
        ({"absent_status": 403}, Denied),
        ({"absent_status": 401}, Unauthenticated),
        ({"head": 404}, NotFound),
        ({"head": 403, "absent_status": 403}, Denied),
        ({"head": 405}, NotFound),
    ],
    ids=str,
)
async def test_what_is_absent_is_told_as_the_registry_tells_it(
    facts: dict[str, Any], kinds: type[Reason], client: Client, tmp_path: Path
) -> None:
    """A 403 may mean either, and is not made into a 404 for who wants to read."""
    with kind(tmp_path / "there", **facts) as there:
        for asked in (
            head_manifest(client, f"{there.host}/app:1"),
            copy(client, f"{there.host}/app:1", f"{there.host}/app:2"),
        ):
            out = await settle(asked)
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, kinds)


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_without_head_the_size_and_the_digest_are_found_all_the_same(
    status: int, client: Client, tmp_path: Path
) -> None:
    """By a GET that is hung up on, or that is hashed (containerd/containerd#3238)."""
    with kind(tmp_path / "there", head=status, head_digest=False) as there:
        image = made.image(made.layer("one"))
        with running_registry() as here:
            made.put(here.host, "app", image, "1")
            await unwrap(copy(client, f"{here.host}/app:1", f"{there.host}/app:1"))
        shown = await unwrap(head_manifest(client, f"{there.host}/app:1"))
        assert (str(shown.digest), shown.size) == (image.digest, len(image.raw))
        for digest, content in image.blobs.items():
            assert await unwrap(blob_size(client, f"{there.host}/app", digest)) in (len(content), -1)


async def test_a_digest_of_another_algorithm_is_no_contradiction(client: Client, tmp_path: Path) -> None:
    """Only digests of one algorithm can be compared (distribution/distribution#4420)."""
    with kind(tmp_path / "there", manners=Manners(digest_algorithm="sha512")) as there:
        await round_trip(there, client, tmp_path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Warning": '299 - "This registry moves on Friday"'},
        {"Warning": '299 - "one", 299 - "two"'},
        {"Warning": "299 \x80\xff" + "x" * 5000},
        {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600", "Docker-RateLimit-Source": "192.0.2.1"},
        {"RateLimit-Limit": "many", "RateLimit-Remaining": "-1", "RateLimit-Reset": "soon"},
        {"RateLimit": '"default";r=0;t=30', "RateLimit-Policy": '"default";q=100;w=60'},
        {"Retry-After": "3600"},
        {"Docker-Distribution-Api-Version": "registry/1.0"},
        {"ETag": '"changes"', "Cache-Control": "no-store", "Via": "1.1 proxy", "Age": "3"},
        {"Set-Cookie": "a=1; Path=/"},
        {"Content-Security-Policy": "default-src 'none'", "Strict-Transport-Security": "max-age=31536000"},
    ],
    ids=", ".join,
)
async def test_headers_that_ask_for_nothing_change_nothing(
    headers: dict[str, str], client: Client, tmp_path: Path
) -> None:
    """What a registry says on the side is for people; a quota that is used up is not a refusal."""
    with kind(tmp_path / "there", manners=Manners(headers)) as there:
        await round_trip(there, client, tmp_path)


async def test_cookies_are_not_sent_back(client: Client, tmp_path: Path) -> None:
    """A client with a cookie is taken for a browser (goharbor/harbor#12676, dotnet/sdk#37221)."""
    with kind(tmp_path / "there", cookies=True) as there:
        await round_trip(there, client, tmp_path)
        assert not any("Cookie" in each.headers for each in there.registry.requests)


async def test_blobs_are_asked_for_as_they_are_stored(client: Client, tmp_path: Path) -> None:
    """A blob under a gzip encoding has another length, and other bytes than its digest's (quay/quay#1310)."""
    content = b"many words " * 10_000
    with kind(tmp_path / "there", gzip=True) as there:
        stored = await unwrap(put_blob(client, f"{there.host}/app", content))
        assert await unwrap(get_blob(client, f"{there.host}/app", stored.digest)) == content
        assert {each.headers["Accept-Encoding"] for each in there.registry.requests} == {"identity"}


@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_a_ping_is_not_needed(status: int, client: Client, tmp_path: Path) -> None:
    """Some registries answer `/v2/` with anything; nobody who has an image to push is stopped by it."""
    with kind(tmp_path / "there") as there:
        there.registry.set_faults(Fault(Answer(status, body=b"{}"), endpoint="end-1"))
        await sent(there, client, tmp_path)
