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
from registry_fp.operations.blobs import ask_mount, blob_size
from registry_fp.operations.uploads import begin_upload, cancel_upload, commit_upload
from registry_fp.protocol.message import Body
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client
from registry_fp.transport.repeat import attempted

__all__ = ["Arrival", "upload_blob"]

Arrival: TypeAlias = Literal["exists", "mounted", "uploaded"]
"""How a blob came to be where it is."""


@operation
async def upload_blob(
    client: Client, repository: Repository, blob: Descriptor, body: Body, *, neighbours: Sequence[Repository] = ()
) -> Result[Arrival, RegistryError]:
    """Make sure that a repository holds a blob: ask for it, mount it from a neighbour, or send it in one PUT.

    The PUT carries the descriptor's size as its length; after a transient failure the body is opened again. The same
    blob asked for twice at once is sent once. Fails as `body` does, with `Refused`, `Denied`, `DigestMismatch`, or as
    the transport does; no upload is left open then. Source: end-2, end-11, end-4a, end-6.
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
    left_open: list[Upload] = []  # by a registry that takes the bytes instead of mounting
    for neighbour in neighbours:
        if neighbour.host != repository.host or neighbour == repository:
            continue
        asked = await settle(ask_mount(client, repository, blob.digest, neighbour))
        if isinstance(asked, Ok) and asked.value is None and await _there(client, repository, blob) is True:
            return Success("mounted")
        if isinstance(asked, Ok) and asked.value is not None:
            left_open.append(asked.value)
        break

    def opened() -> Op[Upload]:
        if left_open:
            return FutureResult.from_value(left_open.pop())
        return begin_upload(client, repository, algorithm=blob.digest.algorithm)

    def sent(_attempt: int) -> Op[Arrival]:
        return bracket(
            opened,
            lambda upload: _committed(client, upload, blob, body),
            lambda upload, done: _given_up_unless(client, upload, done),
        )

    return result_of(await settle(attempted(sent, client.policy(), client.clock)))


@operation
async def _committed(client: Client, upload: Upload, blob: Descriptor, body: Body) -> Result[Arrival, RegistryError]:
    done = await settle(commit_upload(client, upload, blob.digest, Body(body.open, blob.size)))
    if isinstance(done, Ok):
        return Success("uploaded")
    # Another writer of the same blob may have been first (docker/buildx#3731), or the answer may have been lost.
    answered = was_answered(done.error) and not isinstance(done.error.reason, RateLimited)
    if answered and await _there(client, upload.repository, blob) is True:
        return Success("uploaded")
    return Failure(done.error)


async def _there(client: Client, repository: Repository, blob: Descriptor) -> bool | RegistryError:
    size = await settle(blob_size(client, repository, blob.digest))
    return size.error if isinstance(size, Err) else size.value in (blob.size, -1)


async def _given_up_unless(client: Client, upload: Upload, done: object) -> None:
    if not isinstance(done, Ok):
        await settle(cancel_upload(client, upload))
