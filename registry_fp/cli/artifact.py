"""Artifacts: files kept in a registry, and brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias, final

from registry_fp import (
    ArtifactFile,
    ArtifactOptions,
    Client,
    OnEvent,
    Op,
    PullArtifactOptions,
    PulledArtifact,
    PushedArtifact,
    attach,
    pull_artifact,
    push_artifact,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.placed_document import PlacedDocument, placed_documents

__all__ = [
    "ArtifactChoices",
    "ArtifactDocument",
    "AttachedDocument",
    "FileDocument",
    "PulledArtifactDocument",
    "attach_files",
    "pull_files",
    "push_files",
]


_Files: TypeAlias = list[str | ArtifactFile]
"""Paths, some with what is said of them."""


@final
@dataclass(frozen=True, slots=True)
class ArtifactChoices:
    """What the command line chose: files as FILE or FILE:TYPE."""

    reference: str
    files: tuple[str, ...]
    artifact_type: str | None
    annotations: Mapping[str, str]


@final
@dataclass(frozen=True, slots=True)
class ArtifactDocument:
    """`artifact push`: digest, media type and size are the manifest's."""

    reference: str
    digest: str
    media_type: str
    size: int
    sent: int
    blobs: tuple[PlacedDocument, ...]


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


@final
@dataclass(frozen=True, slots=True)
class FileDocument:
    """A file that was written."""

    title: str
    path: str
    digest: str
    size: int
    media_type: str


@final
@dataclass(frozen=True, slots=True)
class PulledArtifactDocument:
    """`artifact pull`: `untitled` are blobs without a name, which were not fetched."""

    reference: str
    digest: str
    files: tuple[FileDocument, ...]
    untitled: tuple[str, ...]


def push_files(choices: ArtifactChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Store files as an artifact, and print what names it."""

    def answer(pushed: PushedArtifact) -> Answer:
        made = pushed.manifest
        document = ArtifactDocument(
            reference=str(pushed.reference),
            digest=str(made.digest),
            media_type=made.media_type,
            size=made.size,
            sent=pushed.sent,
            blobs=placed_documents(pushed.blobs),
        )
        last = {"event": "pushed", **asdict(document)}
        return Answer(document, pinned(document.reference, document.digest), document.digest, (last,))

    def put(client: Client, files: _Files, options: ArtifactOptions) -> Op[PushedArtifact]:
        return push_artifact(client, files, choices.reference, options=options)

    return _sent("push_artifact", choices, put, answer, remote, show)


def attach_files(choices: ArtifactChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Attach files to an image, and print what names them."""

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

    def put(client: Client, files: _Files, options: ArtifactOptions) -> Op[PushedArtifact]:
        return attach(client, choices.reference, files, options=options)

    return _sent("attach", choices, put, answer, remote, show)


def pull_files(reference: str, folder: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Bring an artifact's files into a folder, and print their paths."""

    def put(client: Client, on_event: OnEvent) -> Op[PulledArtifact]:
        return pull_artifact(client, reference, folder, options=PullArtifactOptions(on_event=on_event))

    def answer(pulled: PulledArtifact) -> Answer:
        files = tuple(
            FileDocument(
                title=each.title,
                path=str(each.path),
                digest=str(each.descriptor.digest),
                size=each.descriptor.size,
                media_type=each.descriptor.media_type,
            )
            for each in pulled.files
        )
        untitled = tuple(str(each.digest) for each in pulled.untitled)
        document = PulledArtifactDocument(str(pulled.reference), str(pulled.digest), files, untitled)
        paths = "\n".join(each.path for each in files)
        return Answer(document, paths, paths, ({"event": "pulled", **asdict(document)},))

    return carry_out(Errand("pull_artifact", reference, (host_of(reference),), put, answer), remote, show)


def _sent(  # noqa: PLR0913, PLR0917  what both commands that send files have in common
    doing: str,
    choices: ArtifactChoices,
    put: Callable[[Client, _Files, ArtifactOptions], Op[PushedArtifact]],
    answer: Callable[[PushedArtifact], Answer],
    remote: RemoteOptions,
    show: ShowOptions,
) -> int:
    def watched(client: Client, on_event: OnEvent) -> Op[PushedArtifact]:
        options = ArtifactOptions(
            artifact_type=choices.artifact_type, annotations=choices.annotations, on_event=on_event
        )
        return put(client, [_file(each) for each in choices.files], options)

    return carry_out(Errand(doing, choices.reference, (host_of(choices.reference),), watched, answer), remote, show)


def _file(text: str) -> str | ArtifactFile:
    """`sbom.json:application/spdx+json` says its type; a path with a colon and no slash after it is only a path."""
    path, colon, media_type = text.rpartition(":")
    return ArtifactFile(path, media_type=media_type) if colon and path and "/" in media_type else text
