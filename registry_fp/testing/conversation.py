"""Conversations: one request, its body, and the way its answer travels; and the faults that befall them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, final

from aiohttp import web

from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing.catalogue import Catalogue
from registry_fp.testing.counts import Ledger, Visit
from registry_fp.testing.faults import Action, Answer, Corrupt, Drop, DropAfter, NotStored, Stall, WrongDigestHeader
from registry_fp.testing.manners import DIGEST_HEADER, Manners, dressed
from registry_fp.testing.replies import Reply
from registry_fp.testing.routes import Route
from registry_fp.testing.uploads import Uploads

__all__ = ["EMBEDDED", "Conversation", "Quirks", "Severed", "converse", "switched"]

EMBEDDED: Final = RegistryProfile("embedded", anonymous_mount=True)
"""The profile of a registry that was not given one: all of the specification, also what it leaves open."""


def switched(
    profile: RegistryProfile, relative: bool, page_limit: int | None, chunk_min_length: int | None
) -> RegistryProfile:
    """The profile, changed by the switches of `EmbeddedRegistry` that are set.

    >>> switched(EMBEDDED, True, None, 1024).location
    'path'
    """
    if relative:
        profile = replace(profile, location="path", link="relative")
    if page_limit is not None:
        profile = replace(profile, page_max=page_limit)
    return profile if chunk_min_length is None else replace(profile, min_chunk=chunk_min_length)


class Severed(Exception):  # noqa: N818  a signal from a body's reader to `converse`, past the endpoint between them
    """The connection of this request is to end in the middle of its body."""


@final
@dataclass(frozen=True, slots=True)
class Quirks:
    """What the registry does otherwise than a plain one."""

    basic_auth: tuple[str, str] | None = None
    profile: RegistryProfile = EMBEDDED
    manners: Manners = field(default_factory=Manners)


@final
@dataclass(frozen=True, slots=True)
class Conversation:
    """A request, and what its endpoint may use to answer it; of its parameters, `query` has the first of each name."""

    request: web.BaseRequest
    route: Route
    query: Mapping[str, str]
    action: Action | None
    visit: Visit
    ledger: Ledger
    catalogue: Catalogue
    uploads: Uploads
    quirks: Quirks

    @property
    def name(self) -> str:
        """The repository."""
        return self.route.repository

    @property
    def forgets(self) -> bool:
        """Whether the fault is to answer 201 and store nothing."""
        return isinstance(self.action, NotStored)

    @property
    def origin(self) -> str:
        """Where the client thinks that the registry is."""
        return f"{self.request.scheme}://{self.request.host}"

    def location(self, path: str) -> str:
        """A path as it stands in the Location of what is stored."""
        return path if self.quirks.profile.location in {"path", "bare"} else f"{self.origin}{path}"

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The request's body as it arrives, counted, up to the point where a fault is due."""
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        limit = _limit(self.action)
        async for piece in self.request.content.iter_any():
            taken = piece if limit is None else piece[: limit - self.visit.bytes_in]
            self.ledger.took(self.visit, len(taken))
            yield taken
            if self.visit.bytes_in == limit:
                raise Severed


async def converse(talk: Conversation, answer: Callable[[Conversation], Awaitable[Reply]]) -> web.StreamResponse:
    """Let the endpoint answer, unless a fault comes before it, between or after."""
    match talk.action:
        case Answer(status, headers, body, late=False):
            return await _deliver(talk, await _dressed(talk, Reply(status, headers, body)))
        case Drop(late=False) | DropAfter(0) | Stall(0):
            return await _cut(talk, web.Response())
        case _:
            pass
    try:
        reply = await answer(talk)
        if isinstance(talk.action, Answer):
            reply = Reply(talk.action.status, talk.action.headers, talk.action.body)
        reply = await _dressed(talk, reply)
    except Severed:
        return await _cut(talk, web.Response())
    if isinstance(talk.action, Drop):
        return await _cut(talk, web.Response())
    return await _deliver(talk, reply)


async def _dressed(talk: Conversation, reply: Reply) -> Reply:
    quirks, storage = talk.quirks, talk.catalogue.storage
    return await dressed(reply, quirks.profile, quirks.manners, request=talk.request, route=talk.route, storage=storage)


async def _deliver(talk: Conversation, reply: Reply) -> web.StreamResponse:
    headers = dict(reply.headers)
    if isinstance(talk.action, WrongDigestHeader) and DIGEST_HEADER in headers:
        headers[DIGEST_HEADER] = headers[DIGEST_HEADER][:-1] + ("1" if headers[DIGEST_HEADER].endswith("0") else "0")
    response = web.StreamResponse(status=reply.status, headers=headers)
    length = len(reply.body) if isinstance(reply.body, bytes) else reply.length
    if reply.status != 204:
        response.content_length = length
    # Written down before the first byte leaves, and over before the last: whoever has the answer finds the request
    # in the counts, and their next request is never taken for one more at the same time.
    talk.ledger.write_down(talk.visit, reply.status)
    silent = talk.request.method == "HEAD" or not length
    if silent:
        talk.ledger.leave(talk.visit)
    await response.prepare(talk.request)
    if silent:
        return response
    limit = _limit(talk.action) if talk.request.method == "GET" else None
    sent = 0
    async with aclosing(_body(reply)) as pieces:
        async for whole in pieces:
            piece = whole if limit is None else whole[: limit - sent]
            if isinstance(talk.action, Corrupt):
                piece = _flipped(piece, talk.action.at - sent)
            talk.ledger.gave(talk.visit, len(piece))
            sent += len(piece)
            if sent == length and sent != limit:
                talk.ledger.leave(talk.visit)
            await response.write(piece)
            if sent == limit:
                return await _cut(talk, response)
    return response


async def _cut(talk: Conversation, response: web.StreamResponse) -> web.StreamResponse:
    """End the connection, or fall silent, and give the server the response that nobody will get."""
    talk.ledger.write_down(talk.visit, None)
    if isinstance(talk.action, Stall):
        await asyncio.Event().wait()  # the end of the connection cancels this
    talk.ledger.leave(talk.visit)
    transport = talk.request.transport
    if transport is None:
        pass
    elif response.prepared or (isinstance(talk.action, Drop) and not talk.action.reset):
        transport.close()  # what was sent arrives, then a FIN
    else:
        # A linger of zero seconds makes the close a reset.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return response


async def _body(reply: Reply) -> AsyncGenerator[bytes, None]:
    if isinstance(reply.body, bytes):
        yield reply.body
        return
    async with aclosing(reply.body) as pieces:
        async for piece in pieces:
            yield piece


def _limit(action: Action | None) -> int | None:
    match action:
        case DropAfter(count):
            return count
        case Stall(after):
            return after
        case _:
            return None


def _flipped(piece: bytes, at: int) -> bytes:
    """The piece with one bit changed, if the offset lies in it."""
    return piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :] if 0 <= at < len(piece) else piece
