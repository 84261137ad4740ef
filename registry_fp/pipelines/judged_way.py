"""The way to a registry, judged: whether it is reached, by which TLS, and whether it is one. Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason
from registry_fp.domain.printable import printable
from registry_fp.domain.tls_fault import tls_hint
from registry_fp.pipelines.diagnosis import Finding, Topic
from registry_fp.pipelines.judgement import Answer, advice, reason_of, sentence
from registry_fp.protocol.message import Response, Security
from registry_fp.protocol.problem import problems_in
from registry_fp.protocol.refusal import objection
from registry_fp.transport.proxy import Proxy

__all__ = [
    "asks_for_tls",
    "judge_clock",
    "judge_mirror",
    "judge_proxy",
    "judge_reach",
    "judge_registry",
    "judge_security",
    "judge_unasked_tls",
    "judge_unreached",
    "may_speak_tls",
]

_SOON: Final = 14 * 86400.0
_SKEW: Final = 60.0
_LONGEST: Final = 100
_TLS_SETTINGS: Final = frozenset({"ca", "cert", "key", "certs_dirs"})


def judge_reach(url: URL, peer: str | None, *, near: bool) -> Finding:
    """Something answers: from where, and whether anybody on the way can read along (`near` is this machine)."""
    told = "it answers" if peer is None else f"it answers from {peer}"
    if url.scheme == "https":
        return Finding("reach", "yes", told)
    danger = "whoever is on the way can read everything, passwords too: give the registry a certificate"
    return Finding("reach", "yes", f"{told}, without TLS", None if near else danger)


def judge_unreached(reason: Reason, proxy: Proxy | None) -> Finding:
    """Nothing answers, or nothing that could be understood."""
    if isinstance(reason, why.TlsFailed):
        return Finding("tls", "no", sentence(reason), advice(reason))
    if isinstance(reason, why.Misconfigured):
        setting = reason.setting.rpartition(".")[2]
        cause: Topic = "proxy" if "proxy" in setting else "tls" if setting in _TLS_SETTINGS else "reach"
        return Finding(cause, "no", sentence(reason), advice(reason))
    if proxy is not None and "the proxy" in sentence(reason):
        mend = f"check `{proxy.setting}`; `no_proxy` names hosts that are reached without one"
        return Finding("proxy", "no", sentence(reason), mend)
    topic: Topic = "registry" if isinstance(reason, why.ServerFault | why.RateLimited) else "reach"
    return Finding(topic, "no", sentence(reason), advice(reason))


def judge_unasked_tls(url: URL) -> Finding:
    """A server that speaks TLS was asked without it."""
    mend = tls_hint("the other side speaks TLS, and was asked without it")
    return Finding("tls", "no", f"{url.host_port_subcomponent} speaks TLS, and was asked without it", mend)


def may_speak_tls(answer: Answer) -> bool:
    """Whether what came of a question without TLS is what comes of one to a server that wants TLS."""
    return isinstance(answer, why.ConnectionLost | why.ProtocolViolation) or asks_for_tls(answer)


def asks_for_tls(answer: Answer) -> bool:
    """Whether a server says that it wants TLS, in the words of nginx, Go and others."""
    return isinstance(answer, Response) and answer.status == 400 and b"HTTPS" in answer.body[:4096]


def judge_security(security: Security | None, now: float) -> Finding | None:
    """The TLS that an answer came by, at Unix time `now`; None where there was none.

    >>> judge_security(Security("TLS 1.3", "Let's Encrypt", 10 * 86400.0), 0.0).told
    "TLS 1.3, with a certificate by Let's Encrypt that is good for 10 days"
    """
    if security is None:
        return None
    if security.authority is None:
        told = f"{security.version}, and any certificate is taken"
        return Finding("tls", "yes", told, "trust its certificate authority instead: `ca`, `--ca FILE`")
    told = f"{security.version}, with a certificate by {printable(security.authority, _LONGEST)}"
    if security.until is None:
        return Finding("tls", "yes", told)
    left = security.until - now
    days = f"{told} that is good for {max(0, int(left // 86400))} days"
    return Finding("tls", "yes", days, None if left > _SOON else "the registry needs a new certificate soon")


def judge_proxy(proxy: Proxy | None) -> Finding | None:
    """Through whom; None for nobody."""
    return None if proxy is None else Finding("proxy", "yes", f"through {proxy.name} (`{proxy.setting}`)")


def judge_registry(response: Response, profile: str) -> Finding:
    """Whether what answers is a registry: it has `/v2/`, and does not answer it with a web page (end-1)."""
    version = response.headers.get("docker-distribution-api-version", "").strip()
    refused = response.status in (401, 403)
    known = bool(version or response.headers.get("www-authenticate") or problems_in(response.body))
    if objection(response, "registry") is not None and not (refused and known):
        told = f"something answers /v2/ with {response.status}, and not as a registry does"
        return Finding("registry", "no", told, "check the host and the port; a registry has its API at /v2/ there")
    server = printable(response.headers.get("server", "").strip(), _LONGEST)
    about = (
        printable(version, _LONGEST) or None,
        f"served by {server}" if server else None,
        None if profile == "plain" else f"known as {profile}",
    )
    return Finding("registry", "yes", ", ".join(("it speaks the registry's API", *(each for each in about if each))))


def judge_clock(date: str | None, now: float) -> Finding | None:
    """Whether the clocks of both sides agree; None where the registry does not tell its time.

    >>> judge_clock("Thu, 01 Jan 1970 01:00:00 GMT", 0.0).told
    'the clock of this machine is 60 minutes behind'
    """
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    off = now - theirs
    if abs(off) <= _SKEW:
        return Finding("clock", "yes", "both sides have the same time")
    told = f"the clock of this machine is {abs(off) / 60:.0f} minutes {'ahead' if off > 0 else 'behind'}"
    return Finding("clock", "no", told, "set the clock: tokens and certificates are judged by it")


def judge_mirror(name: str, answer: Answer) -> Finding:
    """Whether a mirror answers, which may want to know who we are."""
    reason = reason_of(answer)
    if reason is None or isinstance(reason, why.Unauthenticated | why.Denied):
        return Finding("mirror", "yes", f"{name} answers, and is asked for content first")
    return Finding("mirror", "no", f"{name}: {sentence(reason)}", f"it is passed over; {advice(reason)}")
