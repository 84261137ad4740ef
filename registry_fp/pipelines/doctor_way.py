"""The doctor looks at the way to a registry: addresses, TLS, proxies, mirrors, and what answers there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from returns.pipeline import is_successful
from returns.result import Result
from yarl import URL

from registry_fp.domain.errors import Reason, RegistryError, TlsFailed
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.examination import Examination
from registry_fp.pipelines.judged_way import (
    asks_for_tls,
    judge_clock,
    judge_mirror,
    judge_proxy,
    judge_reach,
    judge_registry,
    judge_security,
    judge_unasked_tls,
    judge_unreached,
    may_speak_tls,
)
from registry_fp.protocol import api
from registry_fp.protocol.message import Incoming, Response, Security
from registry_fp.transport.mirror_name import parse_mirror
from registry_fp.transport.port import Client, collect
from registry_fp.transport.reach import zone_of_name
from registry_fp.transport.route import route_of

__all__ = ["look_at_way"]


async def look_at_way(exam: Examination) -> Response | None:
    """Note whether there is a registry, and give its answer to somebody who does not say who they are."""
    client, url = exam.client, exam.client.origin(exam.host)
    request = api.ping(url, exam.host)
    route = route_of(request, client.settings)
    proxy = route.unwrap().proxy if is_successful(route) else None
    answer = await _first_answer(client, exam.host, url)
    await _look_at_mirrors(exam)
    heard = answer.response if isinstance(answer, _Greeting) else answer
    may = url.scheme == "http" and may_speak_tls(heard)
    if may and (asks_for_tls(heard) or await _speaks_tls(client, exam.host)):
        exam.note(judge_unasked_tls(url))
        return None
    if not isinstance(answer, _Greeting):
        exam.note(judge_unreached(answer, proxy))
        return None
    near = zone_of_name(url.raw_host or "") == "loopback"
    found = judge_registry(answer.response, client.profiles.of(exam.host).name)
    now = client.clock.wall()
    exam.note(judge_reach(url, answer.response.peer, near=near), judge_security(answer.security, now))
    exam.note(judge_proxy(proxy), found, judge_clock(answer.response.headers.get("date"), now))
    return answer.response if found.verdict == "yes" else None


async def _look_at_mirrors(exam: Examination) -> None:
    client = exam.client
    for name in client.settings.host(exam.host).mirrors:
        mirror = parse_mirror(name).unwrap()  # the settings have none that is not
        greeting = await _first_answer(client, mirror.host, client.origin(mirror.host))
        exam.note(judge_mirror(name, greeting.response if isinstance(greeting, _Greeting) else greeting))


@final
@dataclass(frozen=True, slots=True)
class _Greeting:
    """The first answer of a host, whatever it says, and the TLS that it came by."""

    response: Response
    security: Security | None


async def _first_answer(client: Client, host: str, url: URL) -> _Greeting | Reason:
    request = replace(api.ping(url, host), repeat="never")

    async def receive(incoming: Incoming) -> Result[_Greeting, RegistryError]:
        security = incoming.security()
        collected = await collect(incoming, request)
        return collected.map(lambda response: _Greeting(response, security))

    out = await settle(client.unasked().exchange(request, receive))
    return out.error.reason if isinstance(out, Err) else out.value


async def _speaks_tls(client: Client, host: str) -> bool:
    """Whether a server that was asked without TLS would have answered with it; nothing of ours is told to it."""
    answer = await _first_answer(client, host, URL(f"https://{host}"))
    return isinstance(answer, _Greeting) or (
        isinstance(answer, TlsFailed) and answer.why != "the other side does not speak TLS"
    )
