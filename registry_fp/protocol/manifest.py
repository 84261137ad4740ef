"""Manifests on the wire: end-3, end-7 and end-9.

A digest is computed from the bytes that travelled; the header `Docker-Content-Digest` is compared where it is there
and of the same algorithm, and never believed on its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of, parse_digest
from registry_fp.domain.errors import DigestMismatch, Reason
from registry_fp.domain.manifest import MANIFEST_LIMIT, RawManifest, parse_manifest
from registry_fp.domain.media_type import ACCEPT_MANIFEST
from registry_fp.domain.reference import Reference
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.refusal import objection, refusal

__all__ = [
    "accepted_tags",
    "content_digest",
    "decode_delete",
    "decode_head",
    "decode_manifest",
    "decode_put",
    "decode_put_subject",
    "delete_manifest",
    "get_manifest",
    "head_manifest",
    "put_manifest",
    "put_manifest_tags",
]


_MEDIA_TYPE: Final = re.compile(r"[\x21-\x7e]{1,255}")


def get_manifest(origin: URL, name: Reference) -> Request:
    """end-3: GET /v2/<name>/manifests/<tag-or-digest>."""
    return Request(
        "get_manifest", str(name), "GET", _url(origin, name), {"Accept": ACCEPT_MANIFEST}, limit=MANIFEST_LIMIT + 1
    )


def head_manifest(origin: URL, name: Reference) -> Request:
    """end-3: HEAD /v2/<name>/manifests/<tag-or-digest>."""
    return Request("head_manifest", str(name), "HEAD", _url(origin, name), {"Accept": ACCEPT_MANIFEST})


def put_manifest(origin: URL, name: Reference, manifest: RawManifest) -> Request:
    """end-7a: PUT /v2/<name>/manifests/<tag-or-digest>."""
    return Request(
        "put_manifest",
        str(name),
        "PUT",
        _url(origin, name),
        {"Content-Type": manifest.media_type},
        body=manifest.raw,
        patience=2.0,
    )


def put_manifest_tags(origin: URL, name: Reference, manifest: RawManifest, tags: Sequence[str]) -> Request:
    """end-7b: PUT /v2/<name>/manifests/<digest>?tag=1&tag=2; `accepted_tags` reads which of them were created."""
    pinned = name.at(manifest.digest)
    query = "&".join(f"tag={tag}" for tag in tags)
    url = URL(f"{_url(origin, pinned)}?{query}", encoded=True)
    headers = {"Content-Type": manifest.media_type}
    return Request("put_manifest", str(pinned), "PUT", url, headers, body=manifest.raw, patience=2.0)


def delete_manifest(origin: URL, name: Reference) -> Request:
    """end-9: DELETE /v2/<name>/manifests/<tag-or-digest>."""
    return Request("delete_manifest", str(name), "DELETE", _url(origin, name))


def decode_manifest(name: Reference, response: Response) -> Result[RawManifest, Reason]:
    """The manifest of a GET, proven against the digest that was asked for and the one that was promised."""
    refused = objection(response, "manifest")
    if refused is not None:
        return Failure(refused)
    for promised in (name.digest, content_digest(response)):
        if promised is not None:
            actual = digest_of(response.body, promised.algorithm)
            if actual != promised:
                return Failure(DigestMismatch(promised, actual))
    algorithm = name.digest.algorithm if name.digest is not None else "sha256"
    return parse_manifest(response.body, response.headers.get("content-type"), algorithm=algorithm)


def decode_head(name: Reference, response: Response) -> Result[Descriptor | None, Reason]:
    """What a HEAD promises; None where the registry leaves out what a descriptor needs, so that only a GET can tell."""
    if response.status == 405:  # a registry without HEAD has GET
        return Success(None)
    refused = objection(response, "manifest")
    if refused is not None:
        return Failure(refused)
    promised = content_digest(response)
    asked = name.digest
    if asked is not None and promised is not None and asked.algorithm == promised.algorithm and asked != promised:
        return Failure(DigestMismatch(asked, promised))
    digest = asked or promised
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    if digest is None or _MEDIA_TYPE.fullmatch(media_type) is None or not response.length:
        return Success(None)
    return Success(Descriptor(media_type=media_type, digest=digest, size=response.length))


def decode_put(manifest: RawManifest, response: Response) -> Result[Descriptor, Reason]:
    """The descriptor of what was stored; a registry that names another digest than the one sent broke the protocol."""
    if response.status != 201:
        return Failure(refusal(response, "repository"))
    promised = content_digest(response)
    if promised is not None and promised.algorithm == manifest.digest.algorithm and promised != manifest.digest:
        return Failure(DigestMismatch(manifest.digest, promised))
    return Success(manifest.descriptor)


def decode_put_subject(manifest: RawManifest, response: Response) -> Result[bool, Reason]:
    """Whether the registry took note of what the manifest is about; where it did not, its client has to (end-7).

    It says so by `OCI-Subject`. A manifest that is about nothing leaves nothing to note.
    """
    subject = manifest.model.subject
    noted = parse_digest(response.headers.get("oci-subject", "").strip()).value_or(None)
    return decode_put(manifest, response).map(lambda _: subject is None or noted == subject.digest)


def decode_delete(response: Response) -> Result[None, Reason]:
    """202 is done; a 404 to a repeated request says that the first one was done too."""
    if response.status in (202, 204) or (response.status == 404 and response.attempts > 1):
        return Success(None)
    refused = objection(response, "manifest")  # 200 is not the specification's answer, and leaves no doubt
    return Success(None) if refused is None else Failure(refused)


def accepted_tags(response: Response) -> tuple[str, ...]:
    """The tags that a registry says it created, from `OCI-Tag` (end-7b)."""
    return tuple(tag for each in response.headers.get("oci-tag", "").split(",") if (tag := each.strip()))


def content_digest(response: Response) -> Digest | None:
    """`Docker-Content-Digest`, where it is there and is a digest."""
    return parse_digest(response.headers.get("docker-content-digest", "").strip()).value_or(None)


def _url(origin: URL, name: Reference) -> URL:
    return URL(f"{origin}/v2/{name.repository.path}/manifests/{name.identifier}", encoded=True)
