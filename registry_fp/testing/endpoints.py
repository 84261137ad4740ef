"""The endpoints of the specification, by their ids, and the answers that they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from registry_fp.testing.blob_endpoints import delete_blob, get_blob
from registry_fp.testing.conversation import Conversation
from registry_fp.testing.list_endpoints import list_referrers, list_repositories, list_tags, ping
from registry_fp.testing.manifest_endpoints import delete_manifest, get_manifest, put_manifest
from registry_fp.testing.reluctance import refused
from registry_fp.testing.replies import Reply, problem
from registry_fp.testing.routes import is_name
from registry_fp.testing.upload_endpoints import (
    cancel_upload,
    commit_upload,
    get_upload,
    mount_blob,
    patch_upload,
    post_blob,
    start_upload,
)

__all__ = ["ENDPOINTS", "answer"]

ENDPOINTS: Final[dict[str, Callable[[Conversation], Awaitable[Reply]]]] = {
    "end-1": ping,
    "end-2": get_blob,
    "end-3": get_manifest,
    "end-4a": start_upload,
    "end-4b": post_blob,
    "end-4c": start_upload,
    "end-5": patch_upload,
    "end-6": commit_upload,
    "end-7a": put_manifest,
    "end-7b": put_manifest,
    "end-8a": list_tags,
    "end-8b": list_tags,
    "end-9": delete_manifest,
    "end-10": delete_blob,
    "end-11": mount_blob,
    "end-12a": list_referrers,
    "end-12b": list_referrers,
    "end-13": get_upload,
    "end-14": cancel_upload,
    "catalog": list_repositories,
}


async def answer(talk: Conversation) -> Reply:
    """What the registry says to a request, whatever it asks for."""
    route = talk.route
    if route.kind == "unknown":
        return problem(404, "UNSUPPORTED", "no endpoint has this path")
    if route.kind not in {"ping", "catalog"} and not is_name(route.repository):
        return problem(400, "NAME_INVALID", f"not a name: {route.repository}")
    endpoint = ENDPOINTS.get(route.endpoint)
    if endpoint is None:
        return problem(405, "UNSUPPORTED", "not with this method", headers={"Allow": ", ".join(route.allowed)})
    return refused(talk) or await endpoint(talk)
