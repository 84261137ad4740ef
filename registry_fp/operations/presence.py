"""Presence: whether a repository holds a blob, also where a registry does not answer the question in the usual way."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from returns.result import Result

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Denied, Refused, RegistryError, ServerFault
from registry_fp.domain.reference import Repository
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.protocol import blob as wire
from registry_fp.protocol.message import Incoming, Response
from registry_fp.transport.port import Client, collect, send

__all__ = ["allowed_size", "confirmed_size", "held_size"]


@operation
async def held_size(client: Client, repository: Repository, digest: Digest) -> Result[int | None, RegistryError]:
    """The size in bytes of a blob that is there (-1 where the registry does not tell); None for one that is not.

    A registry without HEAD is asked for one byte instead. Fails with `Unauthenticated`, `Denied`, or as the transport
    does. Source: end-2.
    """
    if client.profiles.of(repository.host).head is not None:
        return result_of(await settle(_by_get(client, repository, digest)))
    out = await settle(_by_head(client, repository, digest))
    if isinstance(out, Err) and _has_no_head(out.error):
        return await _instead(client, repository, digest, 405)
    return result_of(out)


@operation
async def allowed_size(client: Client, repository: Repository, digest: Digest) -> Result[int | None, RegistryError]:
    """`held_size`, where a refusal is not believed before it is one of GET as well."""
    out = await settle(held_size(client, repository, digest))
    if isinstance(out, Err) and isinstance(out.error.reason, Denied) and _asked_by_head(client, repository):
        return await _instead(client, repository, digest, 403)
    return result_of(out)


@operation
async def confirmed_size(client: Client, repository: Repository, digest: Digest) -> Result[int | None, RegistryError]:
    """`held_size` of what should be there: that it is not is not believed before it is the answer to GET as well."""
    out = await settle(held_size(client, repository, digest))
    if isinstance(out, Ok) and out.value is None and _asked_by_head(client, repository):
        return await _instead(client, repository, digest, 404)
    return result_of(out)


async def _instead(
    client: Client, repository: Repository, digest: Digest, refused: Literal[403, 404, 405]
) -> Result[int | None, RegistryError]:
    """Ask by GET; where that knows more, and it was not only a copy of the registry that was late, HEAD is given up."""
    out = await settle(_by_get(client, repository, digest))
    is_wrong = isinstance(out, Ok) and (out.value is not None or refused == 405)
    if is_wrong and refused == 404:
        again = await settle(_by_head(client, repository, digest))
        is_wrong = isinstance(again, Ok) and again.value is None
    if is_wrong:
        profile = client.profiles.of(repository.host)
        client.profiles.learn(repository.host, replace(profile, head=refused))
    return result_of(out)


def _by_head(client: Client, repository: Repository, digest: Digest) -> Op[int | None]:
    return send(client, wire.head_blob(client.origin(repository.host), repository, digest), wire.decode_head)


def _by_get(client: Client, repository: Repository, digest: Digest) -> Op[int | None]:
    asked = wire.get_blob(client.origin(repository.host), repository, digest)
    request = replace(asked, doing="has_blob").with_header("Range", "bytes=0-0")

    async def receive(incoming: Incoming) -> Result[int | None, RegistryError]:
        if incoming.status >= 400:
            refused = await collect(incoming, request)
            return refused.bind(lambda answer: wire.decode_part(answer).alt(request.failed))
        # What comes behind the headers is left alone: of the blob itself nothing is wanted.
        return wire.decode_part(Response(incoming.status, incoming.headers, incoming.url)).alt(request.failed)

    return client.exchange(request, receive)


def _asked_by_head(client: Client, repository: Repository) -> bool:
    return client.profiles.of(repository.host).head is None


def _has_no_head(error: RegistryError) -> bool:
    match error.reason:
        case Refused(status=405) | ServerFault(status=501):
            return True
        case _:
            return False
