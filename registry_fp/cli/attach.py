"""Attaching: files that are about an image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    ArtifactFile,
    ArtifactOptions,
    Client,
    Misconfigured,
    OnEvent,
    Op,
    PushedArtifact,
    RegistryError,
    attach,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.moved_document import PlacedDocument, placed_documents
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.read import host_of

__all__ = ["AttachChoices", "AttachedDocument", "attach_files"]


@final
@dataclass(frozen=True, slots=True)
class AttachChoices:
    """What the command line chose: files as FILE or FILE:TYPE, annotations as KEY=VALUE."""

    reference: str
    files: tuple[str, ...]
    artifact_type: str
    annotations: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """`attach`: digest, media type and size are the new manifest's; `listed_by` is who lists it under its subject."""

    reference: str
    subject: str
    digest: str
    media_type: str
    size: int
    sent: int
    listed_by: str | None
    blobs: tuple[PlacedDocument, ...]


def attach_files(choices: AttachChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Attach files to an image, and print what names them."""

    def put(client: Client, on_event: OnEvent) -> Op[PushedArtifact]:
        pairs = _pairs(choices)
        if not is_successful(pairs):
            return FutureResult.from_failure(pairs.failure())
        options = ArtifactOptions(artifact_type=choices.artifact_type, annotations=pairs.unwrap(), on_event=on_event)
        return attach(client, choices.reference, [_file(each) for each in choices.files], options=options)

    def answer(pushed: PushedArtifact) -> Answer:
        made = pushed.manifest
        document = AttachedDocument(
            reference=str(pushed.reference),
            subject=choices.reference if pushed.subject is None else str(pushed.subject.digest),
            digest=str(made.digest),
            media_type=made.media_type,
            size=made.size,
            sent=pushed.sent,
            listed_by=pushed.listed_by,
            blobs=placed_documents(pushed.blobs),
        )
        return Answer(document, document.reference, document.digest, ({"event": "attached", **asdict(document)},))

    errand = Errand("attach", choices.reference, (host_of(choices.reference),), put, answer)
    return carry_out(errand, remote, show)


def _pairs(choices: AttachChoices) -> Result[dict[str, str], RegistryError]:
    pairs: dict[str, str] = {}
    for text in choices.annotations:
        key, equals, value = text.partition("=")
        if not key or not equals:
            wrong = Misconfigured("annotation", f"it is KEY=VALUE, not {text!r}")
            return Failure(RegistryError("attach", choices.reference, wrong))
        pairs[key] = value
    return Success(pairs)


def _file(text: str) -> str | ArtifactFile:
    """`sbom.json:application/spdx+json` says its type; a path with a colon and no slash after it is only a path."""
    path, colon, media_type = text.rpartition(":")
    return ArtifactFile(path, media_type=media_type) if colon and path and "/" in media_type else text
