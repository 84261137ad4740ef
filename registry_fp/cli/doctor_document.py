"""The document of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Diagnosis, Finding, Topic, Verdict

__all__ = ["DiagnosisDocument", "FindingDocument", "diagnosis_document"]


@final
@dataclass(frozen=True, slots=True)
class FindingDocument:
    """One thing that was found out; `hint` is what mends it, or what to know about it."""

    topic: Topic
    verdict: Verdict
    told: str
    hint: str | None


@final
@dataclass(frozen=True, slots=True)
class DiagnosisDocument:
    """`doctor`; `well` is false where something has to be mended, and `ills` are the topics of that, in order."""

    host: str
    url: str
    profile: str
    repository: str | None
    well: bool
    ills: tuple[Topic, ...]
    findings: tuple[FindingDocument, ...]


def diagnosis_document(found: Diagnosis) -> DiagnosisDocument:
    """A diagnosis."""
    return DiagnosisDocument(
        found.host,
        found.url,
        found.profile,
        found.repository,
        not found.ills,
        tuple(each.topic for each in found.ills),
        tuple(_finding(each) for each in found.findings),
    )


def _finding(each: Finding) -> FindingDocument:
    return FindingDocument(each.topic, each.verdict, each.told, each.hint)
