"""Rewriting: an image or an index becomes another one, and its layers stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, final

from registry_fp import (
    Client,
    ImageEdit,
    IndexEdit,
    LayerNote,
    OnEvent,
    Op,
    RewriteOptions,
    Rewritten,
    append_layer,
    convert,
    create_index,
    edit_image,
    edit_index,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.errand import Errand, carry_out
from registry_fp.cli.noun import host_of, pinned
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.placed_document import PlacedDocument, placed_documents

__all__ = [
    "EditChoices",
    "IndexChoices",
    "RewriteChoices",
    "RewrittenDocument",
    "append_to_image",
    "change_image",
    "change_index",
    "convert_image",
    "make_index",
]


@final
@dataclass(frozen=True, slots=True)
class RewrittenDocument:
    """`convert`, `edit`, `append` and `index`: what is stored under `reference` now, and what it was made of."""

    source: str | None
    reference: str
    digest: str
    media_type: str
    size: int
    moved: int
    manifests: tuple[str, ...]
    blobs: tuple[PlacedDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class RewriteChoices:
    """What the command line named: what is read, and the tag that is written."""

    source: str
    target: str
    platform: str | None = None

    def named(self, doing: str) -> _Names:
        """The names, for what is done."""
        return _Names(doing, (self.source,), self.target, self.platform)


@final
@dataclass(frozen=True, slots=True)
class EditChoices:
    """What the command line chose for an edit; a name with None is removed."""

    env: Mapping[str, str | None]
    labels: Mapping[str, str | None]
    annotations: Mapping[str, str | None]
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    user: str | None
    workdir: str | None


@final
@dataclass(frozen=True, slots=True)
class IndexChoices:
    """What the command line chose for an index."""

    add: Sequence[str]
    only: Sequence[str]
    without: Sequence[str]
    annotations: Mapping[str, str]


@final
@dataclass(frozen=True, slots=True)
class _Names:
    """The operation, what is read, the tag that is written, and which image of an index is meant."""

    doing: str
    sources: tuple[str, ...]
    target: str
    platform: str | None = None


def convert_image(
    choices: RewriteChoices, to: Literal["docker", "oci"], remote: RemoteOptions, show: ShowOptions
) -> int:
    """Store an image under the other family's media types."""

    def put(client: Client, options: RewriteOptions) -> Op[Rewritten]:
        return convert(client, choices.source, choices.target, to=to, options=options)

    return _carried(choices.named("convert"), put, remote, show)


def change_image(choices: RewriteChoices, chosen: EditChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Store an image with another configuration."""
    edit = ImageEdit(
        env=chosen.env,
        labels=chosen.labels,
        annotations=chosen.annotations,
        entrypoint=chosen.entrypoint,
        cmd=chosen.cmd,
        user=chosen.user,
        working_dir=chosen.workdir,
    )

    def put(client: Client, options: RewriteOptions) -> Op[Rewritten]:
        return edit_image(client, choices.source, choices.target, edit, options=options)

    return _carried(choices.named("edit_image"), put, remote, show)


def append_to_image(
    choices: RewriteChoices, tar: str, created_by: str | None, remote: RemoteOptions, show: ShowOptions
) -> int:
    """Store an image with one more layer."""
    note = LayerNote(created_by=created_by)

    def put(client: Client, options: RewriteOptions) -> Op[Rewritten]:
        return append_layer(client, choices.source, choices.target, tar, note=note, options=options)

    return _carried(choices.named("append_layer"), put, remote, show)


def make_index(
    target: str, images: Sequence[str], annotations: Mapping[str, str], remote: RemoteOptions, show: ShowOptions
) -> int:
    """Store an index of images that there are."""
    names = _Names("create_index", tuple(images), target)

    def put(client: Client, options: RewriteOptions) -> Op[Rewritten]:
        return create_index(client, images, target, annotations=annotations, options=options)

    return _carried(names, put, remote, show)


def change_index(source: str, target: str, choices: IndexChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Store an index with other images in it."""
    names = _Names("edit_index", (source, *choices.add), target)
    edit = IndexEdit(choices.add, choices.only, choices.without, choices.annotations)

    def put(client: Client, options: RewriteOptions) -> Op[Rewritten]:
        return edit_index(client, source, target, edit, options=options)

    return _carried(names, put, remote, show)


def _carried(
    names: _Names,
    put: Callable[[Client, RewriteOptions], Op[Rewritten]],
    remote: RemoteOptions,
    show: ShowOptions,
) -> int:
    def watched(client: Client, on_event: OnEvent) -> Op[Rewritten]:
        return put(client, RewriteOptions(platform=names.platform, on_event=on_event))

    hosts = tuple(host_of(each) for each in (names.target, *names.sources))
    return carry_out(Errand(names.doing, names.target, hosts, watched, _answer), remote, show)


def _answer(made: Rewritten) -> Answer:
    document = RewrittenDocument(
        source=None if made.source is None else str(made.source),
        reference=str(made.target),
        digest=str(made.digest),
        media_type=made.manifest.media_type,
        size=made.manifest.size,
        moved=made.moved,
        manifests=tuple(str(each.digest) for each in made.manifests),
        blobs=placed_documents(made.blobs),
    )
    last = {"event": "rewritten", **asdict(document)}
    return Answer(document, pinned(document.reference, document.digest), document.digest, (last,))
