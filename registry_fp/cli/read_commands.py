"""The commands that read: what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    HostName,
    ReferenceName,
    RemoteOptions,
    RepositoryName,
    Selector,
    ShowOptions,
)

__all__ = [
    "blob",
    "cat",
    "config",
    "digest",
    "doctor",
    "export",
    "inspect",
    "ls",
    "manifest",
    "ping",
    "referrers",
    "repos",
    "schema",
    "tags",
    "tree",
    "validate",
]

_ImageNoun: TypeAlias = Annotated[
    str, Parameter(help="A reference; or an archive or a layout: a file or folder that is there.")
]
_Platform: TypeAlias = Annotated[
    str, Parameter(metavar="PLATFORM", help="Which image of an index: OS/ARCH[/VARIANT], or local for this machine's.")
]


def ping(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Ask whether a registry answers, and lets us in."""
    from registry_fp.cli.read import ask_ping

    return ask_ping(host, remote, show)


def doctor(
    place: Annotated[str, Parameter(help="HOST[:PORT], or [HOST[:PORT]/]NAME for what may be done in a repository.")],
    /,
    *,
    read_only: Annotated[
        bool, Parameter(negative="", show_default=False, help="Send nothing but GET and HEAD, so that nothing changes.")
    ] = False,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Find out what is wrong with the way to a registry, and what the registry can.

    In a repository an upload is begun and taken back. Where deleting works, a few bytes and a tag are stored, too, and
    deleted again; if something has to stay, it is named. The exit code is 1 where something has to be mended.
    """
    from registry_fp.cli.doctor import ask_doctor

    return ask_doctor(place, remote, show, read_only=read_only)


def repos(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the repositories of a registry."""
    from registry_fp.cli.read import ask_repositories

    return ask_repositories(host, remote, show)


def tags(repository: RepositoryName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the tags of a repository."""
    from registry_fp.cli.read import ask_tags

    return ask_tags(repository, remote, show)


def inspect(
    reference_or_archive: Annotated[
        str, Parameter(help="A reference; or an archive: a file that is there, or a name that ends like one.")
    ],
    /,
    *,
    image: Selector = None,
    platform: Annotated[
        str | None,
        Parameter(metavar="PLATFORM", help="One image of an index, OS/ARCH[/VARIANT]; the index itself, if not said."),
    ] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Show what an image is made of, in a registry, in an archive or in a layout."""
    from registry_fp.cli.inspection import ask_inspect

    return ask_inspect(reference_or_archive, image, remote, show, platform)


def tree(
    reference_or_layout: _ImageNoun,
    /,
    *,
    no_referrers: Annotated[
        bool, Parameter(negative="", show_default=False, help="Do not look for what refers to it.")
    ] = False,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Draw everything that a name leads to, and what refers to it."""
    from registry_fp.cli.tree import ask_tree

    return ask_tree(reference_or_layout, remote, show, referrers=not no_referrers)


def ls(  # noqa: PLR0913  options, each with a default
    reference_or_archive: _ImageNoun,
    /,
    *,
    layer: Annotated[
        str | None, Parameter(help="One layer: its position, from 0 or from -1 at the end, its digest or its diff_id.")
    ] = None,
    platform: _Platform = "local",
    image: Selector = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """List the files of an image, or of one of its layers; nothing is kept."""
    from registry_fp.cli.files import ImageChoice, ask_files

    return ask_files(ImageChoice(reference_or_archive, image, platform), layer, remote, show)


def cat(  # noqa: PLR0913  options, each with a default
    reference_or_archive: _ImageNoun,
    path: Annotated[str, Parameter(help="A file, as a container sees it.")],
    /,
    *,
    platform: _Platform = "local",
    image: Selector = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Print one file out of an image."""
    from registry_fp.cli.files import ImageChoice, ask_file

    return ask_file(ImageChoice(reference_or_archive, image, platform), path, remote, show)


def validate(
    reference_or_archive: _ImageNoun,
    /,
    *,
    image: Selector = None,
    platform: Annotated[
        str | None,
        Parameter(metavar="PLATFORM", help="One image of an index, OS/ARCH[/VARIANT]; all of them, if not said."),
    ] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Read every byte of an image, and prove it, in a registry, in an archive or in a layout; nothing is kept.

    Whatever is wrong is named: what is not there, is too short, too long or damaged, and layers that unpack to
    something else than the configuration says. It is the registry itself that is asked, and not its mirrors.
    """
    from registry_fp.cli.validate import validate_image

    return validate_image(reference_or_archive, image, platform, remote, show)


def export(  # noqa: PLR0913  options, each with a default
    reference_or_archive: _ImageNoun,
    path: Annotated[str, Parameter(help="Where the tar is to be; a tar that is there is replaced.")],
    /,
    *,
    platform: _Platform = "local",
    image: Selector = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Write the files of an image, as a container sees them, as one tar."""
    from registry_fp.cli.export import export_image
    from registry_fp.cli.files import ImageChoice

    return export_image(ImageChoice(reference_or_archive, image, platform), path, remote, show)


def manifest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of a manifest."""
    from registry_fp.cli.content import ask_manifest

    return ask_manifest(reference, remote, show)


def config(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of an image's configuration."""
    from registry_fp.cli.content import ask_config

    return ask_config(reference, remote, show)


def digest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the digest that a name stands for."""
    from registry_fp.cli.read import ask_digest

    return ask_digest(reference, remote, show)


def blob(
    reference: Annotated[str, Parameter(help="[HOST[:PORT]/]NAME@DIGEST.")],
    /,
    *,
    limit: Annotated[
        int, Parameter(metavar="BYTES", validator=Number(gte=0), show_default=False, help="How large it may be; 1 TiB.")
    ] = 1024**4,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Write the exact bytes of a blob to standard output, proven against its digest."""
    from registry_fp.cli.blob import write_blob

    return write_blob(reference, limit, remote, show)


def referrers(
    reference: ReferenceName,
    /,
    *,
    artifact_type: Annotated[
        str | None, Parameter(metavar="TYPE", help="Only those of one type, such as application/spdx+json.")
    ] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """List what refers to a manifest: signatures, bills of materials."""
    from registry_fp.cli.referrers import ask_referrers

    return ask_referrers(reference, artifact_type, remote, show)


def schema(
    document: Annotated[
        str | None, Parameter(help="One document, such as ImageDocument; all, if none is named.")
    ] = None,
    /,
    *,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Print the JSON schema of what `-o json` writes."""
    from registry_fp.cli.schema import show_schema

    return show_schema(document, show)
