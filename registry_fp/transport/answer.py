"""Answers: what is looked at in every one of them, before whoever asked sees it."""

from __future__ import annotations

from typing import TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.operation import Op
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.quota import quota_in
from registry_fp.protocol.refusal import fault_of
from registry_fp.protocol.warning import warnings_in
from registry_fp.transport.clock import Clock
from registry_fp.transport.host_name import registry_name
from registry_fp.transport.notices import NoticeBook
from registry_fp.transport.port import Exchange, Receive, collect

__all__ = ["with_answers"]

T = TypeVar("T")


def with_answers(inner: Exchange, *, notices: NoticeBook, clock: Clock) -> Exchange:
    """Write down what a registry says besides, and turn a 408, 429 or 5xx into the failure that it stands for.

    What a server says that a redirect led to is not the registry's word.
    """

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def seen(incoming: Incoming) -> Result[T, RegistryError]:
            if not request.stray:
                quota, warnings = quota_in(incoming.headers), warnings_in(incoming.headers.get("warning"))
                if quota is not None or warnings:
                    notices.hear(registry_name(request.url), quota, warnings)
            if incoming.status in (408, 429) or incoming.status >= 500:
                return Failure(await _fault(incoming, request, clock))
            return await receive(incoming)

        return inner(request, seen)

    return exchange


async def _fault(incoming: Incoming, request: Request, clock: Clock) -> RegistryError:
    collected = await collect(incoming, request)
    if not is_successful(collected):
        return collected.failure()
    reason = fault_of(collected.unwrap(), clock.wall())
    assert reason is not None  # noqa: S101  the statuses that lead here are the ones that it knows
    return request.failed(reason)
