"""Pulling: from a registry to a file or a folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, final

from registry_fp import (
    AnyArchive,
    Client,
    DockerSave,
    OciLayout,
    OnEvent,
    Op,
    Pulled,
    PullOptions,
    any_archive,
    docker_save,
    oci_layout,
    pull,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.placed_document import PlacedDocument, placed_documents

__all__ = ["PullChoices", "PulledDocument", "pull_image"]


@final
@dataclass(frozen=True, slots=True)
class PullChoices:
    """What the command line chose for a pull; None leaves it to the path, or to the settings."""

    reference: str
    path: str
    format: Literal["docker", "oci"] | None = None
    platform: str = "local"
    foreign: bool = False
    concurrency: int | None = None


@final
@dataclass(frozen=True, slots=True)
class PulledDocument:
    """`pull`: digest, media type and size are the manifest's; `moved` is the sum over the blobs."""

    reference: str
    path: str
    digest: str
    media_type: str
    size: int
    moved: int
    blobs: tuple[PlacedDocument, ...]


def pull_image(choices: PullChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Pull an image to a path."""

    def put(client: Client, on_event: OnEvent) -> Op[Pulled]:
        options = PullOptions(
            platform=choices.platform, foreign=choices.foreign, concurrency=choices.concurrency, on_event=on_event
        )
        return pull(client, choices.reference, _target(choices), options=options)

    def answer(pulled: Pulled) -> Answer:
        made = pulled.manifest
        document = PulledDocument(
            reference=str(pulled.reference),
            path=pulled.path,
            digest=str(made.digest),
            media_type=made.media_type,
            size=made.size,
            moved=pulled.moved,
            blobs=placed_documents(pulled.blobs),
        )
        last = {"event": "pulled", **asdict(document)}
        return Answer(document, pinned(choices.reference, str(made.digest)), str(made.digest), (last,))

    errand = Errand("pull", choices.reference, (host_of(choices.reference),), put, answer)
    return carry_out(errand, remote, show)


def _target(choices: PullChoices) -> DockerSave | OciLayout | AnyArchive:
    match choices.format:
        case "docker":
            return docker_save(choices.path)
        case "oci":
            return oci_layout(choices.path)
        case None:
            return any_archive(choices.path)
