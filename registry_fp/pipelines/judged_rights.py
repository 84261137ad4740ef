"""What we may do in a repository, judged: pull, push, delete. Pure."""

from __future__ import annotations

from typing import Final, Literal

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason
from registry_fp.pipelines.diagnosis import Finding
from registry_fp.pipelines.judgement import Answer, Asker, judge_refusal, reason_of

__all__ = ["hides_absence", "judge_delete", "judge_pull", "judge_push"]

_WRITING: Final = "the registry is read-only, or another host takes pushes: ask who runs it"
_DELETING: Final = "whoever runs the registry can allow it (docker-registry: REGISTRY_STORAGE_DELETE_ENABLED=true)"
_BLOBS: Final = "nothing to mend; the registry clears blobs away that no manifest needs"


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
