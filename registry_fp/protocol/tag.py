"""Lists of names on the wire: tags (end-8), and repositories (outside the specification)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import MalformedDocument, Reason, Unsupported
from registry_fp.domain.reference import Repository, parse_repository, parse_tag
from registry_fp.domain.strict_json import load_strict
from registry_fp.protocol.message import Request, Response
from registry_fp.protocol.page import PAGE_LIMIT, Page, next_page
from registry_fp.protocol.refusal import Sought, objection

__all__ = ["NO_CATALOGUE", "decode_repositories", "decode_tags", "list_repositories", "list_tags"]

NO_CATALOGUE: Final = Unsupported("listing repositories (the catalogue is not part of the specification)")
"""The reason where a registry has no catalogue."""

_PAGE_SIZE: Final = 1000


def list_tags(origin: URL, repository: Repository, *, page_size: int = _PAGE_SIZE) -> Request:
    """end-8a: GET /v2/<name>/tags/list; end-8b: with `?n=`; the pages after it are named by `Link`."""
    url = URL(f"{origin}/v2/{repository.path}/tags/list?n={page_size}", encoded=True)
    return Request("list_tags", str(repository), "GET", url, limit=PAGE_LIMIT)


def list_repositories(origin: URL, host: str, *, page_size: int = _PAGE_SIZE) -> Request:
    """GET /v2/_catalog: not in the specification, and often denied by hosted registries."""
    url = URL(f"{origin}/v2/_catalog?n={page_size}", encoded=True)
    return Request("list_repositories", host, "GET", url, limit=PAGE_LIMIT)


def decode_tags(response: Response) -> Result[Page[str], Reason]:
    """The tags of one page; null is an empty list (podman-container-tools/skopeo#2409)."""
    return _decode(response, "tags", "repository")


def decode_repositories(response: Response) -> Result[Page[str], Reason]:
    """The repositories of one page; fails with `Unsupported` where the registry has no catalogue."""
    if response.status in (404, 405):
        return Failure(NO_CATALOGUE)
    return _decode(response, "repositories", "registry")


def _decode(response: Response, key: str, sought: Sought) -> Result[Page[str], Reason]:
    refused = objection(response, sought)
    if refused is not None:
        return Failure(refused)
    loaded = load_strict(response.body, limit=PAGE_LIMIT)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document = loaded.unwrap()
    names: Any = document.get(key) if isinstance(document, dict) else document
    if names is None:
        names = []
    if not isinstance(document, dict) or not isinstance(names, list):
        return Failure(MalformedDocument(f"a page is an object with a list of {key}"))
    good = tuple(_valid(names, key))
    following = next_page(response.url, response.headers.get("link"))
    if not is_successful(following):
        return Failure(following.failure())
    return Success(Page(good, following.unwrap(), len(names) - len(good), len(response.body), response.peer))


def _valid(names: Iterable[Any], key: str) -> Iterable[str]:
    for name in names:
        if not isinstance(name, str):
            continue
        parsed = parse_tag(name) if key == "tags" else parse_repository(f"localhost/{name}")
        if is_successful(parsed):
            yield name
