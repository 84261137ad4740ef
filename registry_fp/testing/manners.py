"""Manners: what answers look like in one kind of registry or another, whatever they say.

The facts that a client can act on are a `RegistryProfile`; what a client must merely bear is here.
"""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, final

from aiohttp import web

from registry_fp.domain.digest import Algorithm, Digest, new_hasher, parse_digest
from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing.replies import CHALLENGE, Reply, problem
from registry_fp.testing.routes import Route
from registry_fp.testing.storage import Storage

__all__ = ["DIGEST_HEADER", "Manners", "dressed"]

DIGEST_HEADER: Final = "Docker-Content-Digest"

_LOST: Final = frozenset({"blob", "manifest", "tags"})


@final
@dataclass(frozen=True, slots=True)
class Manners:
    """Oddities of answers: `headers` on each of them, and what a refusal's body is instead of the specification's.

    `digest_algorithm` is the one of `Docker-Content-Digest`, whichever algorithm content was put under.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    error_body: bytes | None = None
    error_type: str = "application/json"
    digest_algorithm: Algorithm | None = None


async def dressed(  # noqa: PLR0913  an answer, and everything that it depends on
    reply: Reply,
    profile: RegistryProfile,
    manners: Manners,
    *,
    request: web.BaseRequest,
    route: Route,
    storage: Storage,
) -> Reply:
    """The answer of a plain registry as this one gives it."""
    said = reply
    if reply.status == 404 and profile.absent_status != 404 and route.kind in _LOST and request.method != "PUT":
        said = _hidden(profile.absent_status)
    if said.status >= 400 and manners.error_body is not None and request.method != "HEAD":
        headers = {**said.headers, "Content-Type": manners.error_type}
        said = replace(said, headers=headers, body=manners.error_body)
    if profile.gzip and route.kind == "blob" and said.status == 200 and _accepts_gzip(request):
        said = await _squeezed(said, request.method == "HEAD")
    headers = {"Docker-Distribution-Api-Version": "registry/2.0"} if profile.api_version else {}
    headers |= {**said.headers, **manners.headers}
    if not profile.head_digest:
        headers.pop(DIGEST_HEADER, None)
    elif manners.digest_algorithm is not None and DIGEST_HEADER in headers:
        headers[DIGEST_HEADER] = await _named_by(storage, headers[DIGEST_HEADER], manners.digest_algorithm)
    if profile.cookies:
        headers["Set-Cookie"] = f"sid={secrets.token_hex(8)}; Path=/; HttpOnly"
    return replace(said, headers=headers)


def _hidden(status: int) -> Reply:
    """That something is absent, told as that it may not be seen."""
    if status == 401:
        return problem(401, "UNAUTHORIZED", headers={"WWW-Authenticate": CHALLENGE})
    return problem(status, "DENIED")


def _accepts_gzip(request: web.BaseRequest) -> bool:
    accepted = request.headers.get("Accept-Encoding", "")
    return any(each.partition(";")[0].strip().lower() in {"gzip", "*"} for each in accepted.split(","))


async def _squeezed(reply: Reply, silent: bool) -> Reply:
    """The answer with its body under a gzip encoding: another length, and other bytes than the digest's."""
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    if silent:
        return Reply(reply.status, headers)
    body = await asyncio.to_thread(gzip.compress, await _whole(reply.body), 1)
    return Reply(reply.status, headers, body)


async def _whole(body: bytes | AsyncGenerator[bytes, None]) -> bytes:
    if isinstance(body, bytes):
        return body
    async with aclosing(body) as pieces:
        return b"".join([piece async for piece in pieces])


async def _named_by(storage: Storage, text: str, algorithm: Algorithm) -> str:
    digest = parse_digest(text).unwrap()
    size = await storage.size(digest)
    if size is None or digest.algorithm == algorithm:
        return text
    hasher = new_hasher(algorithm)
    hasher.update(await _whole(storage.read(digest, 0, size)))
    return str(Digest(algorithm, hasher.hexdigest()))
