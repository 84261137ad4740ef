"""A service that pushes archives: one client, and so one pool of connections, for the life of the application.

python service.py FOLDER PORT

`POST /push` with `{"archive": "app.tar", "to": "localhost:5000/team/app:1.4"}` pushes an archive of the folder.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_never

from aiohttp import web
from pydantic import BaseModel, ValidationError

from registry_fp import (
    BadReference,
    Client,
    Denied,
    Err,
    InvalidImage,
    LocalIo,
    Ok,
    RegistryError,
    TarUnreadable,
    Unauthenticated,
    connect,
    describe,
    docker_save,
    hint,
    is_transient,
    push,
    settle,
)

CLIENT = web.AppKey("client", Client)
FOLDER = web.AppKey("folder", Path)


class Order(BaseModel):
    """What is asked for: the name of an archive in the folder, and where it should go."""

    archive: str
    to: str


def application(folder: Path) -> web.Application:
    """The service over the archives of one folder."""
    app = web.Application()
    app[FOLDER] = folder
    app.cleanup_ctx.append(with_client)
    app.router.add_post("/push", answer)
    return app


async def with_client(app: web.Application) -> AsyncIterator[None]:
    """Open with the application, closed with it, shared by all requests."""
    async with connect() as client:
        app[CLIENT] = client
        yield


async def answer(request: web.Request) -> web.Response:
    """The digest that was pushed, or the reason why nothing was."""
    try:
        order = Order.model_validate_json(await request.read())
    except ValidationError as unclear:
        return web.json_response({"error": str(unclear)}, status=400)
    archive = request.app[FOLDER] / Path(order.archive).name
    outcome = await settle(push(request.app[CLIENT], docker_save(archive), order.to))
    match outcome:
        case Ok(pushed):
            return web.json_response({"reference": str(pushed.reference), "digest": str(pushed.digest)})
        case Err(error):
            return web.json_response({"error": describe(error), "hint": hint(error)}, status=status_of(error))
        case _:
            assert_never(outcome)


def status_of(error: RegistryError) -> int:
    """Whose fault it is: the caller's (4xx), or the registry's (502, or 503 where trying again can help)."""
    match error.reason:
        case BadReference() | InvalidImage() | TarUnreadable():
            return 422
        case LocalIo():
            return 404
        case Unauthenticated() | Denied():
            return 403
        case _:
            return 503 if is_transient(error) else 502


if __name__ == "__main__":
    web.run_app(application(Path(sys.argv[1])), port=int(sys.argv[2]))
