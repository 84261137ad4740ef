"""Changing: one name more, or one name less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from returns.future import FutureResult

from registry_fp import (
    Client,
    DeletePlan,
    Descriptor,
    Op,
    delete,
    delete_blob,
    detach,
    parse_reference,
    plan_delete,
    tag,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.document import DescriptorDocument, descriptor_document
from registry_fp.cli.noun import blob_named, host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.session import Question, ask
from registry_fp.cli.size import human_size

__all__ = ["DeletedDocument", "PlanDocument", "ask_delete", "ask_delete_blob", "ask_detach", "ask_plan", "ask_tag"]


@final
@dataclass(frozen=True, slots=True)
class DeletedDocument:
    """`delete` and `detach`."""

    reference: str
    deleted: bool


@final
@dataclass(frozen=True, slots=True)
class PlanDocument:
    """`delete --dry-run`: what would go, and what would stay."""

    reference: str
    removes: str
    digest: str
    size: int
    tags: tuple[str, ...]
    kept: tuple[str, ...]
    content: tuple[DescriptorDocument, ...]
    referrers: tuple[DescriptorDocument, ...]


def ask_tag(reference: str, new_tag: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Give a manifest another tag."""

    def answer(found: Descriptor) -> Answer:
        name = parse_reference(reference).map(lambda known: f"{known.repository}:{new_tag}").value_or(reference)
        digest = str(found.digest)
        return Answer(descriptor_document(name, found), pinned(name, digest), digest)

    question = Question("tag", reference, host_of(reference), lambda client: tag(client, reference, new_tag))
    return ask(question, answer, remote, show)


def ask_delete(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Remove a tag, or a manifest by its digest."""
    question = Question("delete", reference, host_of(reference), lambda client: delete(client, reference))
    return ask(question, lambda _: Answer(DeletedDocument(reference, deleted=True), reference, reference), remote, show)


def ask_detach(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Remove an attachment, and its entry in the list that clients keep."""
    question = Question("detach", reference, host_of(reference), lambda client: detach(client, reference))
    return ask(question, lambda _: Answer(DeletedDocument(reference, deleted=True), reference, reference), remote, show)


def ask_delete_blob(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Remove a blob, whatever needs it."""
    name = blob_named("delete_blob", reference)

    def put(client: Client) -> Op[None]:
        return FutureResult.from_result(name).bind(lambda blob: delete_blob(client, blob.repository, str(blob.digest)))

    question = Question("delete_blob", reference, host_of(reference), put)
    return ask(question, lambda _: Answer(DeletedDocument(reference, deleted=True), reference, reference), remote, show)


def ask_plan(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """What would go, if it were deleted?"""

    def answer(plan: DeletePlan) -> Answer:
        repository = str(plan.reference.repository)
        document = PlanDocument(
            reference=str(plan.reference),
            removes=plan.removes,
            digest=str(plan.manifest.digest),
            size=plan.size,
            tags=plan.tags,
            kept=plan.kept,
            content=tuple(descriptor_document(f"{repository}@{each.digest}", each) for each in plan.content),
            referrers=tuple(descriptor_document(f"{repository}@{each.digest}", each) for each in plan.referrers),
        )
        return Answer(document, _lines(plan), "\n".join(plan.tags or (str(plan.manifest.digest),)))

    question = Question("plan_delete", reference, host_of(reference), lambda client: plan_delete(client, reference))
    return ask(question, answer, remote, show)


def _lines(plan: DeletePlan) -> str:
    told_tags = ", ".join(plan.tags) or "no tag"
    lines = [f"nothing was deleted; `delete {plan.reference}` would remove:"]
    if plan.removes == "tag":
        lines.append(f"  the tag {told_tags}")
        lines.append(f"and keep the manifest {plan.manifest.digest}")
    else:
        lines.append(f"  the manifest {plan.manifest.digest}")
        lines.append(f"  its tags: {told_tags}")
        lines.append(
            f"  what only it lists, sooner or later: up to {human_size(plan.size)} in {len(plan.content)} parts"
        )
    if plan.kept:
        lines.append(f"and keep the tags {', '.join(plan.kept)}")
    if plan.referrers:
        count = len(plan.referrers)
        lines.append("1 manifest refers to it" if count == 1 else f"{count} manifests refer to it")
    return "\n".join(lines)
