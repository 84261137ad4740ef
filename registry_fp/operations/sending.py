"""Sending: a blob goes by the way that suits the registry, and by another one where that does not lead there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, deferred, operation
from registry_fp.operations.chunks import Trip, fill_upload
from registry_fp.operations.uploads import commit_upload
from registry_fp.protocol.message import Body
from registry_fp.protocol.upload import Upload
from registry_fp.protocol.way import Pieces, Verb, Whole, first_way, next_way
from registry_fp.transport.port import Client

__all__ = ["by_some_way", "deliver_upload"]

T = TypeVar("T")

_RESTARTS: Final = 2
"""How many more sessions a blob gets whose chunks a registry has lost."""


def by_some_way(
    client: Client, repository: Repository, length: int | None, verb: Verb, attempt: Callable[[Trip], Op[T]]
) -> Op[T]:
    """Attempt to send a blob of so many bytes, as often as it takes, each time by the way that is best by then.

    What the attempts show of the registry is kept in the client's profiles. Each attempt begins a session of its own.
    Fails as the last of them.
    """

    async def body() -> Result[T, RegistryError]:
        host, policy, begun = repository.host, client.policy(), client.clock.now()
        way = first_way(client.profiles.of(host), length, verb)
        attempts = pauses = restarts = 0
        while True:
            trip = Trip(way)
            attempts += 1
            out = await settle(attempt(trip))
            if isinstance(out, Ok):
                return Success(out.value)
            error = out.error
            # What is wrong with opening a session is nothing about its bytes.
            turn = None if trip.upload is None else next_way(way, error.reason, client.profiles.of(host), length, verb)
            if turn is not None:
                client.profiles.learn(host, turn.profile)
            if turn is None or not turn.at_once:
                restarts += trip.upload is not None and isinstance(way, Pieces)
                tried = error.attempts > 1 or restarts > _RESTARTS  # one layer repeats, and it has done so
                if tried or pauses == len(policy.delays) or not policy.should_retry(error):
                    inner = error.attempts - 1
                    return Failure(replace(error, attempts=attempts + inner, elapsed=client.clock.now() - begun))
                await client.clock.sleep(max(policy.delays[pauses], policy.delay_hint(error) or 0.0))
                pauses += 1
            way = way if turn is None else turn.way

    return deferred(body)


@operation
async def deliver_upload(
    client: Client, upload: Upload, digest: Digest, body: Body, trip: Trip
) -> Result[Digest, RegistryError]:
    """Send a blob of known digest to a session and close it: in one PUT, or in chunks and an empty one.

    Fails as `fill_upload` and `commit_upload` do. Source: end-5, end-6.
    """
    if isinstance(trip.way, Whole):
        trip.upload = upload
        return result_of(await settle(commit_upload(client, upload, digest, body)))
    filled = await settle(fill_upload(client, upload, body, trip))
    if isinstance(filled, Err):
        return Failure(filled.error)
    return result_of(await settle(commit_upload(client, filled.value, digest)))
