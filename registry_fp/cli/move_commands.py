"""The commands that move images: what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from registry_fp.cli.misuse import misused
from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    Codec,
    ReferenceName,
    RemoteOptions,
    Selector,
    ShowOptions,
)

__all__ = ["copy", "pull", "push"]

_Concurrency: TypeAlias = Annotated[
    int | None,
    Parameter(validator=Number(gte=1, lte=64), help="How many blobs are under way at once; 6, if nothing is set."),
]


def push(  # noqa: PLR0913  options, each with a default
    archive: Annotated[
        str, Parameter(help="A `docker save` archive, plain or compressed; or an OCI layout, a folder or a tar.")
    ],
    reference: Annotated[str | None, Parameter(help="Where to: [HOST[:PORT]/]NAME[:TAG].")] = None,
    /,
    *,
    all_tags: Annotated[
        str | None,
        Parameter(
            name="--all-tags",
            metavar="HOST",
            help="Instead of REFERENCE: every image, under its own tags, to HOST[:PORT][/PREFIX].",
        ),
    ] = None,
    image: Selector = None,
    compression: Annotated[
        Codec | None, Parameter(help="What layers become that are not compressed; gzip, if nothing is set.")
    ] = None,
    level: Annotated[int | None, Parameter(help="The compression level; a fast one, if nothing is set.")] = None,
    concurrency: _Concurrency = None,
    platform: Annotated[
        str | None,
        Parameter(metavar="PLATFORM", help="One image of a layout's index, OS/ARCH[/VARIANT]; every one, if not said."),
    ] = None,
    present: Annotated[
        bool, Parameter(negative="", show_default=False, help="Of an index that is there in part, push that part.")
    ] = False,
    layout: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Take an archive that is both for the OCI layout that it is."),
    ] = False,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Push a `docker save` archive or an OCI layout, and print REFERENCE@DIGEST.

    Blobs that the registry has are not sent. Success means that the image is stored, and was confirmed to be.
    """
    from registry_fp.cli.push import PushChoices, push_archive, push_every_tag

    choices = PushChoices(archive, image, compression, level, concurrency, platform, present, layout)
    match reference, all_tags:
        case str(), None:
            return push_archive(choices, reference, remote, show)
        case None, str() if image is None:
            return push_every_tag(choices, all_tags, remote, show)
        case None, str():
            return misused("--image chooses one image, and --all-tags takes every one.", "push")
        case _:
            return misused("Give either a REFERENCE or --all-tags HOST.", "push")


def pull(  # noqa: PLR0913  options, each with a default
    reference: ReferenceName,
    path: Annotated[
        str,
        Parameter(help="What to write: a *.tar file, or a folder for a layout, which is added to where there is one."),
    ],
    /,
    *,
    format: Annotated[  # noqa: A002  what the option is called
        Literal["docker", "oci"] | None,
        Parameter(help="What is written; docker for *.tar and oci for a folder, if nothing is said."),
    ] = None,
    platform: Annotated[
        str,
        Parameter(
            metavar="PLATFORM", help="Which image of an index: OS/ARCH[/VARIANT], local for this machine's, or all."
        ),
    ] = "local",
    foreign: Annotated[
        bool, Parameter(negative="", show_default=False, help="Also fetch layers that may not be distributed.")
    ] = False,
    concurrency: _Concurrency = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Pull an image into a `docker load` archive or an OCI layout, and print REFERENCE@DIGEST.

    Every byte is verified, a cut connection is resumed, and the file is there whole or not at all.
    """
    from registry_fp.cli.pull import PullChoices, pull_image

    return pull_image(PullChoices(reference, path, format, platform, foreign, concurrency), remote, show)


def copy(  # noqa: PLR0913  options, each with a default
    source: Annotated[str, Parameter(help="Where from: [HOST[:PORT]/]NAME[:TAG][@DIGEST].")],
    target: Annotated[str, Parameter(help="Where to: [HOST[:PORT]/]NAME[:TAG].")],
    /,
    *,
    all_tags: Annotated[
        bool,
        Parameter(
            name="--all-tags",
            negative="",
            show_default=False,
            help="Every image that has a tag, under that tag; SOURCE and TARGET are repositories, [HOST[:PORT]/]NAME.",
        ),
    ] = False,
    platform: Annotated[
        str | None,
        Parameter(metavar="PLATFORM", help="One image of an index, OS/ARCH[/VARIANT]; every one, if not said."),
    ] = None,
    referrers: Annotated[
        bool, Parameter(negative="", show_default=False, help="Take along what refers to it: signatures and the like.")
    ] = False,
    digest_tags: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Take along the tags that are named after its digests (sha256-...)."
        ),
    ] = False,
    foreign: Annotated[
        bool, Parameter(negative="", show_default=False, help="Also move layers that may not be distributed.")
    ] = False,
    concurrency: _Concurrency = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Copy an image between registries, byte for byte, and print TARGET@DIGEST.

    Nothing touches the disk, and what the target has is not moved. Credentials given here are for the target.
    """
    from registry_fp.cli.copy import CopyChoices, copy_every_tag, copy_image

    choices = CopyChoices(source, target, platform, referrers, digest_tags, foreign, concurrency)
    return (copy_every_tag if all_tags else copy_image)(choices, remote, show)
