"""Elsewhere: what a mirror may have got wrong is fetched again from the next place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from returns.result import Result

from registry_fp.domain import errors as why
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import Ok, result_of, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.transport.port import Client

__all__ = ["from_elsewhere"]

T = TypeVar("T")


def from_elsewhere(client: Client, make: Callable[[Client], Op[T]]) -> Op[T]:
    """What `make` does with the client; where it fails on content, again without the mirrors that gave any of it.

    That the bytes of a blob are wrong is known when the last one has come and all of them are used, so that only who
    used them can begin anew: `make` must keep nothing of what failed. It is called once more for each mirror at most,
    and once where there are none. Fails as `make` does.
    """

    async def body() -> Result[T, RegistryError]:
        mirrors = client.mirrors
        while mirrors is not None:
            mirrors = mirrors.anew()
            out = await settle(make(replace(client, mirrors=mirrors)))
            if isinstance(out, Ok) or not mirrors.gave or not _is_about_content(out.error):
                return result_of(out)
            mirrors = mirrors.anew(mirrors.gave)
        return result_of(await settle(make(client)))

    return deferred(body)


def _is_about_content(error: RegistryError) -> bool:
    return isinstance(
        error.reason,
        why.DigestMismatch
        | why.SizeMismatch
        | why.InvalidImage
        | why.TarUnreadable
        | why.MalformedDocument
        | why.AmbiguousManifest
        | why.MediaTypeMismatch,
    )
