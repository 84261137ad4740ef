"""A web service in front of registries: one client for the life of the service, many requests at once.

    POST /images?archive=PATH&to=REFERENCE      push
    GET  /tags?repository=NAME                  list
    GET  /digest?name=REFERENCE                 look

A failure becomes an HTTP status; a client that goes away cancels its request, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import assert_never

from aiohttp import web

from registry_fp import (
    AmbiguousManifest,
    BadReference,
    BlobMoved,
    Client,
    Conflict,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Denied,
    DigestMismatch,
    DnsFailed,
    Err,
    Event,
    InvalidImage,
    LimitExceeded,
    LocalIo,
    MalformedDocument,
    MediaTypeMismatch,
    Misconfigured,
    MissingContent,
    NoSuchPlatform,
    NotConfirmed,
    NotFound,
    Ok,
    PolicyRefused,
    ProtocolViolation,
    PushOptions,
    RangeRejected,
    RateLimited,
    Refused,
    RegistryError,
    ServerFault,
    SeveralFailed,
    SizeMismatch,
    SourceChanged,
    TagNotDeletable,
    TarUnreadable,
    TimedOut,
    TlsFailed,
    Unauthenticated,
    Unsupported,
    UploadLost,
    connect,
    docker_save,
    explain,
    head_manifest,
    list_tags,
    outcome,
    push,
    settle,
)

CLIENT = web.AppKey("client", Client)


async def client_of_the_service(app: web.Application) -> AsyncIterator[None]:
    """Opened when the service starts, closed when it ends; connections are kept in between."""
    async with connect() as client:
        app[CLIENT] = client
        yield


def status_of(error: RegistryError) -> int:
    """Whose fault it is: the caller's (4xx), the registry's (502, 503), or nobody's in time (504)."""
    match error.reason:
        case BadReference() | InvalidImage() | TarUnreadable() | SourceChanged():
            return 422
        case NotFound() | LocalIo():
            return 404
        case Denied():
            return 403
        case RateLimited() | ServerFault() | ConnectionLost() | ConnectFailed() | DnsFailed():
            return 503
        case TimedOut() | DeadlineExceeded():
            return 504
        case Unauthenticated() | TlsFailed() | Misconfigured():
            return 500
        case NoSuchPlatform():
            return 404
        case MissingContent() | TagNotDeletable() | Conflict():
            return 409
        case Refused() | ProtocolViolation() | PolicyRefused() | NotConfirmed() | UploadLost() | RangeRejected():
            return 502
        case DigestMismatch() | SizeMismatch() | MalformedDocument() | AmbiguousManifest() | MediaTypeMismatch():
            return 502
        case LimitExceeded() | Unsupported():
            return 501
        case SeveralFailed(errors=errors):
            return max(map(status_of, errors), default=500)
        case _:
            assert_never(error.reason)


def refused(error: RegistryError) -> web.Response:
    """The error for people, and its status for programs."""
    reason = error.reason
    wait = reason.after if isinstance(reason, RateLimited | ServerFault) else None
    headers = {} if wait is None else {"Retry-After": f"{wait:.0f}"}
    return web.json_response({"error": explain(error)}, status=status_of(error), headers=headers)


async def post_image(request: web.Request) -> web.Response:
    """Push, and say so on the way: somebody watches the output of this service."""
    to = request.query["to"]

    def watch(event: Event) -> None:
        if isinstance(event, BlobMoved):
            say(f"moving {to}")

    options = PushOptions(on_event=watch)
    try:
        out = await settle(push(request.app[CLIENT], docker_save(request.query["archive"]), to, options=options))
    except asyncio.CancelledError:
        say(f"cancelled {to}")
        raise
    match out:
        case Ok(pushed):
            return web.json_response({"reference": str(pushed.reference), "digest": str(pushed.digest)}, status=201)
        case Err(error):
            return refused(error)


async def get_tags(request: web.Request) -> web.Response:
    """The other way to run an operation: await it, and keep what `returns` gives."""
    done = await list_tags(request.app[CLIENT], request.query["repository"]).awaitable()
    match outcome(done):
        case Ok(tags):
            return web.json_response({"tags": tags})
        case Err(error):
            return refused(error)


async def get_digest(request: web.Request) -> web.Response:
    """An operation is awaitable as it is, too."""
    match outcome(await head_manifest(request.app[CLIENT], request.query["name"])):
        case Ok(descriptor):
            return web.json_response({"digest": str(descriptor.digest)})
        case Err(error):
            return refused(error)


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)  # noqa: T201  an application prints


def service() -> web.Application:
    """The application, with nothing connected yet."""
    app = web.Application()
    app.cleanup_ctx.append(client_of_the_service)
    app.add_routes(
        [web.post("/images", post_image), web.get("/tags", get_tags), web.get("/digest", get_digest)],
    )
    return app


if __name__ == "__main__":
    web.run_app(  # no access log: in development mode it would go to standard error, where only complaints belong
        service(),
        host="127.0.0.1",
        port=0,
        print=say,
        handler_cancellation=True,
        shutdown_timeout=5,
        access_log=None,
    )
    sys.exit(0)
