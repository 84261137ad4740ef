"""Lists, and the check of the API: end-1, end-8, end-12, and the catalog, which is outside the specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from registry_fp.domain.media_type import OCI_INDEX
from registry_fp.testing.conversation import Conversation
from registry_fp.testing.replies import Reply, json_reply, parsed_digest, problem

__all__ = ["list_referrers", "list_repositories", "list_tags", "ping"]


async def ping(talk: Conversation) -> Reply:
    """The registry speaks this API (end-1)."""
    return json_reply(200, {})


async def list_repositories(talk: Conversation) -> Reply:
    """The names of all repositories, sorted, in pages."""
    page = _page(talk, talk.catalogue.names())
    if isinstance(page, Reply):
        return page
    names, headers = page
    return json_reply(200, {"repositories": names}, headers)


async def list_tags(talk: Conversation) -> Reply:
    """A repository's tags, sorted, in pages (end-8a, end-8b)."""
    tags = talk.catalogue.tags(talk.name)
    if tags is None:
        return problem(404, "NAME_UNKNOWN")
    page = _page(talk, tags)
    if isinstance(page, Reply):
        return page
    shown, headers = page
    return json_reply(200, {"name": talk.name, "tags": shown}, headers)


async def list_referrers(talk: Conversation) -> Reply:
    """The manifests whose subject is this digest, present or not, in pages (end-12a, end-12b)."""
    subject = parsed_digest(talk.route.reference)
    if isinstance(subject, Reply):
        return subject
    kind = talk.query.get("artifactType")
    found = {
        str(digest): outline.descriptor(digest)
        for digest, outline in talk.catalogue.referrers(talk.name, subject)
        if kind in {None, outline.artifact_type}
    }
    page = _page(talk, list(found))
    if isinstance(page, Reply):
        return page
    digests, headers = page
    if kind is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
    index: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [found[key] for key in digests]}
    return json_reply(200, index, {"Content-Type": OCI_INDEX, **headers})


def _page(talk: Conversation, keys: Sequence[str]) -> tuple[list[str], dict[str, str]] | Reply:
    """The keys after `last`, at most `n`, and the headers that name the page after them."""
    asked = talk.query.get("n")
    if asked is not None and not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return problem(400, "PAGINATION_NUMBER_INVALID", f"not a number: {asked}")
    profile = talk.quirks.profile
    if asked is not None and profile.refuses_long_pages and int(asked) > (profile.page_max or int(asked)):
        return problem(400, "PAGINATION_NUMBER_INVALID", f"at most {profile.page_max}: {asked}")
    bounds = [bound for bound in (None if asked is None else int(asked), profile.page_max) if bound is not None]
    last = talk.query.get("last", "")
    rest = [key for key in keys if key > last]
    if not bounds or min(bounds) >= len(rest):
        return rest, {}
    shown = rest[: min(bounds)]
    if not shown:
        return [], {}
    query = urlencode({**talk.query, "n": str(min(bounds)), "last": shown[-1]})
    match profile.link:
        case "none":
            return shown, {}
        case "relative":
            return shown, {"Link": f'<{talk.request.path}?{query}>; rel="next"'}
        case "absolute":
            return shown, {"Link": f'<{talk.origin}{talk.request.path}?{query}>; rel="next"'}
