"""Requests: one row for each end-point of the specification, down to the header."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from returns.result import Success
from yarl import URL

from registry_fp.domain.digest import digest_of
from registry_fp.domain.manifest import MANIFEST_LIMIT, RawManifest, parse_manifest
from registry_fp.domain.media_type import ACCEPT_MANIFEST, OCI_INDEX, OCI_MANIFEST
from registry_fp.domain.reference import Reference, Repository
from registry_fp.protocol import api, blob, manifest, referrer, tag, upload
from registry_fp.protocol.message import Body, Chunks, Repeat, Request
from registry_fp.protocol.page import PAGE_LIMIT

ORIGIN = URL("https://one.example")
APP = Repository("one.example", "team/app")
BLOB = digest_of(b"blob")
TAGGED = Reference(APP, "1.0")
PINNED = Reference(APP, None, BLOB)
RAW = b'{"schemaVersion": 2, "mediaType": "%s", "manifests": []}' % OCI_INDEX.encode()
MANIFEST: RawManifest = parse_manifest(RAW).unwrap()
LOCATION = URL("https://one.example/v2/team/app/blobs/uploads/1?_state=a%2Fb%3D", encoded=True)
UPLOAD = upload.Upload(APP, LOCATION, sent=5)
STREAM = {"Content-Type": "application/octet-stream"}
EMPTY = {"Content-Length": "0"}
BLOBS = "/v2/team/app/blobs"
MANIFESTS = "/v2/team/app/manifests"


async def chunks() -> Chunks:
    """A body of ten bytes."""
    yield Success(b"0123456789")


def body(length: int | None) -> Body:
    """That body, with its length told or not."""
    return Body(chunks, length)


ROWS: dict[str, tuple[Request, str, str, Mapping[str, str], Repeat]] = {
    "end-1": (api.ping(ORIGIN, "one.example"), "GET", "/v2/", {}, "always"),
    "end-2 HEAD": (blob.head_blob(ORIGIN, APP, BLOB), "HEAD", f"{BLOBS}/{BLOB}", {}, "always"),
    "end-2 GET": (
        blob.get_blob(ORIGIN, APP, BLOB),
        "GET",
        f"{BLOBS}/{BLOB}",
        {"Accept-Encoding": "identity"},
        "always",
    ),
    "end-3 GET": (
        manifest.get_manifest(ORIGIN, TAGGED),
        "GET",
        f"{MANIFESTS}/1.0",
        {"Accept": ACCEPT_MANIFEST},
        "always",
    ),
    "end-3 GET pinned": (
        manifest.get_manifest(ORIGIN, PINNED),
        "GET",
        f"{MANIFESTS}/{BLOB}",
        {"Accept": ACCEPT_MANIFEST},
        "always",
    ),
    "end-3 HEAD": (
        manifest.head_manifest(ORIGIN, TAGGED),
        "HEAD",
        f"{MANIFESTS}/1.0",
        {"Accept": ACCEPT_MANIFEST},
        "always",
    ),
    "end-4a": (upload.begin_upload(ORIGIN, APP), "POST", f"{BLOBS}/uploads/", EMPTY, "always"),
    "end-4b": (
        upload.put_in_one(ORIGIN, APP, BLOB, b"blob"),
        "POST",
        f"{BLOBS}/uploads/?digest={BLOB}",
        STREAM,
        "always",
    ),
    "end-4c": (
        upload.begin_upload(ORIGIN, APP, algorithm="sha512"),
        "POST",
        f"{BLOBS}/uploads/?digest-algorithm=sha512",
        EMPTY,
        "always",
    ),
    "end-5 chunk": (
        upload.send_chunk(UPLOAD, body(10)),
        "PATCH",
        f"{BLOBS}/uploads/1?_state=a%2Fb%3D",
        {**STREAM, "Content-Range": "5-14"},
        "never",
    ),
    "end-5 stream": (
        upload.send_chunk(UPLOAD, body(None)),
        "PATCH",
        f"{BLOBS}/uploads/1?_state=a%2Fb%3D",
        STREAM,
        "never",
    ),
    "end-5 empty": (
        upload.send_chunk(UPLOAD, body(0)),
        "PATCH",
        f"{BLOBS}/uploads/1?_state=a%2Fb%3D",
        STREAM,
        "never",
    ),
    "end-6": (
        upload.commit_upload(UPLOAD, BLOB),
        "PUT",
        f"{BLOBS}/uploads/1?_state=a%2Fb%3D&digest={BLOB}",
        EMPTY,
        "never",
    ),
    "end-6 with bytes": (
        upload.commit_upload(UPLOAD, BLOB, b"blob"),
        "PUT",
        f"{BLOBS}/uploads/1?_state=a%2Fb%3D&digest={BLOB}",
        STREAM,
        "never",
    ),
    "end-7a": (
        manifest.put_manifest(ORIGIN, TAGGED, MANIFEST),
        "PUT",
        f"{MANIFESTS}/1.0",
        {"Content-Type": OCI_INDEX},
        "always",
    ),
    "end-7b": (
        manifest.put_manifest_tags(ORIGIN, TAGGED, MANIFEST, ["a", "b"]),
        "PUT",
        f"{MANIFESTS}/{MANIFEST.digest}?tag=a&tag=b",
        {"Content-Type": OCI_INDEX},
        "always",
    ),
    "end-8": (tag.list_tags(ORIGIN, APP, page_size=50), "GET", "/v2/team/app/tags/list?n=50", {}, "always"),
    "catalogue": (tag.list_repositories(ORIGIN, "one.example"), "GET", "/v2/_catalog?n=1000", {}, "always"),
    "end-9": (manifest.delete_manifest(ORIGIN, PINNED), "DELETE", f"{MANIFESTS}/{BLOB}", {}, "always"),
    "end-10": (blob.delete_blob(ORIGIN, APP, BLOB), "DELETE", f"{BLOBS}/{BLOB}", {}, "always"),
    "end-11": (
        blob.mount_blob(ORIGIN, APP, BLOB, Repository("one.example", "base")),
        "POST",
        f"{BLOBS}/uploads/?mount={BLOB}&from=base",
        EMPTY,
        "always",
    ),
    "end-12a": (
        referrer.list_referrers(ORIGIN, APP, BLOB),
        "GET",
        f"/v2/team/app/referrers/{BLOB}",
        {"Accept": OCI_INDEX},
        "always",
    ),
    "end-12b": (
        referrer.list_referrers(ORIGIN, APP, BLOB, artifact_type="application/x+y; z=1"),
        "GET",
        f"/v2/team/app/referrers/{BLOB}?artifactType=application%2Fx%2By%3B%20z%3D1",
        {"Accept": OCI_INDEX},
        "always",
    ),
    "end-13": (upload.upload_status(UPLOAD), "GET", f"{BLOBS}/uploads/1?_state=a%2Fb%3D", {}, "always"),
    "end-14": (upload.cancel_upload(UPLOAD), "DELETE", f"{BLOBS}/uploads/1?_state=a%2Fb%3D", EMPTY, "never"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_request_is_what_the_specification_says(row: str) -> None:
    """Another method, path or header is another request, and a strict registry refuses it."""
    request, method, target, headers, repeat = ROWS[row]
    assert (request.method, str(request.url)) == (method, f"https://one.example{target}")
    assert (request.headers, request.repeat, request.stray) == (headers, repeat, False)


def test_what_changes_a_session_is_never_repeated_by_itself() -> None:
    """A PATCH or a closing PUT met a state that is gone: only whoever knows the session may decide."""
    never = {row for row, (request, *_) in ROWS.items() if request.repeat == "never"}
    assert never == {row for row in ROWS if row.startswith(("end-5", "end-6", "end-14"))}


def test_the_patience_fits_the_work_that_a_registry_has() -> None:
    """A registry hashes the whole blob before it answers a commit, and only looks something up for the rest."""
    patience = {row: request.patience for row, (request, *_) in ROWS.items() if request.patience != 1.0}
    longer = dict.fromkeys(("end-5 chunk", "end-5 stream", "end-5 empty", "end-7a", "end-7b"), 2.0)
    assert patience == {**longer, "end-6": 5.0, "end-6 with bytes": 5.0}


def test_the_limits_fit_the_documents() -> None:
    """Too low a limit breaks a large index, too high a one lets a server fill the memory."""
    limits = {row: request.limit for row, (request, *_) in ROWS.items() if request.limit != 1024 * 1024}
    assert limits == {
        **dict.fromkeys(("end-3 GET", "end-3 GET pinned"), MANIFEST_LIMIT + 1),
        **dict.fromkeys(("end-8", "catalogue", "end-12a", "end-12b"), PAGE_LIMIT),
    }


def test_a_manifest_travels_under_its_own_media_type_and_as_its_own_bytes() -> None:
    """The digest is over those bytes, and a registry refuses a type that differs from the document's."""
    for row in ("end-7a", "end-7b"):
        assert ROWS[row][0].body is MANIFEST.raw
    other = parse_manifest(RAW.replace(OCI_INDEX.encode(), OCI_MANIFEST.encode()).replace(b'"manifests": []', b""))
    assert not isinstance(other, Success)


def test_a_location_that_ends_in_a_question_mark_takes_its_digest_too() -> None:
    """A registry may send no query at all, and `&digest=` would then be part of the path."""
    bare = upload.Upload(APP, URL("https://one.example/u/1", encoded=True))
    assert str(upload.commit_upload(bare, BLOB).url) == f"https://one.example/u/1?digest={BLOB}"


def test_a_request_shows_neither_its_headers_nor_its_url() -> None:
    """Headers can hold a password, and an upload's URL is as good as one to whoever reads the log."""
    shown = repr(ROWS["end-5 chunk"][0].with_header("Authorization", "Basic c2VjcmV0"))
    assert "c2VjcmV0" not in shown
    assert "_state" not in shown
    assert "_state" not in repr(UPLOAD)
