"""Manifests: reading (end-3), putting (end-7) and deleting (end-9)."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

from registry_fp.domain.digest import Digest, digest_of
from registry_fp.testing.conversation import Conversation
from registry_fp.testing.outline import MANIFEST_LIMIT, Outline, read_outline
from registry_fp.testing.replies import Reply, missing_content, parsed_digest, problem
from registry_fp.testing.routes import is_tag

__all__ = ["delete_manifest", "get_manifest", "put_manifest"]


_DOCKER: Final = "application/vnd.docker."


async def get_manifest(talk: Conversation) -> Reply:
    """A manifest's exact bytes under the media type it was put with; for HEAD only the headers (end-3)."""
    found = _find(talk)
    if isinstance(found, Reply):
        return found
    digest, outline = found
    headers = {"Content-Type": outline.media_type, "Docker-Content-Digest": str(digest)}
    return Reply(200, headers, talk.catalogue.storage.read(digest, 0, outline.size), outline.size)


async def put_manifest(talk: Conversation) -> Reply:
    """Store a manifest whose content is all there, and tag it (end-7a, end-7b)."""
    reference = talk.route.reference
    named = parsed_digest(reference) if ":" in reference else None
    if isinstance(named, Reply):
        return named
    tags = talk.request.query.getall("tag", [])
    if named is None and tags:
        return problem(400, "MANIFEST_INVALID", "tag parameters go with a digest in the path")
    for tag in tags if named is not None else [reference]:
        if not is_tag(tag):
            return problem(400, "MANIFEST_INVALID", f"not a tag: {tag}")
    raw = await _received(talk)
    if raw is None:
        return problem(413, "SIZE_INVALID", f"a manifest has at most {MANIFEST_LIMIT} bytes")
    digest = digest_of(raw, named.algorithm if named is not None else "sha256")
    if named not in {None, digest}:
        return problem(400, "DIGEST_INVALID", f"the content is {digest}")
    outline = read_outline(raw, talk.request.headers.get("Content-Type", ""))
    if isinstance(outline, str):
        return problem(400, "MANIFEST_INVALID", outline)
    if not talk.quirks.profile.docker_schema2 and outline.media_type.startswith(_DOCKER):
        return problem(400, "MANIFEST_INVALID", f"not a media type that is taken here: {outline.media_type}")
    refusal = await _dangling(talk, outline)
    if refusal is not None:
        return refusal
    if not talk.forgets:
        await talk.catalogue.keep_manifest(talk.name, digest, outline, raw)
        for tag in tags if named is not None else [reference]:
            await talk.catalogue.add_tag(talk.name, tag, digest)
    headers = {
        "Location": talk.location(f"/v2/{talk.name}/manifests/{digest}"),
        "Docker-Content-Digest": str(digest),
        "OCI-Subject": str((outline.subject or "") if talk.quirks.profile.referrers else ""),
        "OCI-Tag": ", ".join(tags),
    }
    return Reply(201, {name: text for name, text in headers.items() if text})


async def delete_manifest(talk: Conversation) -> Reply:
    """By tag, remove that tag; by digest, the manifest and every tag on it (end-9)."""
    found = _find(talk)
    if isinstance(found, Reply):
        return found
    if ":" in talk.route.reference:
        await talk.catalogue.remove_manifest(talk.name, found[0])
    else:
        await talk.catalogue.remove_tag(talk.name, talk.route.reference)
    return Reply(202)


def _find(talk: Conversation) -> tuple[Digest, Outline] | Reply:
    reference = talk.route.reference
    named = parsed_digest(reference) if ":" in reference else reference
    if isinstance(named, Reply):
        return named
    if talk.catalogue.tags(talk.name) is None:
        return problem(404, "NAME_UNKNOWN")
    return talk.catalogue.find(talk.name, named) or problem(404, "MANIFEST_UNKNOWN")


async def _received(talk: Conversation) -> bytes | None:
    """The body, or None as soon as it is too large."""
    if (talk.request.content_length or 0) > MANIFEST_LIMIT:
        return None
    raw = bytearray()
    async with aclosing(talk.pieces()) as pieces:
        async for piece in pieces:
            raw += piece
            if len(raw) > MANIFEST_LIMIT:
                return None
    return bytes(raw)


async def _dangling(talk: Conversation, outline: Outline) -> Reply | None:
    """The answer to a manifest that points at what is not there, or has another size."""
    missing = talk.catalogue.missing(talk.name, outline)
    if missing:
        return missing_content(missing)
    for pointer in (*outline.blobs, *outline.children):
        size = await talk.catalogue.storage.size(pointer.digest)
        if size != pointer.size:
            return problem(400, "MANIFEST_INVALID", f"{pointer.digest} has {size} bytes, not {pointer.size}")
    return None
