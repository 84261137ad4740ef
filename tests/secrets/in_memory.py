"""An exchange without a network: each request is made into the bytes that it is, and a world answers."""

from __future__ import annotations

from typing import TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import ConnectFailed, RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Chunks, Incoming, Request
from registry_fp.transport.port import Exchange, Receive
from tests.secrets.world import Answer, World, origin_of

__all__ = ["Forgetful", "exchange_with"]

T = TypeVar("T")


class Forgetful:
    """A memory that keeps nothing."""

    async def recall(self, diff_id: Digest, recipe: str) -> Descriptor | None:
        """Nothing."""
        return None

    async def remember(self, diff_id: Digest, recipe: str, became: Descriptor) -> None:
        """Forget it."""

    async def holders(self, host: str, digest: Digest) -> tuple[Repository, ...]:
        """Nobody."""
        return ()

    async def saw(self, repository: Repository, digest: Digest) -> None:
        """Forget it."""


def exchange_with(world: World) -> Exchange:
    """The innermost exchange of a client whose network is this world."""

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def body() -> Result[T, RegistryError]:
            content = await _content(request)
            url = str(request.url)
            try:
                origin = origin_of(url)
            except (KeyError, ValueError):
                return Failure(request.failed(ConnectFailed("?", "no such host")))
            target = url.partition("#")[0].partition("://")[2].partition("/")[2]
            host = {"Host": request.url.host_port_subcomponent or ""}
            answer = world.heard(origin, request.method, f"/{target}", {**host, **request.headers}, content)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return await receive(Incoming(answer.status, headers, request.url, _chunks(request, answer)))

        return deferred(body)

    return exchange


async def _content(request: Request) -> bytes:
    if request.body is None or isinstance(request.body, bytes):
        return request.body or b""
    parts = [chunk.unwrap() async for chunk in request.body.open() if is_successful(chunk)]
    return b"".join(parts)


async def _chunks(request: Request, answer: Answer) -> Chunks:
    if answer.body and request.method != "HEAD":
        yield Success(answer.body)
