"""A layer unpacked while its bytes arrive, in a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.archive.off_loop import off_loop
from registry_fp.codec.unpacking import Unpacking
from registry_fp.domain.errors import Reason

__all__ = ["unpack"]

E = TypeVar("E")


async def unpack(
    path: str, chunks: AsyncIterator[Result[bytes, E]], unpacking: Unpacking, failed: Callable[[Reason], E]
) -> Result[None, E]:
    """Take a stream through an unpacking, to the end of both; fails as the stream does, and, by `failed`, as `step`."""

    async def stepped(*, last: bool) -> Result[bool, E]:
        while True:
            done = await off_loop(path, partial(unpacking.step, last=last))
            if not is_successful(done) or not done.unwrap():
                return done.alt(failed)

    async for chunk in chunks:
        if not is_successful(chunk):
            return Failure(chunk.failure())
        unpacking.give(chunk.unwrap())
        done = await stepped(last=False)
        if not is_successful(done):
            return Failure(done.failure())
    return (await stepped(last=True)).map(lambda _: None)
