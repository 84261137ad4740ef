"""Answers: what each decoder makes of the good ones, the odd ones, and of anything at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import example, given
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import Reason
from registry_fp.domain.manifest import ImageIndex, RawManifest, parse_manifest
from registry_fp.domain.media_type import OCI_INDEX, OCI_MANIFEST
from registry_fp.domain.reference import Reference, Repository
from registry_fp.protocol import api, blob, manifest, referrer, tag, upload
from registry_fp.protocol.message import Response
from registry_fp.protocol.page import Page
from registry_fp.protocol.refusal import fault_of
from tests.protocol.answers import HERE, answer, responses, taken

APP = Repository("one.example", "team/app")
RAW = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
MANIFEST: RawManifest = parse_manifest(RAW).unwrap()
DIGEST, OTHER = MANIFEST.digest, digest_of(b"other")
LONG = digest_of(RAW, "sha512")
TAGGED, PINNED = Reference(APP, "1.0"), Reference(APP, None, DIGEST)
WRONG = Reference(APP, None, OTHER)
UPLOAD = upload.Upload(APP, URL("https://one.example/u/1", encoded=True), sent=5)

DECODERS: dict[str, Callable[[Response], Result[Any, Reason]]] = {
    "ping": api.decode_ping,
    "head_blob": blob.decode_head,
    "delete_blob": blob.decode_delete,
    "mount": lambda response: blob.after_mount(APP, response),
    "manifest by tag": lambda response: manifest.decode_manifest(TAGGED, response),
    "manifest by digest": lambda response: manifest.decode_manifest(PINNED, response),
    "head by tag": lambda response: manifest.decode_head(TAGGED, response),
    "head by digest": lambda response: manifest.decode_head(PINNED, response),
    "put": lambda response: manifest.decode_put(MANIFEST, response),
    "delete_manifest": manifest.decode_delete,
    "tags": tag.decode_tags,
    "repositories": tag.decode_repositories,
    "referrers": referrer.decode_referrers,
    "begin": lambda response: upload.after_begin(APP, response),
    "send": lambda response: upload.after_send(UPLOAD, 10, response),
    "status": lambda response: upload.after_status(UPLOAD, response),
    "commit": lambda response: upload.after_commit(UPLOAD, DIGEST, response),
    "cancel": upload.after_cancel,
}


def _described(digest: object, *, size: int = len(RAW)) -> Descriptor:
    return Descriptor.model_validate({"mediaType": OCI_INDEX, "digest": str(digest), "size": size})


@pytest.mark.parametrize(
    ("decoder", "response", "expected"),
    [
        ("ping", answer(200), None),
        ("ping", answer(401), why.Unauthenticated()),
        ("ping", answer(404), why.NotFound("registry")),
        ("head_blob", answer(200, content_length="7"), 7),
        ("head_blob", answer(200), -1),
        ("head_blob", answer(200, content_length="9" * 5000), -1),
        ("head_blob", answer(200, content_length="٣"), -1),
        ("head_blob", answer(404), None),
        ("head_blob", answer(403), why.Denied()),
        ("delete_blob", answer(202), None),
        ("delete_blob", answer(404), why.NotFound("blob")),
        ("delete_blob", answer(404, attempts=2), None),
        ("delete_blob", answer(405), why.Refused(405)),
        ("mount", answer(201), None),
        ("mount", answer(202, location="/u/2"), upload.Upload(APP, URL("https://one.example/u/2", encoded=True))),
        ("mount", answer(404), why.NotFound("repository")),
        ("manifest by tag", answer(200, RAW), MANIFEST),
        ("manifest by tag", answer(200, RAW, content_type=f"{OCI_INDEX}; charset=utf-8"), MANIFEST),
        (
            "manifest by tag",
            answer(200, RAW, content_type=OCI_MANIFEST),
            why.MediaTypeMismatch(OCI_INDEX, OCI_MANIFEST),
        ),
        ("manifest by tag", answer(200, RAW, docker_content_digest=str(OTHER)), why.DigestMismatch(OTHER, DIGEST)),
        ("manifest by tag", answer(200, RAW, docker_content_digest=str(LONG)), MANIFEST),
        ("manifest by tag", answer(200, RAW, docker_content_digest="sha256:nonsense"), MANIFEST),
        ("manifest by digest", answer(200, RAW + b" "), why.DigestMismatch(DIGEST, digest_of(RAW + b" "))),
        ("manifest by tag", answer(200, b"<html>log in</html>"), why.MalformedDocument),
        ("manifest by tag", answer(404), why.NotFound("manifest")),
        (
            "head by tag",
            answer(200, content_type=OCI_INDEX, content_length=str(len(RAW)), docker_content_digest=str(DIGEST)),
            _described(DIGEST),
        ),
        ("head by tag", answer(200, content_type=OCI_INDEX, content_length="9"), None),
        ("head by tag", answer(200, content_type=OCI_INDEX, docker_content_digest=str(DIGEST)), None),
        ("head by tag", answer(200, content_length="9", docker_content_digest=str(DIGEST)), None),
        (
            "head by tag",
            answer(200, content_type="\udcff", content_length="9", docker_content_digest=str(DIGEST)),
            None,
        ),
        ("head by tag", answer(405), None),
        ("head by digest", answer(200, content_type=OCI_INDEX, content_length="9"), _described(DIGEST, size=9)),
        ("head by digest", answer(200, docker_content_digest=str(OTHER)), why.DigestMismatch(DIGEST, OTHER)),
        ("put", answer(201), MANIFEST.descriptor),
        ("put", answer(201, docker_content_digest=str(LONG)), MANIFEST.descriptor),
        ("put", answer(201, docker_content_digest=str(OTHER)), why.DigestMismatch(DIGEST, OTHER)),
        ("put", answer(200), why.ProtocolViolation("status 200 is no answer to this request")),
        ("put", answer(413), why.Refused(413)),
        ("delete_manifest", answer(202), None),
        ("delete_manifest", answer(404), why.NotFound("manifest")),
        ("delete_manifest", answer(404, attempts=2), None),
        ("tags", answer(200, b'{"name": "x", "tags": ["b", "a"]}'), Page(("b", "a"), None)),
        ("tags", answer(200, b'{"name": "x", "tags": null}'), Page((), None)),
        ("tags", answer(200, b'{"name": "x"}'), Page((), None)),
        ("tags", answer(200, b'["a"]'), why.MalformedDocument("a page is an object with a list of tags")),
        ("tags", answer(200, b'{"tags": {"a": 1}}'), why.MalformedDocument("a page is an object with a list of tags")),
        ("tags", answer(404), why.NotFound("repository")),
        ("repositories", answer(200, b'{"repositories": ["a", "b/c"]}'), Page(("a", "b/c"), None)),
        ("repositories", answer(401), why.Unauthenticated()),
        ("referrers", answer(200, RAW, content_type=OCI_INDEX), Page(())),
        ("referrers", answer(200, b'{"schemaVersion": 2, "manifests": null}'), Page(())),
        ("referrers", answer(200, b'{"schemaVersion": 2, "manifests": [{"digest": "x"}, 1]}'), Page((), None, 2)),
        ("referrers", answer(200, b'{"schemaVersion": 2, "manifests": {}}'), why.MalformedDocument),
        ("referrers", answer(200, b"[]"), why.MalformedDocument),
        ("referrers", answer(200, b'{"Manifests": [], "schemaVersion": 2, "manifests": null}'), why.MalformedDocument),
        ("referrers", answer(200, b"<html>", content_type="text/html"), why.Unsupported),
        ("referrers", answer(404, b"404 page not found"), why.NotFound("manifest")),
    ],
)
def test_an_answer_means_what_the_specification_says(decoder: str, response: Response, expected: object) -> None:
    """Registries leave out headers, add parameters and answer oddly; each of these was seen in one of them."""
    out = taken(DECODERS[decoder](response))
    assert isinstance(out, expected) if isinstance(expected, type) else out == expected


@pytest.mark.parametrize("status", [404, 405])
def test_a_registry_without_a_catalogue_says_so(status: int) -> None:
    """Not to be found is a fact about the registry here, and not about the request."""
    assert isinstance(taken(tag.decode_repositories(answer(status))), why.Unsupported)


def test_names_that_break_the_grammar_are_left_out_and_counted() -> None:
    """Artifactory lists digests among the tags, and an escape sequence must never reach a terminal."""
    names = [
        "good",
        "sha256:" + "0" * 64,
        "-x",
        "a" * 129,
        "\x1b[31m",
        "",
        None,
        1,
        {"a": 1},
        "Ünï",
        "a\n",
        "also.good",
    ]
    page = tag.decode_tags(answer(200, json.dumps({"tags": names}).encode())).unwrap()
    assert (page.entries, page.left_out) == (("good", "also.good"), 10)
    paths = ["team/app", "../etc", "Team/App", "a//b", "a/b:1", "x@sha256:0", "", 7]
    listed = tag.decode_repositories(answer(200, json.dumps({"repositories": paths}).encode())).unwrap()
    assert (listed.entries, listed.left_out) == (("team/app",), 7)


def test_the_tags_that_a_registry_created_are_read_from_one_header_or_many() -> None:
    """Tags that are absent from it were not created, whatever the status says."""
    assert manifest.accepted_tags(answer(201, oci_tag="a, b ,,c")) == ("a", "b", "c")
    assert manifest.accepted_tags(answer(201)) == ()


def test_a_filter_is_applied_only_where_the_registry_says_so() -> None:
    """Otherwise the caller has to filter."""
    assert referrer.filtered_by_registry(answer(200, oci_filters_applied="x, artifactType"))
    assert not referrer.filtered_by_registry(answer(200))
    assert isinstance(MANIFEST.model, ImageIndex)


@given(responses)
@example(answer(200, content_length="9" * 5000))
@example(answer(200, content_type="\udcff", content_length="1", docker_content_digest="sha256:" + "0" * 64))
@example(answer(202, location="/\udcff"))
@example(answer(202, location="https://one.example:99999/"))
@example(answer(200, b'{"tags": []}', link="<"))
def test_no_answer_breaks_a_decoder(response: Response) -> None:
    """A server may send anything: what cannot be read is a reason, and never an exception."""
    for name, decode in DECODERS.items():
        out = decode(response)
        assert isinstance(out, Success | Failure), name
        if isinstance(out, Failure):
            assert isinstance(out.failure(), get_args(Reason)), name
            assert isinstance(hash(out.failure()), int), name
    assert isinstance(fault_of(response, 0.0), why.RateLimited | why.ServerFault | None)
    manifest.accepted_tags(response)
    referrer.filtered_by_registry(response)


@given(responses)
def test_a_success_is_only_what_a_success_looks_like(response: Response) -> None:
    """No status of 3xx, 4xx or 5xx may pass for done, except where that is what it says."""
    meant = {("head_blob", 404), ("delete_blob", 404), ("delete_manifest", 404), ("cancel", 404)}
    meant |= {("head by tag", 405), ("head by digest", 405)}
    for name, decode in DECODERS.items():
        if isinstance(decode(response), Success):
            assert 200 <= response.status < 300 or (name, response.status) in meant


def test_a_location_is_resolved_against_what_answered() -> None:
    """After a redirect of a read, the server that answered is another one than the one that was asked."""
    assert HERE.host == "one.example"
    moved = answer(202, url=URL("https://two.example/v2/"), location="/u/1")
    assert str(taken(upload.after_begin(APP, moved)).location) == "https://two.example/u/1"
