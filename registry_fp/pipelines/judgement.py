"""Judgements: what an answer means, where it means the same for every topic. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias, final

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Problem, Reason, RegistryError
from registry_fp.domain.explain import describe, hint
from registry_fp.pipelines.diagnosis import Finding, Topic
from registry_fp.protocol.message import Response
from registry_fp.protocol.refusal import Sought, refusal

__all__ = ["Answer", "Asker", "advice", "judge_refusal", "reason_of", "sentence", "words"]

Answer: TypeAlias = Response | Reason
"""What came of a question: the answer as it is, also a refusal; or why there is none that could be read."""

_UNKNOWN: Final = frozenset({"UNSUPPORTED", "UNSUPPORTED_OPERATION"})
_LACKING: Final = frozenset({404, 405, 406, 410})


@final
@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where: `name` is None for nobody."""

    host: str
    place: str
    name: str | None = None

    @property
    def login(self) -> str:
        """How to become somebody there."""
        return f"`registry-fp login {self.host}`"


def reason_of(answer: Answer, sought: Sought = "registry") -> Reason | None:
    """Why an answer is none; None for a success."""
    if not isinstance(answer, Response):
        return answer
    return None if 200 <= answer.status < 300 else refusal(answer, sought)


def sentence(reason: Reason) -> str:
    """What a reason says, without the name of what was being done.

    >>> sentence(why.DnsFailed("registry.example"))
    'no address for registry.example'
    """
    return describe(RegistryError("doctor", "it", reason)).removeprefix(f"doctor it: {type(reason).__name__}: ")


def advice(reason: Reason) -> str:
    """What most often mends a reason."""
    return hint(RegistryError("doctor", "it", reason))


def words(reason: Reason) -> str:
    """The registry's own words, in brackets, if it has any."""
    said = sentence(reason)
    return said[said.index(" (") :] if " (" in said and said.endswith(")") else ""


def judge_refusal(topic: Topic, reason: Reason, asker: Asker, *, to: str, without: str) -> Finding:
    """The finding of a refusal: we may not, it cannot, or nobody knows.

    `to` is what was wanted, after "to"; `without` is what to do where the registry cannot.

    >>> asker = Asker("ghcr.io", "ghcr.io/team/app")
    >>> judge_refusal("push", why.Unauthenticated(), asker, to="push", without="").hint
    'log in with an account that may push: `registry-fp login ghcr.io`'
    """
    match reason:
        case why.Unauthenticated() if asker.name is None:
            return Finding(topic, "no", f"not without a login{words(reason)}", _login(asker, to))
        case why.Unauthenticated() | why.Denied():
            whom = "us" if asker.name is None else asker.name
            told = f"{'denied' if isinstance(reason, why.Denied) else 'not allowed'} to {whom}{words(reason)}"
            return Finding(
                topic, "no", told, f"ask the owner of {asker.place} to let {whom} {to}, or {_login(asker, to)}"
            )
        case why.Refused(problems=problems) | why.NotFound(problems=problems) if _is_lacking(reason, problems):
            return Finding(topic, "no", f"the registry does not do this{words(reason)}", without)
        case _:
            return Finding(topic, "unknown", sentence(reason), advice(reason))


def _login(asker: Asker, to: str) -> str:
    return f"log in with an account that may {to}: {asker.login}"


def _is_lacking(reason: Reason, problems: tuple[Problem, ...]) -> bool:
    if isinstance(reason, why.Refused) and reason.status in _LACKING:
        return True
    return isinstance(reason, why.NotFound) or any(problem.code in _UNKNOWN for problem in problems)
