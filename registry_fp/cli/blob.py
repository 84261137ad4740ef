"""Blobs: the exact bytes of one, to standard output, as they come."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Chunks,
    Client,
    Err,
    Misconfigured,
    NotFound,
    Ok,
    Op,
    Reference,
    RegistryError,
    blob_size,
    consume_blob,
    operation,
    settle,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.noun import blob_named
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.session import Question, Session, prepare, settled
from registry_fp.cli.terminal import Terminal

__all__ = ["BlobDocument", "write_blob"]


@final
@dataclass(frozen=True, slots=True)
class BlobDocument:
    """`blob`, as JSON: what it is; its bytes are what the text form is for. `size` is null where nobody tells it."""

    reference: str
    digest: str
    size: int | None


def write_blob(reference: str, limit: int, remote: RemoteOptions, show: ShowOptions) -> int:
    """Write a blob of at most `limit` bytes to standard output; one that is not what its digest says ends with 65."""
    name = blob_named("get_blob", reference)

    async def written(terminal: Terminal, session: Result[Session, RegistryError]) -> int:
        if not is_successful(name):
            return terminal.fail(name.failure())
        blob = name.unwrap()
        if terminal.form in ("json", "ndjson"):
            return await _described(terminal, session, blob)
        if sys.stdout.isatty():
            to_a_screen = Misconfigured("standard output", "a blob is bytes, and not for a terminal; use `> FILE`")
            return terminal.fail(RegistryError("get_blob", str(blob), to_a_screen))
        question = Question("get_blob", str(blob), _host(name), partial(_streamed, blob, limit, terminal))
        done = await settled(session, question, terminal)
        return 0 if isinstance(done, Ok) else terminal.fail(done.error)

    return run(show, lambda terminal: written(terminal, prepare(remote, show, _host(name))))


async def _described(terminal: Terminal, session: Result[Session, RegistryError], blob: Reference) -> int:
    def put(client: Client) -> Op[int | None]:
        return blob_size(client, blob.repository, str(blob.digest))

    question = Question("has_blob", str(blob), Success(blob.repository.host), put)
    done = await settled(session, question, terminal)
    if isinstance(done, Err):
        return terminal.fail(done.error)
    if done.value is None:
        return terminal.fail(RegistryError("has_blob", str(blob), NotFound("blob")))
    size = done.value if done.value >= 0 else None
    return terminal.write(Answer(BlobDocument(str(blob), str(blob.digest), size), "", ""))


@operation
async def _streamed(blob: Reference, limit: int, terminal: Terminal, client: Client) -> Result[None, RegistryError]:
    async def use(chunks: Chunks) -> Result[None, RegistryError]:
        async for chunk in chunks:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            # A reader that is slow must not hold up the connection's own clock.
            if not await asyncio.to_thread(terminal.stream, chunk.unwrap()):
                break
        return Success(None)

    out = await settle(consume_blob(client, blob.repository, str(blob.digest), use, limit=limit))
    return Failure(out.error) if isinstance(out, Err) else Success(None)


def _host(name: Result[Reference, RegistryError]) -> Result[str, RegistryError]:
    return name.map(lambda known: known.repository.host)
