"""What we may do in a repository, and what its registry can, judged by what was answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

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
from registry_fp.protocol.upload import acknowledged

__all__ = [
    "hides_absence",
    "judge_answered",
    "judge_catalog",
    "judge_chunks",
    "judge_delete",
    "judge_head",
    "judge_pull",
    "judge_push",
    "judge_quota",
    "judge_ranges",
    "judge_referrers",
    "judge_tags",
    "judge_warning",
]


@final
@dataclass(frozen=True, slots=True)
class _Ability:
    """What is told of a registry that can do something, and of one that cannot; and what is done without."""

    can: str
    cannot: str
    without: str


_ABILITIES: Final[dict[Topic, _Ability]] = {
    "upload status": _Ability(
        "it says how far an upload is",
        "it does not say how far an upload is",
        "nothing to mend; an upload that breaks begins anew",
    ),
    "chunks": _Ability(
        "blobs can be sent in pieces",
        "blobs cannot be sent in pieces",
        "nothing to mend; a blob goes in one request",
    ),
    "upload cancel": _Ability(
        "an upload can be taken back",
        "an upload cannot be taken back",
        "nothing to mend; the registry forgets what was begun by itself",
    ),
    "single put": _Ability(
        "blobs can be sent in one request",
        "blobs cannot be sent in one request",
        "nothing to mend; blobs go in chunks",
    ),
    "mount": _Ability(
        "blobs are shared between repositories",
        "blobs are not shared between repositories",
        "nothing to mend; blobs are sent again where they could have been mounted",
    ),
    "delete tag": _Ability(
        "a tag can be deleted by itself",
        "a tag cannot be deleted by itself",
        "a tag goes with its manifest, and with all its other tags: `registry-fp delete NAME@DIGEST`",
    ),
}
_WRITING: Final = "the registry is read-only, or another host takes pushes: ask who runs it"
_DELETING: Final = "whoever runs the registry can allow it (docker-registry: REGISTRY_STORAGE_DELETE_ENABLED=true)"
_BLOBS: Final = "nothing to mend; the registry clears blobs away that no manifest needs"
_NO_CATALOG: Final = "nothing to mend; hosted registries keep it to themselves; `registry-fp tags` works without it"
_NO_HEAD: Final = "nothing to mend; what a tag stands for is found out by GET"
_NO_RANGES: Final = "nothing to mend; a download that breaks passes over what it has"
_NO_REFERRERS: Final = "nothing to mend; they are kept under tags that are called sha256-..."
_NO_QUOTA: Final = "wait, or log in: accounts often have a quota of their own"
_PASSING: Final = (
    why.DnsFailed,
    why.ConnectFailed,
    why.TlsFailed,
    why.TimedOut,
    why.ConnectionLost,
    why.RateLimited,
    why.ServerFault,
)


def judge_pull(absent: Answer, shown: Answer | None, asker: Asker) -> Finding:
    """Whether we may read: from the answers to what is not there, and to a tag that is.

    Some registries say of what is not there that we may not see it, so that a yes counts more than a no.
    """
    reason = reason_of(absent, "manifest")
    if shown is not None and reason_of(shown) is None:
        return Finding("pull", "yes", "allowed")
    match reason:
        case None:
            return Finding("pull", "yes", "allowed")
        case why.NotFound(what="repository") if shown is None:
            return Finding("pull", "yes", f"allowed; there is no {asker.place} yet")
        case why.NotFound():
            return Finding("pull", "yes", "allowed")
        case _:
            return judge_refusal("pull", reason, asker, to="pull", without="ask who runs the registry")


def hides_absence(absent: Answer, shown: Answer | None) -> bool:
    """Whether the registry says of what is not there that we may not see it."""
    is_seen = shown is not None and reason_of(shown) is None
    return is_seen and isinstance(reason_of(absent), why.Denied | why.Unauthenticated)


def judge_push(answer: Answer, broken: Reason | None, asker: Asker) -> Finding:
    """Whether we may write, from the answer to the question for an upload session; `broken` if it made no sense."""
    reason = reason_of(answer, "repository")
    if isinstance(reason, why.NotFound):
        mend = f"make the repository at the registry first, or check the spelling of {asker.place}"
        return Finding("push", "no", "the registry takes nothing for a repository that it does not know", mend)
    reason = reason or broken
    if reason is None:
        return Finding("push", "yes", "allowed")
    return judge_refusal("push", reason, asker, to="push", without=_WRITING)


def judge_delete(topic: Literal["delete", "delete blob"], answer: Answer, asker: Asker, *, hides: bool) -> Finding:
    """Whether we may delete, from the answer to deleting what is not there; `hides` as in `hides_absence`."""
    reason = reason_of(answer)
    if reason is None or isinstance(reason, why.NotFound):
        return Finding(topic, "yes", "allowed")
    if hides and isinstance(reason, why.Denied | why.Unauthenticated):
        return Finding(topic, "unknown", "of what is not there the registry says that we may not see it")
    return judge_refusal(topic, reason, asker, to="delete", without=_DELETING if topic == "delete" else _BLOBS)


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
    ability = _ABILITIES[topic]
    if answer is not None and reason is None:
        return Finding(topic, "yes", ability.can)
    if isinstance(reason, _PASSING):
        return Finding(topic, "unknown", sentence(reason), advice(reason))
    told = ability.cannot if reason is None else f"{ability.cannot}{words(reason)}"
    return Finding(topic, "no", told, ability.without)


def judge_chunks(sizes: tuple[int, int], first: Answer, second: Answer | None, held: int | None) -> Finding:
    """Whether a second chunk is appended to the first; `held` is what the session says that it has, if it says it.

    Some registries count the bytes of each chunk alone (regclient#627), others lose the second one
    (aws/containers-roadmap#2831).
    """
    for answer in (first, second):
        if answer is not None and reason_of(answer) is not None:
            return judge_answered("chunks", answer)
    told = acknowledged(second) if isinstance(second, Response) else None
    if told in (sum(sizes), sizes[1]) or held == sum(sizes):
        return judge_answered("chunks", second)
    if told is None and held is None:
        return Finding("chunks", "unknown", "pieces are taken, and the registry does not say what it has of them")
    return Finding("chunks", "no", "a second piece is not added to the first", _ABILITIES["chunks"].without)


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
