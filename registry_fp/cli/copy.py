"""Copying: from one registry to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from registry_fp import Client, Copied, CopyOptions, OnEvent, Op, copy
from registry_fp.cli.answer import Answer
from registry_fp.cli.copied_document import copied_document
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions

__all__ = ["CopyChoices", "copy_image"]


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
        options = CopyOptions(
            platform=choices.platform,
            referrers=choices.referrers,
            digest_tags=choices.digest_tags,
            foreign=choices.foreign,
            concurrency=choices.concurrency,
            on_event=on_event,
        )
        return copy(client, choices.source, choices.target, options=options)

    def answer(copied: Copied) -> Answer:
        document = copied_document(copied)
        last = {"event": "copied", **asdict(document)}
        return Answer(document, pinned(document.reference, document.digest), document.digest, (last,))

    hosts = (host_of(choices.target), host_of(choices.source))
    return carry_out(Errand("copy", choices.target, hosts, put, answer), remote, show)
