"""Pushing: one image of an archive under a name, or every one under its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from registry_fp import (
    AnyArchive,
    Client,
    OciLayout,
    OnEvent,
    Op,
    Pushed,
    PushOptions,
    any_archive,
    oci_layout,
    parse_host,
    push,
    push_all,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import Codec, RemoteOptions, ShowOptions
from registry_fp.cli.push_document import PushedAllDocument, PushedDocument, pushed_document

__all__ = ["PushChoices", "push_archive", "push_every_tag"]


@final
@dataclass(frozen=True, slots=True)
class PushChoices:
    """What the command line chose for a push; None leaves it to the settings."""

    archive: str
    image: str | None = None
    compression: Codec | None = None
    level: int | None = None
    concurrency: int | None = None
    platform: str | None = None
    present: bool = False
    layout: bool = False


def push_archive(choices: PushChoices, reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Push one image of an archive."""
    source = _source(choices)

    def put(client: Client, on_event: OnEvent) -> Op[Pushed]:
        return push(client, source, reference, options=_options(choices, on_event))

    def answer(pushed: Pushed) -> Answer:
        document = pushed_document(pushed)
        return Answer(document, _line(pushed), str(pushed.digest), (_last(document),))

    return carry_out(Errand("push", reference, (host_of(reference),), put, answer, _left_out), remote, show)


def push_every_tag(choices: PushChoices, to: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Push every image of an archive or a layout under all its tags, to a host or below a repository of it."""

    def put(client: Client, on_event: OnEvent) -> Op[tuple[Pushed, ...]]:
        return push_all(client, _source(choices), to, options=_options(choices, on_event))

    def answer(pushed: tuple[Pushed, ...]) -> Answer:
        documents = tuple(pushed_document(each) for each in pushed)
        lines = "\n".join(_line(each) for each in pushed)
        digests = "\n".join(str(each.digest) for each in pushed)
        return Answer(PushedAllDocument(documents), lines, digests, tuple(_last(each) for each in documents))

    def warned(pushed: tuple[Pushed, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line for each in pushed for line in _left_out(each)))

    host = parse_host(to.partition("/")[0])
    return carry_out(Errand("push_all", to, (host,), put, answer, warned), remote, show)


def _source(choices: PushChoices) -> OciLayout | AnyArchive:
    return (oci_layout if choices.layout else any_archive)(choices.archive, image=choices.image)


def _left_out(pushed: Pushed) -> tuple[str, ...]:
    """What the index lists and the registry does not get."""
    return tuple(
        f"left out of the index, because it is not all there: {each.platform or each.media_type}, {each.digest}"
        for each in pushed.dropped
    )


def _options(choices: PushChoices, on_event: OnEvent) -> PushOptions:
    return PushOptions(
        compression=choices.compression,
        level=choices.level,
        concurrency=choices.concurrency,
        missing="present" if choices.present else "strict",
        platform=choices.platform,
        on_event=on_event,
    )


def _line(pushed: Pushed) -> str:
    return f"{pushed.reference}@{pushed.digest}"


def _last(document: PushedDocument) -> dict[str, object]:
    return {"event": "pushed", **asdict(document)}
