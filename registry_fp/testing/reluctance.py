"""Reluctance: what a kind of registry refuses before it looks at what was asked."""

from __future__ import annotations

from registry_fp.testing.conversation import Conversation
from registry_fp.testing.replies import CHALLENGE, Reply, problem

__all__ = ["refused"]


def refused(talk: Conversation) -> Reply | None:
    """The refusal that this kind of registry has for a request; None where the request is to be answered."""
    profile, method = talk.quirks.profile, talk.request.method
    if method == "HEAD" and profile.head is not None:
        return problem(profile.head, "DENIED" if profile.head == 403 else "UNSUPPORTED")
    if profile.cookies and method not in {"GET", "HEAD"} and "Cookie" in talk.request.headers:
        return problem(403, "DENIED", "CSRF token not found in request")
    if profile.needs_length and "Transfer-Encoding" in talk.request.headers:
        return problem(411, "SIZE_INVALID", "a body has a Content-Length")
    return _lacking(talk)


def _lacking(talk: Conversation) -> Reply | None:
    profile = talk.quirks.profile
    match talk.route.endpoint:
        case "catalog" if not profile.catalog:
            return _unauthorized()
        case "end-9" | "end-10" if not profile.delete:
            return problem(405, "UNSUPPORTED")
        case "end-9" if not profile.tag_delete and ":" not in talk.route.reference:
            return problem(400, "DIGEST_INVALID")
        case "end-11":
            return _unmounted(talk)
        case "end-12a" | "end-12b" if not profile.referrers:
            return Reply(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        case "end-13" if not profile.status:
            return problem(404, "BLOB_UPLOAD_UNKNOWN")
        case _:
            return None


def _unmounted(talk: Conversation) -> Reply | None:
    match talk.quirks.profile.mount:
        case "unauthorized":
            return _unauthorized()
        case "denied":
            return problem(403, "DENIED")
        case "absent":
            return problem(404, "NAME_UNKNOWN")
        case "mounts" | "opens":
            return None


def _unauthorized() -> Reply:
    return problem(401, "UNAUTHORIZED", headers={"WWW-Authenticate": CHALLENGE})
