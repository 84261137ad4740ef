"""`artifact`: the commands for files that are kept in a registry. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import App, Parameter

from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    FileNames,
    Pairs,
    ReferenceName,
    RemoteOptions,
    ShowOptions,
)
from registry_fp.cli.pairs import pairs_of

__all__ = ["artifact"]

artifact: Final = App(name="artifact", sort_key=26, help="Keep files in a registry, and bring them back.")
"""The group of commands."""


@artifact.command
def push(  # noqa: PLR0913  options, each with a default
    reference: Annotated[str, Parameter(help="Where to: [HOST[:PORT]/]NAME[:TAG].")],
    files: FileNames,
    /,
    *,
    artifact_type: Annotated[
        str | None, Parameter(metavar="TYPE", help="What the files are, such as application/vnd.example.model.")
    ] = None,
    annotation: Pairs = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Push files as an OCI artifact, and print REFERENCE@DIGEST.

    The same files and annotations always give the same digest.
    """
    from registry_fp.cli.artifact import ArtifactChoices, push_files

    return push_files(ArtifactChoices(reference, tuple(files), artifact_type, pairs_of(annotation)), remote, show)


@artifact.command
def pull(
    reference: ReferenceName,
    folder: Annotated[str, Parameter(help="Where the files go; it is made where there is none.")] = ".",
    /,
    *,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Pull an artifact's files into a folder, all of them or none, and print their paths.

    A title that would leave the folder is refused before anything is fetched.
    """
    from registry_fp.cli.artifact import pull_files

    return pull_files(reference, folder, remote, show)
