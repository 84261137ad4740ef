"""Noticed: an operation's result, with what registries said while it was under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.transport.host_name import registry_name
from registry_fp.transport.mirror_name import parse_mirror
from registry_fp.transport.notices import Notices
from registry_fp.transport.port import Client

__all__ = ["noticed"]

T = TypeVar("T")


def noticed(client: Client, hosts: Iterable[str], op: Op[T], put: Callable[[T, Notices], T]) -> Op[T]:
    """The same operation, with the notices of these hosts and of their mirrors put on its result.

    What the client was warned of before is not repeated. Fails as the operation does; the client's own book then has
    what was said.
    """

    async def body() -> Result[T, RegistryError]:
        page = client.notices.page()
        out = await settle(op)
        if isinstance(out, Err):
            return Failure(out.error)
        named = (name for host in hosts for name in (host, *_mirrors(client, host)))
        asked = {registry_name(client.origin(name)) for name in named}
        return Success(put(out.value, client.notices.since(page, asked)))

    return deferred(body)


def _mirrors(client: Client, host: str) -> tuple[str, ...]:
    named = (parse_mirror(each) for each in client.settings.host(host).mirrors)
    return tuple(each.unwrap().host for each in named if is_successful(each))
