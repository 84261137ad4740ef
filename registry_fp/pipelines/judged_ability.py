"""What a registry can, judged by what it answered; what it cannot, this client does without. Pure."""

from __future__ import annotations

import re
from typing import Final

from returns.pipeline import is_successful

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason
from registry_fp.domain.printable import printable
from registry_fp.pipelines.diagnosis import Finding, Topic
from registry_fp.pipelines.judgement import Answer, Asker, advice, judge_refusal, reason_of, sentence, words
from registry_fp.protocol.content_range import parse_content_range
from registry_fp.protocol.message import Response
from registry_fp.protocol.quota import Quota
from registry_fp.protocol.referrer import decode_referrers, lacks_referrers

__all__ = [
    "judge_answered",
    "judge_catalog",
    "judge_chunks",
    "judge_head",
    "judge_quota",
    "judge_ranges",
    "judge_referrers",
    "judge_tags",
    "judge_warning",
]

_WITHOUT: Final[dict[Topic, str]] = {
    "upload status": "nothing to mend; an upload that breaks begins anew",
    "chunks": "nothing to mend; a blob goes in one request",
    "upload cancel": "nothing to mend; the registry forgets what was begun by itself",
    "single put": "nothing to mend; blobs go in chunks",
    "mount": "nothing to mend; blobs are sent again where they could have been mounted",
    "delete tag": "a tag goes with its manifest, and with all its other tags: `registry-fp delete NAME@DIGEST`",
}
_WORKS: Final[dict[Topic, str]] = {
    "upload status": "it says how far an upload is",
    "chunks": "blobs can be sent in pieces",
    "upload cancel": "an upload can be taken back",
    "single put": "blobs can be sent in one request",
    "mount": "blobs are shared between repositories",
    "delete tag": "a tag can be deleted by itself",
}
_LACKS: Final[dict[Topic, str]] = {
    "upload status": "it does not say how far an upload is",
    "chunks": "blobs cannot be sent in pieces",
    "upload cancel": "an upload cannot be taken back",
    "single put": "blobs cannot be sent in one request",
    "mount": "blobs are not shared between repositories",
    "delete tag": "a tag cannot be deleted by itself",
}
_NO_CATALOG: Final = "nothing to mend; hosted registries keep it to themselves; `registry-fp tags` works without it"
_NO_HEAD: Final = "nothing to mend; what a tag stands for is found out by GET"
_NO_RANGES: Final = "nothing to mend; a download that breaks passes over what it has"
_NO_REFERRERS: Final = "nothing to mend; they are kept under tags that are called sha256-..."
_NO_QUOTA: Final = "wait, or log in: accounts often have a quota of their own"
_RANGE: Final = re.compile(r"(?:bytes=)?0-(?P<last>[0-9]{1,18})", re.ASCII)
_PASSING: Final = (
    why.DnsFailed,
    why.ConnectFailed,
    why.TlsFailed,
    why.TimedOut,
    why.ConnectionLost,
    why.RateLimited,
    why.ServerFault,
)


def judge_catalog(answer: Answer) -> Finding:
    """Whether the repositories are listed; most hosted registries do not."""
    reason = reason_of(answer)
    if reason is None:
        return Finding("catalog", "yes", "its repositories are listed")
    if isinstance(reason, _PASSING):
        return Finding("catalog", "unknown", sentence(reason), advice(reason))
    return Finding("catalog", "no", "its repositories are not listed for us", _NO_CATALOG)


def judge_tags(answer: Answer, asker: Asker) -> Finding:
    """Whether the tags are listed (end-8)."""
    reason = reason_of(answer, "repository")
    if reason is None:
        return Finding("tags", "yes", "its tags are listed")
    if isinstance(reason, why.NotFound):
        return Finding("tags", "unknown", f"there is no {asker.place} yet", f"check the spelling of {asker.place}")
    return judge_refusal("tags", reason, asker, to="pull", without="ask who runs the registry")


def judge_head(answer: Answer) -> Finding:
    """Whether HEAD tells the digest of a manifest that is there (end-3)."""
    reason = reason_of(answer, "manifest")
    if isinstance(reason, _PASSING):
        return Finding("head", "unknown", sentence(reason), advice(reason))
    if reason is not None:
        return Finding("head", "no", f"HEAD is not answered as GET is: {sentence(reason)}", _NO_HEAD)
    if isinstance(answer, Response) and answer.headers.get("docker-content-digest"):
        return Finding("head", "yes", "it says what a tag stands for, without sending it")
    return Finding("head", "no", "it does not say what a tag stands for (no Docker-Content-Digest)", _NO_HEAD)


def judge_referrers(answer: Answer, *, is_there: bool) -> Finding:
    """Whether the registry keeps what refers to a manifest (end-12); `is_there` if that manifest is."""
    reason = answer if not isinstance(answer, Response) else _undecoded(answer)
    if reason is None:
        return Finding("referrers", "yes", "it lists what refers to a manifest")
    if lacks_referrers(reason) and is_there:
        return Finding("referrers", "no", "it does not list what refers to a manifest", _NO_REFERRERS)
    if lacks_referrers(reason):
        return Finding("referrers", "unknown", "there is no manifest to ask about")
    return Finding("referrers", "unknown", sentence(reason), advice(reason))


def judge_answered(topic: Topic, answer: Answer | None) -> Finding:
    """Whether a question of the specification had the answer that it should have; None: it did something else.

    >>> judge_answered("mount", None).hint
    'nothing to mend; blobs are sent again where they could have been mounted'
    """
    reason = None if answer is None else reason_of(answer)
    if answer is not None and reason is None:
        return Finding(topic, "yes", _WORKS[topic])
    if isinstance(reason, _PASSING):
        return Finding(topic, "unknown", sentence(reason), advice(reason))
    told = _LACKS[topic] if reason is None else f"{_LACKS[topic]}{words(reason)}"
    return Finding(topic, "no", told, _WITHOUT[topic])


def judge_chunks(sizes: tuple[int, int], first: Answer, second: Answer | None, held: int | None) -> Finding:
    """Whether a second chunk is appended to the first; `held` is what the session says that it has, if it says it.

    Some registries count the bytes of each chunk alone (regclient#627), others lose the second one
    (aws/containers-roadmap#2831).
    """
    for answer in (first, second):
        if answer is not None and reason_of(answer) is not None:
            return judge_answered("chunks", answer)
    told = _held(second) if isinstance(second, Response) else None
    if told in (sum(sizes), sizes[1]) or held == sum(sizes):
        return judge_answered("chunks", second)
    if told is None and held is None:
        return Finding("chunks", "unknown", "pieces are taken, and the registry does not say what it has of them")
    return Finding("chunks", "no", "a second piece is not added to the first", _WITHOUT["chunks"])


def judge_ranges(answer: Answer, content: bytes, start: int) -> Finding:
    """Whether a part of a blob can be had, from the answer to `Range: bytes=START-`."""
    reason = reason_of(answer, "blob")
    if reason is not None or not isinstance(answer, Response):
        told = "a blob that was stored could not be read" if reason is None else sentence(reason)
        return Finding("ranges", "unknown", told, None if reason is None else advice(reason))
    part = parse_content_range(answer.headers.get("content-range", ""))
    if answer.status == 206 and part is not None and part.first == start and answer.body == content[start:]:
        return Finding("ranges", "yes", "a download that breaks goes on where it was")
    told = "it sends another part than was asked for" if answer.status == 206 else "it sends the whole of a blob"
    return Finding("ranges", "no", told, _NO_RANGES)


def judge_quota(quota: Quota | None) -> Finding | None:
    """How much may still be asked; None where the registry does not say.

    >>> judge_quota(Quota(limit=100, remaining=76, window=21600)).told
    '76 of 100 requests are left in 21600 s'
    """
    if quota is None:
        return None
    left = "some" if quota.remaining is None else str(quota.remaining)
    amount = f"{left} requests" if quota.limit is None else f"{left} of {quota.limit} requests"
    window = "" if quota.window is None else f" in {quota.window} s"
    whose = "" if quota.source is None else f", for {printable(quota.source)}"
    told = f"{amount} are left{window}{whose}"
    return Finding("quota", "no", told, _NO_QUOTA) if quota.remaining == 0 else Finding("quota", "yes", told)


def judge_warning(text: str) -> Finding:
    """What the registry wants us to know."""
    return Finding("warning", "no", printable(text), "whoever runs the registry says so to everybody who asks")


def _undecoded(response: Response) -> Reason | None:
    decoded = decode_referrers(response)
    return None if is_successful(decoded) else decoded.failure()


def _held(response: Response) -> int | None:
    match = _RANGE.fullmatch(response.headers.get("range", "").strip())
    return None if match is None else int(match["last"]) + 1
