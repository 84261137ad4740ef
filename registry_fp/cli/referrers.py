"""Referrers: what is about a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from registry_fp import Descriptor, list_referrers, parse_reference
from registry_fp.cli.answer import Answer
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.session import Question, ask

__all__ = ["ReferrerDocument", "ReferrersDocument", "ask_referrers"]


@final
@dataclass(frozen=True, slots=True)
class ReferrerDocument:
    """`referrers`, one of them."""

    reference: str
    digest: str
    media_type: str
    artifact_type: str | None
    size: int
    annotations: dict[str, str]


@final
@dataclass(frozen=True, slots=True)
class ReferrersDocument:
    """`referrers`."""

    subject: str
    referrers: tuple[ReferrerDocument, ...]


def ask_referrers(reference: str, artifact_type: str | None, remote: RemoteOptions, show: ShowOptions) -> int:
    """Which manifests refer to this one?"""

    def answer(found: tuple[Descriptor, ...]) -> Answer:
        repository = parse_reference(reference).map(lambda name: str(name.repository)).value_or(reference)
        items = tuple(
            ReferrerDocument(
                reference=f"{repository}@{each.digest}",
                digest=str(each.digest),
                media_type=each.media_type,
                artifact_type=each.artifact_type,
                size=each.size,
                annotations=dict(each.annotations or {}),
            )
            for each in found
        )
        lines = "\n".join(f"{each.digest} {each.artifact_type or each.media_type}" for each in items)
        return Answer(ReferrersDocument(reference, items), lines, "\n".join(each.digest for each in items), items)

    question = Question(
        "list_referrers",
        reference,
        host_of(reference),
        lambda client: list_referrers(client, reference, artifact_type=artifact_type),
    )
    return ask(question, answer, remote, show)
