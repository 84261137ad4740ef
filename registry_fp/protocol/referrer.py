"""Referrers on the wire: what points at a manifest (end-12)."""

from __future__ import annotations

from urllib.parse import quote

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import MalformedDocument, Reason
from registry_fp.domain.manifest import ImageIndex, parse_manifest
from registry_fp.domain.media_type import OCI_INDEX, MediaType
from registry_fp.domain.reference import Repository
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.page import PAGE_LIMIT
from registry_fp.protocol.refusal import refusal

__all__ = ["decode_referrers", "filtered_by_registry", "list_referrers"]


def list_referrers(
    origin: URL, repository: Repository, digest: Digest, *, artifact_type: MediaType | None = None
) -> Request:
    """end-12a: GET /v2/<name>/referrers/<digest>; end-12b: with `?artifactType=`."""
    query = "" if artifact_type is None else f"?artifactType={quote(artifact_type, safe='')}"
    url = URL(f"{origin}/v2/{repository.path}/referrers/{digest}{query}", encoded=True)
    return Request("list_referrers", f"{repository}@{digest}", "GET", url, {"Accept": OCI_INDEX}, limit=PAGE_LIMIT)


def decode_referrers(response: Response) -> Result[ImageIndex, Reason]:
    """The index of what points there; a 404 is a registry without the API, where the fallback tag has to be read."""
    if response.status != 200:
        return Failure(refusal(response, "manifest"))
    parsed = parse_manifest(response.body, response.headers.get("content-type"))
    if not is_successful(parsed):
        return Failure(parsed.failure())
    model = parsed.unwrap().model
    return Success(model) if isinstance(model, ImageIndex) else Failure(MalformedDocument("referrers come as an index"))


def filtered_by_registry(response: Response) -> bool:
    """True where the registry says, by `OCI-Filters-Applied`, that it has applied the filter itself."""
    applied = response.headers.get("oci-filters-applied", "")
    return "artifactType" in [each.strip() for each in applied.split(",")]
