"""Upload sessions: begun, fed, closed and cancelled."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from returns.result import Result

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import DeadlineExceeded, RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.deadline import deadline
from registry_fp.effect.exits import result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol import upload as wire
from registry_fp.protocol.message import Body
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client, send

__all__ = [
    "CANCEL_SECONDS",
    "LATE_SECONDS",
    "begin_upload",
    "cancel_upload",
    "commit_upload",
    "send_chunk",
    "upload_status",
]


CANCEL_SECONDS: Final = 5.0
"""How long a registry has to take back a session that nobody needs."""

LATE_SECONDS: Final = 1.0
"""How long an answer that would open a session has left to come, when nobody needs it any more."""


def begin_upload(client: Client, repository: Repository, *, algorithm: str = "sha256") -> Op[Upload]:
    """Open a session. Fails with `NotFound`, `Denied`, `ProtocolViolation`, or as the transport does. Source: end-4."""
    request = wire.begin_upload(client.origin(repository.host), repository, algorithm=algorithm)
    return send(client, request, lambda response: wire.after_begin(repository, response))


def send_chunk(client: Client, upload: Upload, body: Body) -> Op[Upload]:
    """Send the next bytes of a session, as many as `body` gives; never repeated by itself.

    Fails with `UploadLost`, `RangeRejected`, as `body` does, or as the transport does. Source: end-5.
    """

    async def step() -> Result[Upload, RegistryError]:
        sent = 0

        async def counted() -> AsyncGenerator[Result[bytes, RegistryError], None]:
            nonlocal sent
            sent = 0
            async with body.opened() as chunks:
                async for chunk in chunks:
                    sent += len(chunk.value_or(b""))
                    yield chunk

        request = wire.send_chunk(upload, Body(counted, body.length))
        return result_of(await settle(send(client, request, lambda response: wire.after_send(upload, sent, response))))

    return deferred(step)


def commit_upload(client: Client, upload: Upload, digest: Digest, body: Body | bytes | None = None) -> Op[Digest]:
    """Close a session: what it holds, and `body` behind it, is the blob of this digest; never repeated by itself.

    Fails with `UploadLost`, `Refused` (the bytes have another digest), `DigestMismatch`, or as the transport does.
    Source: end-6.
    """
    request = wire.commit_upload(upload, digest, body)
    return send(client, request, lambda response: wire.after_commit(upload, digest, response))


def upload_status(client: Client, upload: Upload) -> Op[Upload]:
    """Ask how many bytes a session holds. Fails with `UploadLost`, or as the transport does. Source: end-13."""
    return send(client, wire.upload_status(upload), lambda response: wire.after_status(upload, response))


def cancel_upload(client: Client, upload: Upload) -> Op[None]:
    """Give a session up, within `CANCEL_SECONDS`; callers ignore a failure (distribution-spec asks them to).

    Fails with `DeadlineExceeded`, or as the transport does. Source: end-14.
    """
    request = wire.cancel_upload(upload)
    return deadline(
        send(client, request, wire.after_cancel),
        CANCEL_SECONDS,
        lambda: request.failed(DeadlineExceeded(CANCEL_SECONDS)),
    )
