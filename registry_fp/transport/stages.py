"""Stages: how far a request has come before its answer does, which only who sends it sees; the watch is moved along."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import final

from registry_fp.protocol.message import Request
from registry_fp.transport.settings import Settings
from registry_fp.transport.stall import StallWatch

__all__ = ["Stages", "Underway"]


@final
class Underway(SimpleNamespace):
    """A request that is being sent, and the watch over it."""

    def __init__(self, request: Request, watch: StallWatch) -> None:
        super().__init__(request=request, watch=watch)


@final
@dataclass(frozen=True, slots=True)
class Stages:
    """What happens on the way, in the form of aiohttp's traces; their context is an `Underway`."""

    settings: Settings

    async def connecting(self, _session: object, context: SimpleNamespace, _params: object) -> None:
        """A connection is being made, within `connect_timeout`."""
        _of(context).watch.theirs("connect", self.settings.connect_timeout)

    async def connected(self, _session: object, context: SimpleNamespace, _params: object) -> None:
        """It is there, and it is our turn."""
        _of(context).watch.ours()

    async def sent(self, _session: object, context: SimpleNamespace, _params: object) -> None:
        """The headers are sent; without a body that is all, and the answer is awaited."""
        underway = _of(context)
        if underway.request.body is None:
            underway.watch.theirs("response", underway.request.patience * self.settings.answer_timeout)


def _of(context: SimpleNamespace) -> Underway:
    underway: Underway = context.trace_request_ctx
    return underway
