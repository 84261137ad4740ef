"""Placement: a blob of known digest comes to a repository by the cheapest way that there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import RateLimited, RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.domain.transient import was_answered
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.blobs import ask_mount
from registry_fp.operations.chunks import Trip
from registry_fp.operations.presence import held_size
from registry_fp.operations.sending import by_some_way, deliver_upload
from registry_fp.operations.uploads import LATE_SECONDS, begin_upload, cancel_upload
from registry_fp.protocol.message import Body
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client

__all__ = ["Arrival", "upload_blob"]

Arrival: TypeAlias = Literal["exists", "mounted", "uploaded"]
"""How a blob came to be where it is."""


@operation
async def upload_blob(
    client: Client, repository: Repository, blob: Descriptor, body: Body, *, neighbours: Sequence[Repository] = ()
) -> Result[Arrival, RegistryError]:
    """Make sure that a repository holds a blob: ask for it, mount it from a neighbour, or send it.

    It goes in one PUT that carries the descriptor's size as its length, and in chunks where the registry does not take
    that; after a transient failure the body is opened again. The same blob asked for twice at once is sent once. Fails
    as `body` does, with `Refused`, `Denied`, `DigestMismatch`, or as the transport does; no upload is left open then.
    Source: end-2, end-11, end-4a, end-5, end-6.
    """
    key = (repository, blob.digest)
    while (landing := client.flights.take_off(key)) is not None:
        if await landing is not None:
            return Success("exists")
    landed: Descriptor | None = None
    try:
        out = await settle(_brought(client, repository, blob, body, neighbours))
        landed = blob if isinstance(out, Ok) else None
        return result_of(out)
    finally:
        client.flights.land(key, landed)


@operation
async def _brought(
    client: Client, repository: Repository, blob: Descriptor, body: Body, neighbours: Sequence[Repository]
) -> Result[Arrival, RegistryError]:
    there = await _there(client, repository, blob)
    if there is True:
        return Success("exists")
    if isinstance(there, RegistryError) and not was_answered(there):
        return Failure(there)
    neighbour = next((each for each in neighbours if each.host == repository.host and each != repository), None)
    if neighbour is None:
        return result_of(await settle(_sent(client, repository, blob, body, [])))
    # A registry that does not mount opens a session instead, and what is wrong with mounting is no answer to sending.
    mounting = bracket(
        lambda: ask_mount(client, repository, blob.digest, neighbour).lash(_not_mounted).map(_listed),
        lambda left_open: _mounted_or_sent(client, repository, blob, body, left_open),
        lambda left_open, _: _given_up(client, left_open),
        grace=LATE_SECONDS,
    )
    return result_of(await settle(mounting))


@operation
async def _mounted_or_sent(
    client: Client, repository: Repository, blob: Descriptor, body: Body, left_open: list[Upload]
) -> Result[Arrival, RegistryError]:
    if not left_open and await _there(client, repository, blob) is True:
        return Success("mounted")
    return result_of(await settle(_sent(client, repository, blob, body, left_open)))


def _sent(client: Client, repository: Repository, blob: Descriptor, body: Body, left_open: list[Upload]) -> Op[Arrival]:
    """Send the blob, as often as it takes; the first attempt uses the session that is open, if there is one."""

    def opened() -> Op[Upload]:
        if left_open:
            return FutureResult.from_value(left_open.pop())
        return begin_upload(client, repository, algorithm=blob.digest.algorithm)

    def attempt(trip: Trip) -> Op[Arrival]:
        return bracket(
            opened,
            lambda upload: _committed(client, upload, blob, body, trip),
            lambda upload, done: _given_up(client, [] if isinstance(done, Ok) else [trip.upload or upload]),
            grace=LATE_SECONDS,
        )

    return by_some_way(client, repository, blob.size, "PUT", attempt)


@operation
async def _committed(
    client: Client, upload: Upload, blob: Descriptor, body: Body, trip: Trip
) -> Result[Arrival, RegistryError]:
    sized = Body(body.open, blob.size)
    done = await settle(deliver_upload(client, upload, blob.digest, sized, trip))
    if isinstance(done, Ok):
        return Success("uploaded")
    # Another writer of the same blob may have been first (docker/buildx#3731), or the answer may have been lost.
    answered = was_answered(done.error) and not isinstance(done.error.reason, RateLimited)
    if answered and await _there(client, upload.repository, blob) is True:
        return Success("uploaded")
    return Failure(done.error)


async def _there(client: Client, repository: Repository, blob: Descriptor) -> bool | RegistryError:
    size = await settle(held_size(client, repository, blob.digest))
    return size.error if isinstance(size, Err) else size.value in (blob.size, -1)


async def _given_up(client: Client, uploads: list[Upload]) -> None:
    for upload in uploads:
        await settle(cancel_upload(client, upload))


def _listed(upload: Upload | None) -> list[Upload]:
    return [] if upload is None else [upload]


def _not_mounted(_error: RegistryError) -> Op[Upload | None]:
    return FutureResult.from_value(None)
