"""Blobs: asked for, read, written, mounted and removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeVar

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Algorithm, Digest, digest_of
from registry_fp.domain.errors import BadReference, RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.chunks import Trip
from registry_fp.operations.download import UNPROMISED, blob_chunks
from registry_fp.operations.elsewhere import from_elsewhere
from registry_fp.operations.noun import digest_noun, repository_noun
from registry_fp.operations.presence import allowed_size
from registry_fp.operations.sending import by_some_way, deliver_upload
from registry_fp.operations.uploads import LATE_SECONDS, begin_upload, cancel_upload
from registry_fp.protocol import blob as wire
from registry_fp.protocol.message import Chunks, held_body
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client, send

__all__ = [
    "BLOB_IN_MEMORY",
    "ask_mount",
    "blob_size",
    "consume_blob",
    "delete_blob",
    "get_blob",
    "has_blob",
    "mount_blob",
    "put_blob",
]

T = TypeVar("T")

BLOB_IN_MEMORY: Final = 64 * 1024 * 1024
"""The largest blob, in bytes, that `get_blob` holds in memory unless it is told otherwise."""


def has_blob(client: Client, repository: str | Repository, digest: str | Digest) -> Op[bool]:
    """Whether a repository holds a blob: 404 is False, and everything else that is not a yes is a failure.

    Fails with `Unauthenticated`, `Denied`, or as the transport does. Source: end-2.
    """
    return blob_size(client, repository, digest).map(lambda size: size is not None)


def blob_size(client: Client, repository: str | Repository, digest: str | Digest) -> Op[int | None]:
    """The size in bytes of a blob that is there (-1 where the registry does not tell); None for one that is not.

    A registry that refuses HEAD is asked for the first byte instead. Fails as `has_blob` does. Source: end-2.
    """
    return _named(
        "has_blob",
        repository,
        digest,
        lambda name, wanted: allowed_size(client, name, wanted),
    )


def get_blob(
    client: Client, repository: str | Repository, digest: str | Digest, *, limit: int = BLOB_IN_MEMORY
) -> Op[bytes]:
    """The bytes of a blob, proven against its digest; at most `limit` of them.

    Fails with `NotFound`, `DigestMismatch`, `LimitExceeded`, or as the transport does. Source: end-2.
    """

    @operation
    async def read(asked: Client, name: Repository, wanted: Digest) -> Result[bytes, RegistryError]:
        parts: list[bytes] = []
        async with aclosing(blob_chunks(asked, name, wanted, limit=limit)) as chunks:
            async for chunk in chunks:
                if not is_successful(chunk):
                    return Failure(chunk.failure())
                parts.append(chunk.unwrap())
        return Success(b"".join(parts))

    return _named(
        "get_blob",
        repository,
        digest,
        lambda name, wanted: from_elsewhere(client, lambda asked: read(asked, name, wanted)),
    )


def consume_blob(
    client: Client,
    repository: str | Repository,
    blob: str | Digest | Descriptor,
    use: Callable[[Chunks], Awaitable[Result[T, RegistryError]]],
    *,
    limit: int = UNPROMISED,
) -> Op[T]:
    """Stream a blob of any size through `use`, which sees each chunk once.

    The stream goes on by itself where it broke (`Range`). Its last item is a failure if the bytes are not the blob's
    (`DigestMismatch`; `SizeMismatch` where a descriptor promised a size): `use` must not keep what it made of them
    then, and a mirror that gave them is not asked again for a while. While `use` runs it holds one of the host's
    connections, and should not wait for another of them. A blob that no descriptor promises the size of has at most
    `limit` bytes. Fails as `use` does, with `NotFound`, `LimitExceeded`, or as the transport does. Source: end-2.
    """

    @operation
    async def stream(name: Repository, wanted: Digest) -> Result[T, RegistryError]:
        known = blob if isinstance(blob, Descriptor) else wanted
        async with aclosing(blob_chunks(client, name, known, limit=limit)) as chunks:
            return await use(chunks)

    return _named("get_blob", repository, blob.digest if isinstance(blob, Descriptor) else blob, stream)


def put_blob(
    client: Client, repository: str | Repository, content: bytes, *, algorithm: Algorithm = "sha256"
) -> Op[Descriptor]:
    """Store these bytes as a blob, in one PUT where the registry takes that; for content of any size there is `push`.

    Not every registry takes digests by sha512. Fails with `NotFound`, `Refused`, `Denied`, `DigestMismatch`, or as the
    transport does. Source: end-4a, end-4c, end-6.
    """
    digest, body = digest_of(content, algorithm), held_body(content)

    def stored(name: Repository) -> Op[Descriptor]:
        def attempt(trip: Trip) -> Op[Digest]:
            return bracket(
                lambda: begin_upload(client, name, algorithm=algorithm),
                lambda upload: deliver_upload(client, upload, digest, body, trip),
                lambda upload, done: _given_up(client, None if isinstance(done, Ok) else trip.upload or upload),
                grace=LATE_SECONDS,
            )

        return by_some_way(client, name, len(content), "PUT", attempt).map(
            lambda _: Descriptor(media_type="application/octet-stream", digest=digest, size=len(content))
        )

    return repository_noun("put_blob", repository).bind(stored)


def mount_blob(
    client: Client, repository: str | Repository, digest: str | Digest, *, source: str | Repository
) -> Op[bool]:
    """Make a blob of `source` a blob of `repository`, without moving a byte: True if the registry did, False if not.

    Both are on one host; another one is a `BadReference`. Fails with `NotFound`, `Denied`, or as the transport does.
    Source: end-11.
    """

    def mounted(name: Repository, wanted: Digest, neighbour: Repository) -> Op[bool]:
        if neighbour.host != name.host:
            reason = BadReference(str(neighbour), f"a blob is mounted from a repository of {name.host}")
            return FutureResult.from_failure(RegistryError("mount_blob", f"{name}@{wanted}", reason))
        return bracket(
            lambda: ask_mount(client, name, wanted, neighbour),
            lambda opened: FutureResult.from_value(opened is None),
            lambda opened, _done: _given_up(client, opened),
            grace=LATE_SECONDS,
        )

    return repository_noun("mount_blob", source).bind(
        lambda neighbour: _named(
            "mount_blob", repository, digest, lambda name, wanted: mounted(name, wanted, neighbour)
        )
    )


def ask_mount(client: Client, repository: Repository, digest: Digest, source: Repository) -> Op[Upload | None]:
    """Ask for a mount. None is done; a registry that does not mount opens a session to take the bytes instead."""
    request = wire.mount_blob(client.origin(repository.host), repository, digest, source)
    return send(client, request, lambda response: wire.after_mount(repository, response))


async def _given_up(client: Client, upload: Upload | None) -> None:
    if upload is not None:
        await settle(cancel_upload(client, upload))


def delete_blob(client: Client, repository: str | Repository, digest: str | Digest) -> Op[None]:
    """Remove a blob from a repository.

    Fails with `NotFound`, `Refused` (405 where deletion is switched off), `Denied`, or as the transport does.
    Source: end-10.
    """
    return _named(
        "delete_blob",
        repository,
        digest,
        lambda name, wanted: send(client, wire.delete_blob(client.origin(name.host), name, wanted), wire.decode_delete),
    )


def _named(
    doing: str, repository: str | Repository, digest: str | Digest, verb: Callable[[Repository, Digest], Op[T]]
) -> Op[T]:
    return repository_noun(doing, repository).bind(
        lambda name: digest_noun(doing, digest).bind(lambda wanted: verb(name, wanted))
    )
