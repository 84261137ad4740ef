"""Sessions: the uploads that one push has open, and the promise that none is left behind.

A registry keeps what it got of an upload until somebody gives it up, or for a week. A session is known from the moment
that it is asked for: who is cancelled while the answer is on its way would otherwise never learn where it is.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar, final

from returns.result import Result, Success

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Repository
from registry_fp.effect.deadline import deadline
from registry_fp.effect.exits import Err, Ok, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse_all
from registry_fp.operations.blobs import ask_mount
from registry_fp.operations.uploads import CANCEL_SECONDS, LATE_SECONDS, begin_upload, cancel_upload
from registry_fp.pipelines.plan import BlobPlan
from registry_fp.protocol.upload import Upload
from registry_fp.transport.port import Client

__all__ = ["Sessions"]

_S = TypeVar("_S", bound=Upload | None)


@final
class Sessions:
    """The open sessions of one push to one repository, at most one for each blob."""

    def __init__(self, client: Client, repository: Repository) -> None:
        self._client = client
        self.repository = repository
        self._open: dict[BlobPlan, Upload] = {}
        self._left: list[Upload] = []
        self._asking: set[asyncio.Task[Ok[Upload] | Ok[Upload | None] | Err[RegistryError]]] = set()

    async def begin(self, plan: BlobPlan, left_open: Upload | None = None) -> Result[Upload, RegistryError]:
        """Open a session for a blob, unless a mount has left one open."""
        if left_open is not None:
            return Success(left_open)
        return await self._asked(plan, begin_upload(self._client, self.repository))

    async def mount(self, plan: BlobPlan, digest: Digest, source: Repository) -> Result[Upload | None, RegistryError]:
        """Take a blob from a neighbour; a registry that cannot opens a session instead."""
        return await self._asked(plan, ask_mount(self._client, self.repository, digest, source))

    def moved(self, plan: BlobPlan, upload: Upload) -> None:
        """The session of a blob is now at a newer Location."""
        self._open[plan] = upload

    def closed(self, plan: BlobPlan) -> None:
        """The session of a blob has become the blob."""
        self._open.pop(plan, None)

    def leave(self, plan: BlobPlan) -> None:
        """The session of a blob, if it has one, is of no use any more; it is taken back with all others, at the end.

        Not at once: a registry that has just failed, or asked for a pause, is not to be asked for this first.
        """
        upload = self._open.pop(plan, None)
        if upload is not None:
            self._left.append(upload)

    async def give_up_all(self) -> None:
        """Take back what is open, left or asked for; a registry that will not hear of it is not waited for."""
        leaving = [cancel_upload(self._client, upload) for upload in (*self._left, *self._open.values())]
        leaving += [self._when_it_comes(asking) for asking in self._asking]
        self._left.clear()
        self._open.clear()
        self._asking.clear()
        if leaving:
            await settle(
                deadline(traverse_all(leaving, lambda each: each, limit=len(leaving)), CANCEL_SECONDS, lambda: ())
            )

    async def _asked(self, plan: BlobPlan, asking: Op[_S]) -> Result[_S, RegistryError]:
        job = asyncio.ensure_future(settle(asking))
        self._asking.add(job)
        out = await asyncio.shield(job)
        self._asking.discard(job)
        if isinstance(out, Ok) and out.value is not None:
            self._open[plan] = out.value
        return result_of(out)

    @operation
    async def _when_it_comes(
        self, asking: asyncio.Task[Ok[Upload] | Ok[Upload | None] | Err[RegistryError]]
    ) -> Result[None, RegistryError]:
        done, _ = await asyncio.wait({asking}, timeout=LATE_SECONDS)
        if not done:
            asking.cancel()
            await asyncio.wait({asking})
            return Success(None)
        out = asking.result()
        if isinstance(out, Ok) and out.value is not None:
            return result_of(await settle(cancel_upload(self._client, out.value)))
        return Success(None)
