"""Referrers on the wire: what points at a manifest (end-12)."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import MalformedDocument, NotFound, Reason, Refused, Unsupported
from registry_fp.domain.manifest import ImageIndex
from registry_fp.domain.media_type import OCI_INDEX, MediaType
from registry_fp.domain.model import parse_model
from registry_fp.domain.reference import Repository
from registry_fp.domain.strict_json import load_strict
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.page import PAGE_LIMIT, Page, next_page
from registry_fp.protocol.refusal import refusal

__all__ = [
    "decode_referrers",
    "filtered_by_registry",
    "lacks_referrers",
    "list_referrers",
    "of_type",
    "referrers_tag",
]

# 404 is the specification's; the others are what registries without the API were seen to answer.
_NO_SUCH_PATH: Final = frozenset({400, 404, 405, 406})


def list_referrers(
    origin: URL, repository: Repository, digest: Digest, *, artifact_type: MediaType | None = None
) -> Request:
    """end-12a: GET /v2/<name>/referrers/<digest>; end-12b: with `?artifactType=`."""
    query = "" if artifact_type is None else f"?artifactType={quote(artifact_type, safe='')}"
    url = URL(f"{origin}/v2/{repository.path}/referrers/{digest}{query}", encoded=True)
    return Request("list_referrers", f"{repository}@{digest}", "GET", url, {"Accept": OCI_INDEX}, limit=PAGE_LIMIT)


def decode_referrers(response: Response, artifact_type: MediaType | None = None) -> Result[Page[Descriptor], Reason]:
    """One page of what points there, filtered here where the registry did not; null is an empty list.

    Fails with a reason that `lacks_referrers` knows, where the registry does not have this API.
    """
    if response.status != 200:
        return Failure(refusal(response, "manifest"))
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        return Failure(Unsupported("listing referrers"))  # a web page for every path that it does not know
    index = _index_in(response.body)
    if not is_successful(index):
        return Failure(index.failure())
    found, left_out = index.unwrap()
    following = next_page(response.url, response.headers.get("link"))
    if not is_successful(following):
        return Failure(following.failure())
    wanted = None if filtered_by_registry(response) else artifact_type
    entries = of_type(found.manifests, wanted)
    return Success(Page(entries, following.unwrap(), left_out, len(response.body), response.peer))


def filtered_by_registry(response: Response) -> bool:
    """True where the registry says, by `OCI-Filters-Applied`, that it has applied the filter itself."""
    applied = response.headers.get("oci-filters-applied", "")
    return "artifactType" in [each.strip() for each in applied.split(",")]


def lacks_referrers(reason: Reason) -> bool:
    """Whether a registry that answers so has no list of referrers, so that the fallback tag has to be read (end-12).

    >>> lacks_referrers(NotFound("manifest")), lacks_referrers(Refused(418))
    (True, False)
    """
    match reason:
        case NotFound() | Unsupported():
            return True
        case Refused(status=status, problems=problems):
            return status in _NO_SUCH_PATH or any(problem.code == "UNSUPPORTED" for problem in problems)
        case _:
            return False


def of_type(found: tuple[Descriptor, ...], artifact_type: MediaType | None) -> tuple[Descriptor, ...]:
    """The referrers of this type; None is every one."""
    return found if artifact_type is None else tuple(each for each in found if each.artifact_type == artifact_type)


def referrers_tag(digest: Digest) -> str:
    """The tag of the list that clients keep where the registry keeps none (distribution-spec, "Referrers Tag Schema").

    >>> referrers_tag(Digest("sha512", "0" * 128)) == "sha512-" + "0" * 64
    True
    """
    return f"{digest.algorithm[:32]}-{digest.hex[:64]}"


def _index_in(body: bytes) -> Result[tuple[ImageIndex, int], Reason]:
    """The index, and how many of its entries are none."""
    loaded = load_strict(body, limit=PAGE_LIMIT)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    whole = parse_model(ImageIndex, body)
    if is_successful(whole):
        return Success((whole.unwrap(), 0))
    document: Any = loaded.unwrap()
    entries = document.get("manifests", ()) if isinstance(document, dict) else ()
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        return Failure(MalformedDocument("referrers come as an index"))
    good = [entry for entry in entries if is_successful(parse_model(Descriptor, json.dumps(entry).encode()))]
    rest = parse_model(ImageIndex, json.dumps({**document, "manifests": good}).encode())
    return rest.map(lambda index: (index, len(entries) - len(good)))
