"""Copying: from one registry to another, an image or every one that has a tag."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from registry_fp import Client, Copied, CopyOptions, OnEvent, Op, copy, copy_tags, parse_repository
from registry_fp.cli.answer import Answer
from registry_fp.cli.copied_document import CopiedAllDocument, CopiedDocument, copied_document
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions

__all__ = ["CopyChoices", "copy_every_tag", "copy_image"]


@final
@dataclass(frozen=True, slots=True)
class CopyChoices:
    """What the command line chose for a copy; None leaves it to the settings."""

    source: str
    target: str
    platform: str | None = None
    referrers: bool = False
    digest_tags: bool = False
    foreign: bool = False
    concurrency: int | None = None


def copy_image(choices: CopyChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Copy an image, or an index with all its images."""

    def put(client: Client, on_event: OnEvent) -> Op[Copied]:
        return copy(client, choices.source, choices.target, options=_options(choices, on_event))

    def answer(copied: Copied) -> Answer:
        document = copied_document(copied)
        return Answer(document, _line(document), document.digest, (_last(document),))

    hosts = (host_of(choices.target), host_of(choices.source))
    return carry_out(Errand("copy", choices.target, hosts, put, answer), remote, show)


def copy_every_tag(choices: CopyChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Copy every image of a repository that has a tag, under the tag that it has."""

    def put(client: Client, on_event: OnEvent) -> Op[tuple[Copied, ...]]:
        # One after the other, so that what is told can be followed; each moves several blobs at once.
        options = _options(choices, on_event)
        return copy_tags(client, choices.source, choices.target, options=options, limit=1)

    def answer(copied: tuple[Copied, ...]) -> Answer:
        documents = tuple(copied_document(each) for each in copied)
        lines = "\n".join(_line(each) for each in documents)
        digests = "\n".join(each.digest for each in documents)
        return Answer(CopiedAllDocument(documents), lines, digests, tuple(_last(each) for each in documents))

    hosts = tuple(parse_repository(each).map(lambda name: name.host) for each in (choices.target, choices.source))
    return carry_out(Errand("copy_tags", choices.target, hosts, put, answer), remote, show)


def _options(choices: CopyChoices, on_event: OnEvent) -> CopyOptions:
    return CopyOptions(
        platform=choices.platform,
        referrers=choices.referrers,
        digest_tags=choices.digest_tags,
        foreign=choices.foreign,
        concurrency=choices.concurrency,
        on_event=on_event,
    )


def _line(document: CopiedDocument) -> str:
    return pinned(document.reference, document.digest)


def _last(document: CopiedDocument) -> dict[str, object]:
    return {"event": "copied", **asdict(document)}
