"""An examination: questions to one registry, one after the other, and what was found so far."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, final

from returns.result import Result

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Reason
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.diagnosis import TOPICS, Finding, Topic
from registry_fp.pipelines.judgement import Answer
from registry_fp.protocol.message import Request
from registry_fp.transport.port import Client, send

__all__ = ["Examination"]

_SILENT: Final = (why.DnsFailed, why.ConnectFailed, why.TlsFailed, why.TimedOut, why.ConnectionLost)
_ENOUGH: Final = 2


@final
class Examination:
    """One registry, and what is found out about it."""

    def __init__(self, client: Client, host: str) -> None:
        self.client: Final = client
        self.host: Final = host
        self._findings: list[Finding] = []
        self._unanswered: list[Reason] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, by topic."""
        return tuple(sorted(self._findings, key=lambda each: TOPICS.index(each.topic)))

    def note(self, *findings: Finding | None) -> None:
        """Add to what was found."""
        self._findings.extend(each for each in findings if each is not None)

    def says(self, topic: Topic) -> bool:
        """Whether something was found to work."""
        return any(each.topic == topic and each.verdict == "yes" for each in self._findings)

    async def ask(self, request: Request) -> Answer:
        """One question, asked once: a registry that answers only now and then is not well.

        After two in a row that nobody answered no more are asked, so that a diagnosis has an end.
        """
        if len(self._unanswered) >= _ENOUGH:
            return self._unanswered[-1]
        out = await settle(send(self.client, replace(request, repeat="never"), Result.from_value))
        if isinstance(out, Err):
            reason = out.error.reason
            self._unanswered = [*self._unanswered, reason] if isinstance(reason, _SILENT) else []
            return reason
        self._unanswered = []
        return out.value
