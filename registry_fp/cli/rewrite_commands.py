"""The commands that make one image of another: what they take, and what their help says. Their work is in `rewrite`."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from cyclopts import App, Parameter

from registry_fp.cli.options import ANY_REGISTRY, AS_TEXT, Pairs, ReferenceName, RemoteOptions, ShowOptions
from registry_fp.cli.pairs import changes_of, check_words, pairs_of, words_of

__all__ = ["append", "convert", "edit", "index"]

_Target: TypeAlias = Annotated[str, Parameter(help="The tag that it is stored under: [HOST[:PORT]/]NAME[:TAG].")]
_Platform: TypeAlias = Annotated[
    str | None, Parameter(metavar="PLATFORM", help="One image of an index, OS/ARCH[/VARIANT]; every one, if not said.")
]
_Names: TypeAlias = Annotated[list[str] | None, Parameter(metavar="KEY", help="Remove it.", negative="")]
_Words: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="WORDS", help='One word, or a JSON list: ["sh", "-c", "id"]; empty removes it.', validator=check_words
    ),
]


def convert(  # noqa: PLR0913  options, each with a default
    source: ReferenceName,
    target: _Target,
    /,
    *,
    to: Annotated[Literal["docker", "oci"], Parameter(help="Whose media types it gets.")],
    platform: _Platform = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Store an image under Docker's or the OCI's media types, and print TARGET@DIGEST; no layer changes."""
    from registry_fp.cli.rewrite import RewriteChoices, convert_image

    return convert_image(RewriteChoices(source, target, platform), to, remote, show)


def edit(  # noqa: PLR0913  options, each with a default
    source: ReferenceName,
    target: _Target,
    /,
    *,
    env: Pairs = None,
    unset_env: _Names = None,
    label: Pairs = None,
    unset_label: _Names = None,
    annotation: Pairs = None,
    unset_annotation: _Names = None,
    entrypoint: _Words = None,
    cmd: _Words = None,
    user: Annotated[str | None, Parameter(help="Empty removes it.")] = None,
    workdir: Annotated[str | None, Parameter(help="Empty removes it.")] = None,
    platform: _Platform = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Store an image with other environment, labels and the like, and print TARGET@DIGEST; no layer moves."""
    from registry_fp.cli.rewrite import EditChoices, RewriteChoices, change_image

    choices = EditChoices(
        env=changes_of(env, unset_env),
        labels=changes_of(label, unset_label),
        annotations=changes_of(annotation, unset_annotation),
        entrypoint=words_of(entrypoint),
        cmd=words_of(cmd),
        user=user,
        workdir=workdir,
    )
    return change_image(RewriteChoices(source, target, platform), choices, remote, show)


def append(  # noqa: PLR0913  options, each with a default
    source: ReferenceName,
    target: _Target,
    tar: Annotated[str, Parameter(help="The layer: a tar file, plain or compressed.")],
    /,
    *,
    created_by: Annotated[str | None, Parameter(metavar="TEXT", help="What the history says of it.")] = None,
    platform: _Platform = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Store an image with one more layer on top, and print TARGET@DIGEST; the others do not move."""
    from registry_fp.cli.rewrite import RewriteChoices, append_to_image

    return append_to_image(RewriteChoices(source, target, platform), tar, created_by, remote, show)


index: Final = App(name="index", sort_key=26, help="Make and change indexes of images for many platforms.")
"""The group of commands."""


@index.command
def create(
    target: _Target,
    images: Annotated[list[str], Parameter(help="[HOST[:PORT]/]NAME[:TAG][@DIGEST], one or more.")],
    /,
    *,
    annotation: Pairs = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Make an index of images, each for its platform, and print TARGET@DIGEST."""
    from registry_fp.cli.rewrite import make_index

    return make_index(target, images, pairs_of(annotation), remote, show)


@index.command(name="edit")
def edit_entries(  # noqa: PLR0913  options, each with a default
    source: ReferenceName,
    target: _Target,
    /,
    *,
    add: Annotated[
        list[str] | None,
        Parameter(metavar="REFERENCE", help="An image that joins, or takes its platform's place.", negative=""),
    ] = None,
    only: Annotated[
        list[str] | None, Parameter(metavar="PLATFORM", help="Keep the images for these.", negative="")
    ] = None,
    without: Annotated[
        list[str] | None, Parameter(metavar="PLATFORM", help="Leave out the images for these.", negative="")
    ] = None,
    annotation: Pairs = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Store an index with images added, replaced or left out, and print TARGET@DIGEST."""
    from registry_fp.cli.rewrite import IndexChoices, change_index

    choices = IndexChoices(add or (), only or (), without or (), pairs_of(annotation))
    return change_index(source, target, choices, remote, show)
