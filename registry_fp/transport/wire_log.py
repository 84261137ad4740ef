"""The wire log: every request and every answer, line by line, without what is secret, and without any content.

    #3 > GET https://ghcr.io/v2/team/app/manifests/1.4
    #3 > authorization: Bearer ***
    #3 < 200 after 0.012 s
    #3 < content-type: application/vnd.oci.image.index.v1+json

The number is the request's: what is asked at the same time stands between its lines.
"""

from __future__ import annotations

from itertools import count
from typing import Final, TypeVar

from returns.result import Result

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.explain import describe
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.log import log_of
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.redaction import redacted_headers, redacted_url
from registry_fp.transport.clock import Clock
from registry_fp.transport.port import Exchange, Receive

__all__ = ["WIRE_LOG", "with_wire_log"]

T = TypeVar("T")

WIRE_LOG: Final = "registry_fp.wire"
"""The name of the log; its records have the level DEBUG."""

_log: Final = log_of(WIRE_LOG)


def with_wire_log(inner: Exchange, clock: Clock) -> Exchange:
    """Log what `inner` sends and what comes back; around the innermost exchange every attempt is seen.

    Where no answer came, a line with `!` says why.
    """
    numbers = count(1)

    def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
        async def body() -> Result[T, RegistryError]:
            number, begun, answers = next(numbers), clock.now(), 0

            async def look(incoming: Incoming) -> Result[T, RegistryError]:
                nonlocal answers
                answers += 1
                _log.debug("#%d < %d after %.3f s", number, incoming.status, clock.now() - begun)
                for line in redacted_headers(incoming.headers, incoming.url):
                    _log.debug("#%d < %s", number, line)
                return await receive(incoming)

            _log.debug("#%d > %s %s%s", number, request.method, redacted_url(request.url), _length(request))
            for line in redacted_headers(request.headers, request.url):
                _log.debug("#%d > %s", number, line)
            out = await settle(inner(request, look))
            if isinstance(out, Err) and not answers:
                _log.debug("#%d ! %s after %.3f s", number, describe(out.error), clock.now() - begun)
            return result_of(out)

        return deferred(body)

    return exchange


def _length(request: Request) -> str:
    if request.body is None:
        return ""
    length = len(request.body) if isinstance(request.body, bytes) else request.body.length
    return " with a body" if length is None else f" with {length} bytes"
